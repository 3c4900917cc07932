import type { Btf } from './btf.ts'

/** The arguments of a tracepoint typed by BTF: `btf_trace_NAME` points to the prototype, whose first parameter is the kernel's own. Null if there is none. */
export function tracepointParameters(btf: Btf, name: string): readonly { name: string; type: number }[] | null {
  const typedef = btf.find(`btf_trace_${name}`, 'typedef')
  const pointer = typedef === 0 ? null : btf.type(btf.resolve(typedef))
  const proto = pointer?.kind === 'ptr' ? btf.type(btf.resolve(pointer.type)) : null
  return proto?.kind === 'funcProto' ? proto.params.slice(1) : null
}
