import type { Btf } from '../../btf/btf.ts'
import type { ExternSpec, KconfigExtern, KsymExtern } from '../spec.ts'
import { SymbolBind, SYMBOL_BYTES, SymbolType } from './constants.ts'
import type { ElfSymbol } from './elf-file.ts'
import { ObjectError } from './error.ts'
import type { ObjectFile } from './object.ts'

const VAR_EXTERN = 2

/** What the object takes from the kernel: undefined symbols, each described in `.kconfig` or `.ksyms`. @throws ObjectError */
export function readExterns(object: ObjectFile): Map<string, ExternSpec> {
  const symbols = object.elf.symbols.filter(isExtern)
  const externs = new Map<string, ExternSpec>()
  if (symbols.length === 0) return externs
  const btf = object.types('.symtab')
  const described = new Map(['.kconfig', '.ksyms'].flatMap((section) =>
    (object.datasec(section)?.vars ?? []).map(({ type }) => [btf.nameOf(type), { section, id: type }] as const)))
  const kconfig: (KconfigExtern & { align: number })[] = []
  for (const symbol of symbols) {
    const found = described.get(symbol.name)
    if (found === undefined) {
      const problem = `'${symbol.name}' is defined nowhere: declare it __ksym or __kconfig, or link what defines it`
      throw new ObjectError('.symtab', symbol.index * SYMBOL_BYTES, problem)
    }
    const weak = symbol.bind === SymbolBind.weak
    if (found.section === '.ksyms') externs.set(symbol.name, ksym(btf, symbol.name, weak, found.id))
    else kconfig.push(configValue(btf, symbol.name, weak, found.id))
  }
  for (const extern of placed(kconfig)) externs.set(extern.name, extern)
  return externs
}

function isExtern({ section, bind, type, name }: ElfSymbol): boolean {
  return section === 0 && bind !== SymbolBind.local && type === SymbolType.none && name !== ''
}

function ksym(btf: Btf, name: string, weak: boolean, id: number): KsymExtern {
  const type = btf.type(id)
  if (type.kind === 'func') return { kind: 'ksym', name, weak, function: true, type: id }
  if (type.kind !== 'var' || type.linkage !== VAR_EXTERN) throw new ObjectError('.ksyms', 0, `'${name}' is no extern`)
  return { kind: 'ksym', name, weak, function: false, type: btf.resolve(type.type) }
}

function configValue(btf: Btf, name: string, weak: boolean, id: number): KconfigExtern & { align: number } {
  const fail = (problem: string): never => { throw new ObjectError('.kconfig', 0, `'${name}' ${problem}`) }
  const variable = btf.type(id)
  if (variable.kind !== 'var' || variable.linkage !== VAR_EXTERN) return fail('is no extern variable')
  const type = btf.type(btf.resolve(variable.type))
  const size = btf.sizeOf(variable.type)
  const base = { kind: 'kconfig', name, weak, type: variable.type, signed: false, offset: 0, size } as const
  switch (type.kind) {
    case 'int':
      if (type.bool) return type.size === 1 ? { ...base, value: 'bool', align: 1 } : fail('is a bool of more than a byte')
      if (![1, 2, 4, 8].includes(type.size)) return fail(`is an integer of ${type.size} bytes`)
      return { ...base, value: type.size === 1 ? 'char' : 'int', signed: type.signed, align: type.size }
    case 'enum': case 'enum64':
      if (type.size !== 4 || type.name !== 'libbpf_tristate') return fail('is an enum other than libbpf_tristate')
      return { ...base, value: 'tristate', align: 4 }
    case 'array': {
      const element = btf.type(btf.resolve(type.element))
      if (type.length === 0 || element.kind !== 'int' || element.size !== 1 || element.bool) {
        return fail('is an array of something else than char')
      }
      return { ...base, value: 'chars', align: 1 }
    }
    default: return fail(`is a ${type.kind}: use bool, an integer, enum libbpf_tristate or an array of char`)
  }
}

/** Offsets in the map: by falling alignment, then rising size, then name, as libbpf places them. */
function placed(externs: (KconfigExtern & { align: number })[]): KconfigExtern[] {
  const order = externs.sort((a, b) => b.align - a.align || a.size - b.size || (a.name < b.name ? -1 : 1))
  let end = 0
  return order.map(({ align, ...extern }) => {
    const offset = Math.ceil(end / align) * align
    end = offset + extern.size
    return { ...extern, offset }
  })
}
