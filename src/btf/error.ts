/** BTF bytes that cannot be read: says in which section and at which offset of it. */
export class BtfError extends Error {
  override readonly name = 'BtfError'
  readonly section: 'header' | 'types' | 'strings'
  readonly offset: number

  constructor(section: BtfError['section'], offset: number, what: string) {
    super(`BTF ${section} at ${offset}: ${what}`)
    this.section = section
    this.offset = offset
  }
}
