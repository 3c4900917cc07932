import { Btf, BtfError, type BtfType } from '../../btf/btf.ts'
import { fixDataSections } from './data-types.ts'
import { ElfFile, type ElfSection } from './elf-file.ts'
import { ObjectError } from './error.ts'

export type TypeOf<K extends BtfType['kind']> = Extract<BtfType, { kind: K }>
export type CompositeType = TypeOf<'struct' | 'union'>

/** What the parts of the reader share: the file, and its types once they are complete. */
export class ObjectFile {
  readonly elf: ElfFile
  /** With the sizes and offsets of data sections that compilers leave to the loader. */
  readonly btfBytes: Uint8Array | null
  readonly #btf: Btf | null

  /** @throws ObjectError */
  constructor(file: Uint8Array) {
    // Slices of a Buffer would share its memory.
    this.elf = new ElfFile(new Uint8Array(file.buffer, file.byteOffset, file.byteLength))
    const section = this.elf.section('.BTF')
    const present = section !== undefined && section.size > 0
    const bytes = present ? inTypes(() => fixDataSections(section.bytes.slice(), this.elf)) : null
    this.btfBytes = bytes
    this.#btf = bytes === null ? null : inTypes(() => Btf.parse(bytes))
  }

  get hasTypes(): boolean {
    return this.#btf !== null
  }

  /** The types of the object. @throws ObjectError if it has none, naming who needs them */
  types(section: string): Btf {
    if (this.#btf === null) {
      throw new ObjectError(section, 0, 'this needs the types of the object, and it has none: compile with -g')
    }
    return this.#btf
  }

  /** The DATASEC that describes a section. */
  datasec(name: string): TypeOf<'datasec'> | undefined {
    const id = this.#btf?.find(name, 'datasec') ?? 0
    const type = id === 0 ? undefined : this.#btf!.type(id)
    return type?.kind === 'datasec' ? type : undefined
  }

  /** A variable of a DATASEC. @throws ObjectError if it is none */
  variable(section: string, id: number): TypeOf<'var'> {
    const type = this.types(section).type(id)
    if (type.kind !== 'var') throw new ObjectError(section, 0, `type ${id} in it is a ${type.kind}, not a variable`)
    return type
  }
}

/** Errors of the types become errors of the object's section. */
export function inTypes<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof BtfError) throw new ObjectError('.BTF', error.offset, error.message)
    throw error
  }
}

/** Sections of global variables by their names. */
export function dataSectionKind({ name, flags }: ElfSection): 'data' | 'rodata' | 'bss' | undefined {
  const is = (head: string) => name === head || name.startsWith(`${head}.`)
  if ((flags & 4) !== 0) return undefined
  return is('.data') ? 'data' : is('.rodata') ? 'rodata' : is('.bss') ? 'bss' : undefined
}
