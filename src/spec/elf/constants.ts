/** Numbers of the ELF format (elf.h) that BPF objects use. */

export const ELF_HEADER_BYTES = 64
export const SECTION_HEADER_BYTES = 64
export const SYMBOL_BYTES = 24
export const REL_BYTES = 16
export const EM_BPF = 247
export const ET_REL = 1

export const SectionType = { null: 0, progbits: 1, symtab: 2, strtab: 3, rela: 4, nobits: 8, rel: 9 } as const
export const SectionFlag = { write: 1, alloc: 2, exec: 4 } as const
/** Section numbers from here on are no sections (absolute, common …). */
export const SHN_LORESERVE = 0xff00
export const SHN_XINDEX = 0xffff

export const SymbolBind = { local: 0, global: 1, weak: 2 } as const
export const SymbolType = { none: 0, object: 1, func: 2, section: 3, file: 4 } as const
export const Visibility = { default: 0, internal: 1, hidden: 2 } as const

/** R_BPF_*: address in an lddw, pointer in data, distance in a call. */
export const RelocationType = { address: 1, pointer: 2, call: 10 } as const
