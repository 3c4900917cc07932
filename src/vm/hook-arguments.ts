import type { Btf } from '../btf/btf.ts'
import type { AttachTarget } from '../spec/spec.ts'

/** An argument of a hook. */
export interface Parameter { readonly name: string; /** In the kernel's BTF. */ readonly type: number }

/** Where a hook's arguments are in its context: words one after the other, or registers of struct pt_regs. */
export type ArgumentPlaces = 'words' | 'registers'

/** Kinds of hooks whose context is an array of 64-bit words. */
const wordKinds = new Set(['tp_btf', 'raw_tp', 'fentry', 'fexit', 'fmod_ret', 'lsm', 'lsm_cgroup', 'freplace'])
const registerKinds = new Set([
  'kprobe', 'kretprobe', 'kprobe.multi', 'kretprobe.multi', 'kprobe.session', 'uprobe', 'uretprobe', 'uprobe.multi', 'uretprobe.multi', 'usdt',
])

export function argumentPlaces({ kind }: AttachTarget): ArgumentPlaces | null {
  if (wordKinds.has(kind)) return 'words'
  return registerKinds.has(kind) ? 'registers' : null
}

/** Whether the arguments are what a function returns and not what it is given. */
export function isReturn({ kind }: AttachTarget): boolean {
  return kind.startsWith('kretprobe') || kind.startsWith('uretprobe')
}

/** The last word of the context is what the function returned. */
export function hasReturnWord({ kind }: AttachTarget): boolean {
  return kind === 'fexit' || kind === 'fmod_ret'
}

/** The arguments of a hook by the kernel's BTF; null when it does not know them. */
export function parametersOf(btf: Btf, target: AttachTarget): readonly Parameter[] | null {
  const { kind, name } = target
  if (kind === 'tp_btf' || kind === 'raw_tp') {
    // `btf_trace_NAME` points to the prototype, whose first parameter is the kernel's own.
    const typedef = btf.find(`btf_trace_${name}`, 'typedef')
    const pointer = typedef === 0 ? null : btf.type(btf.resolve(typedef))
    return pointer?.kind === 'ptr' ? prototype(btf, pointer.type)?.params.slice(1) ?? null : null
  }
  const lsm = kind === 'lsm' || kind === 'lsm_cgroup'
  const inKernel = lsm || kind === 'fentry' || hasReturnWord(target) || kind === 'kprobe' || kind === 'kretprobe'
  const id = inKernel ? btf.find(lsm ? `bpf_lsm_${name}` : name, 'func') : 0
  const func = id === 0 ? null : btf.type(id)
  const proto = func?.kind === 'func' ? prototype(btf, func.type) : null
  if (proto === null) return null
  const returned = { name: 'return', type: proto.returns }
  if (isReturn(target)) return [returned]
  return hasReturnWord(target) ? [...proto.params, returned] : proto.params
}

function prototype(btf: Btf, id: number) {
  const type = btf.type(btf.resolve(id))
  return type.kind === 'funcProto' ? type : null
}

/** struct pt_regs of x86-64: offsets of the registers of arguments in order, and of the result. */
export const registerContext = { size: 168, arguments: [112, 104, 96, 88, 72, 64], result: 80 } as const
const registerNames = 'r15 r14 r13 r12 bp bx r11 r10 r9 r8 ax cx dx si di orig_ax ip cs flags sp ss'.split(' ')

export function registerName(offset: number): string {
  return `the register ${registerNames[offset >> 3] ?? '?'} of the context`
}
