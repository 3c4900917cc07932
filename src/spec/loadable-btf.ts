import { BtfBuilder } from '../btf/builder.ts'
import { Btf } from '../btf/btf.ts'
import type { Spec } from './spec.ts'

const VAR_GLOBAL = 1
const FUNC_GLOBAL = 1

/**
 * The Spec's types as a kernel takes them (BPF_BTF_LOAD). Kernels refuse what is extern: variables of `.kconfig` become those of
 * the map, variables of `.ksyms` become integers, functions of `.ksyms` global ones. Ids and string offsets stay as they are.
 * @throws BtfError when the types are malformed
 */
export function loadableBtf(spec: Spec): Uint8Array | null {
  if (spec.btf === null) return null
  const btf = Btf.parse(spec.btf)
  const kconfig = btf.find('.kconfig', 'datasec')
  const ksyms = btf.find('.ksyms', 'datasec')
  if (kconfig === 0 && ksyms === 0) return spec.btf
  const builder = BtfBuilder.from(spec.btf)
  if (kconfig !== 0) placeKconfig(spec, btf, builder, kconfig)
  if (ksyms !== 0) placeKsyms(btf, builder, ksyms)
  return builder.build()
}

function placeKconfig(spec: Spec, btf: Btf, builder: BtfBuilder, id: number): void {
  const section = btf.type(id)
  if (section.kind !== 'datasec') return
  const places = new Map((spec.externs ?? []).map((extern) => [extern.name, extern.kind === 'kconfig' ? extern.offset : 0]))
  const vars = section.vars.map(({ type, size }) => ({ type, size, offset: places.get(btf.nameOf(type)) ?? 0 }))
  for (const { type } of vars) setVariable(btf, builder, type)
  vars.sort((a, b) => a.offset - b.offset)
  builder.setDatasec(id, vars.reduce((end, { offset, size }) => Math.max(end, offset + size), 0), vars)
}

/** The section only has to be well-formed: nobody reads its layout. */
function placeKsyms(btf: Btf, builder: BtfBuilder, id: number): void {
  const section = btf.type(id)
  if (section.kind !== 'datasec') return
  const int = builder.int('int', 4, { signed: true })
  let stand: number | undefined
  const vars = section.vars.map(({ type }, index) => {
    const place = { offset: index * 4, size: 4 }
    const variable = btf.type(type)
    if (variable.kind !== 'func') {
      setVariable(btf, builder, type, int)
      return { type, ...place }
    }
    builder.setLinkage(type, FUNC_GLOBAL)
    // A DATASEC holds variables only, and the kernel wants parameters of global functions to have names.
    nameParameters(btf, builder, variable.type)
    stand ??= builder.var('dummy_ksym', int, VAR_GLOBAL)
    return { type: stand, ...place }
  })
  builder.setDatasec(id, vars.length * 4, vars)
}

function setVariable(btf: Btf, builder: BtfBuilder, id: number, type?: number): void {
  const variable = btf.type(id)
  if (variable.kind === 'var') builder.setVar(id, type ?? variable.type, VAR_GLOBAL)
}

function nameParameters(btf: Btf, builder: BtfBuilder, id: number): void {
  const proto = btf.type(id)
  if (proto.kind !== 'funcProto') return
  const nameOf = (name: string, type: number, index: number) => (name === '' && type !== 0 ? `arg${index}` : name)
  builder.setParams(id, proto.params.map(({ name, type }, index) => ({ name: nameOf(name, type, index), type })))
}
