/** An object file that cannot be read, or a Spec that cannot be written as one: says in which section and where in it. */
export class ObjectError extends Error {
  override readonly name = 'ObjectError'
  /** `.maps`, or 'ELF header', 'section headers'. */
  readonly section: string
  /** Bytes from the start of the section (of the file, for headers). */
  readonly offset: number

  constructor(section: string, offset: number, problem: string) {
    super(`${section} at ${offset}: ${problem}`)
    this.section = section
    this.offset = offset
  }
}
