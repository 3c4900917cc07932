import type { TargetKind } from '../environment.ts'
import type { Expression } from '../syntax/ast.ts'
import { bool, i64, int, pointerTo, u32, u64, voidType, type Type } from '../types/type.ts'
import type { CheckContext } from './context.ts'

/** A name that is a value: its type, and in which probes it exists. */
export interface Builtin {
  type: (c: CheckContext, node: Expression) => Type
  probes?: readonly TargetKind[]
  /** Needs the probe's context, which is not there inside loops over maps and ranges. */
  context?: boolean
}

const functionProbes: readonly TargetKind[] = ['kprobe', 'kretprobe', 'fentry', 'fexit', 'uprobe', 'uretprobe']
const plain = (type: Type): Builtin => ({ type: () => type })

export const builtins: Readonly<Record<string, Builtin>> = {
  pid: plain(u32), tid: plain(u32), uid: plain(u32), gid: plain(u32), cpu: plain(u32), ncpus: plain(u64), numaid: plain(u32), rand: plain(u32),
  nsecs: plain(u64), elapsed: plain(u64), jiffies: plain(u64), cgroup: plain(u64), cpid: plain(u32), has_cpid: plain(bool), usermode: plain(int(8, false)),
  comm: plain({ kind: 'string', size: 16 }), pcomm: plain({ kind: 'string', size: 16 }), leader_comm: plain({ kind: 'string', size: 16 }),
  ppid: plain(u32), leader_tid: plain(u32), username: plain({ kind: 'username' }),
  curtask: { type: (c) => {
    const definition = c.store.struct('task_struct')
    return definition === undefined ? u64 : pointerTo({ kind: 'struct', definition }, 'kernel')
  } },
  kstack: { type: (c) => ({ kind: 'stack', user: false, mode: c.config.stack_mode, limit: 127 }) },
  ustack: { type: (c) => ({ kind: 'stack', user: true, mode: c.config.stack_mode, limit: 127 }) },
  dw_ustack: { type: (c, node) => {
    const gate = c.config.unstable_dw_ustack
    if (gate === 'error') {
      c.error(
        "dw_ustack feature is not enabled by default. To enable this unstable feature, set the config flag to enable. unstable_dw_ustack=enable", node.span,
      )
    }
    return { kind: 'stack', user: true, mode: c.config.stack_mode, limit: 127 }
  } },
  ctx: { type: contextType, context: true },
  args: { type: argsType, probes: ['tracepoint', 'rawtracepoint', 'fentry', 'fexit', 'uprobe', 'uretprobe'], context: true },
  retval: { type: retvalType, probes: ['kretprobe', 'uretprobe', 'fexit'], context: true },
  func: { type: funcType, probes: functionProbes, context: true },
  probe: {
    type: (c) => ({ kind: 'string', size: Math.max(1, ...(c.probe?.targets ?? []).map(({ display }) => display.length + 1)) }),
  },
  probetype: plain({ kind: 'string', size: 16 }),
  ...Object.fromEntries(Array.from({ length: 256 }, (_, index) => [`arg${index}`, {
    type: () => u64, probes: ['kprobe', 'uprobe', 'usdt', 'rawtracepoint'] satisfies TargetKind[], context: true,
  }])),
}

export function builtinNamed(name: string): Builtin | undefined {
  return Object.hasOwn(builtins, name) ? builtins[name] : undefined
}

/** Checks that the builtin exists here, and gives its type. */
export function builtinType(c: CheckContext, name: string, builtin: Builtin, node: Expression): Type {
  const targets = c.probe?.targets ?? []
  if (builtin.probes !== undefined) {
    const wrong = c.probe === null ? null : targets.find(({ kind }) => !builtin.probes!.includes(kind))
    if (wrong !== null && wrong !== undefined) {
      c.error(`The ${name} builtin can not be used with '${wrong.kind}' probes`, node.span)
      return u64
    }
  }
  if (builtin.context && c.callbacks > 0) {
    c.error(`'${name}' builtin is not allowed in a for-loop`, node.span, 'assign it to a variable before the loop')
  }
  return builtin.type(c, node)
}

function contextType(c: CheckContext): Type {
  const [target] = c.probe?.targets ?? []
  if (target?.kind === 'iter') {
    const definition = c.store.struct(`bpf_iter__${target.name}`)
    if (definition !== undefined) return pointerTo({ kind: 'struct', definition }, 'context')
  }
  return pointerTo(voidType, 'context')
}

function argsType(c: CheckContext, node: Expression): Type {
  const definition = c.probe?.args ?? null
  if (definition === null) {
    if (c.probe !== null && c.probe.targets.length > 0) {
      c.error(`Cannot read function parameters: no type information for ${c.probe.targets[0]!.display}`, node.span)
    }
    return { kind: 'none' }
  }
  return { kind: 'struct', definition }
}

function retvalType(c: CheckContext): Type {
  const [target] = c.probe?.targets ?? []
  if (target?.kind !== 'fexit') return u64
  const field = c.probe!.args?.field('$retval')
  return field?.type ?? i64
}

function funcType(c: CheckContext): Type {
  const [target] = c.probe?.targets ?? []
  if ((target?.kind === 'uprobe' || target?.kind === 'uretprobe') && target.name !== '') {
    return { kind: 'string', size: target.name.length + 1 }
  }
  if (target?.kind === 'uprobe' || target?.kind === 'uretprobe') return { kind: 'usym' }
  return { kind: 'ksym' }
}
