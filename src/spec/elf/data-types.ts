import { Btf } from '../../btf/btf.ts'
import { SymbolBind, SymbolType, Visibility } from './constants.ts'
import { viewOf, type ElfFile, type ElfSymbol } from './elf-file.ts'
import { ObjectError } from './error.ts'

const VAR_STATIC = 0
/** Sections whose variables lie in the kernel, or in a map that is made for them. */
const EXTERN_SECTIONS = new Set(['.kconfig', '.ksyms'])

/**
 * Completes .BTF in place, and returns it: compilers write DATASECs without their sizes and without the offsets of global
 * variables, because a linker could still move them. Symbols that are hidden become static, which the verifier treats more
 * kindly.
 * @throws ObjectError, BtfError
 */
export function fixDataSections(bytes: Uint8Array, elf: ElfFile): Uint8Array {
  const btf = Btf.parse(bytes)
  const view = viewOf(bytes)
  const symbols = new Map(elf.symbols.filter(isGlobal).map((symbol) => [symbol.name, symbol]))
  for (let id = 1; id < btf.typeCount; id++) {
    const kind = btf.kindOf(id)
    if (kind === 'datasec' && !EXTERN_SECTIONS.has(btf.nameOf(id))) fixSection(id)
    else if (kind === 'func' && isHidden(symbols.get(btf.nameOf(id)))) {
      // The linkage of a function is kept in the count of its parts.
      const at = btf.offsetOf(id) + 4
      if ((view.getUint32(at, true) & 0xffff) === 1) view.setUint32(at, view.getUint32(at, true) & ~0xffff, true)
    }
  }
  return bytes

  function fixSection(id: number): void {
    const type = btf.type(id)
    if (type.kind !== 'datasec') return
    const at = btf.offsetOf(id)
    if (type.size === 0) {
      const section = elf.section(type.name)
      if (section === undefined) throw new ObjectError('.BTF', at, `it describes a section ${type.name} that is not there`)
      view.setUint32(at + 8, section.size, true)
    }
    const entries = type.vars.map((entry) => {
      const variable = btf.type(entry.type)
      if (variable.kind !== 'var') throw new ObjectError('.BTF', at, `${type.name} holds a ${variable.kind}`)
      const symbol = variable.linkage === VAR_STATIC ? undefined : symbols.get(variable.name)
      if (type.size === 0 && variable.linkage !== VAR_STATIC && symbol === undefined) {
        throw new ObjectError('.BTF', at, `the variable '${variable.name}' of ${type.name} has no symbol`)
      }
      if (isHidden(symbol)) view.setUint32(btf.offsetOf(variable.id) + 12, VAR_STATIC, true)
      return type.size === 0 && symbol !== undefined ? { ...entry, offset: symbol.value } : entry
    })
    entries.sort((a, b) => a.offset - b.offset).forEach((entry, index) => {
      [entry.type, entry.offset, entry.size].forEach((word, part) => view.setUint32(at + 12 + index * 12 + part * 4, word, true))
    })
  }
}

function isGlobal({ bind, type }: ElfSymbol): boolean {
  return bind !== SymbolBind.local && (type === SymbolType.object || type === SymbolType.func)
}

function isHidden(symbol: ElfSymbol | undefined): boolean {
  return symbol !== undefined && (symbol.visibility === Visibility.hidden || symbol.visibility === Visibility.internal)
}
