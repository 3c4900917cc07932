import type { AttachTarget } from '../../spec/spec.ts'

/** Hooks that the compiler makes programs for. */
export type CompiledTarget = AttachTarget & { kind: 'tp_btf' | 'raw_tp' | 'tracepoint' }

/** A kernel function with the hook that it attaches to. */
export class ProgramDeclaration {
  readonly attach: CompiledTarget
  readonly fn: (...args: any[]) => unknown

  constructor(attach: CompiledTarget, fn: (...args: any[]) => unknown) {
    this.attach = attach
    this.fn = fn
  }
}

function named(kind: string, name: string): string {
  if (typeof name !== 'string' || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    throw new TypeError(`${kind}: '${String(name)}' is no tracepoint name; give one such as 'sched_switch'`)
  }
  return name
}

/** BPF_TRACE_RAW_TP (5.5): a raw tracepoint whose arguments the kernel types by BTF, so that pointers are loaded directly. */
export function tp_btf<N extends string>(name: N, fn: (...args: TracepointArgumentsOf<N>) => void): ProgramDeclaration {
  return new ProgramDeclaration({ kind: 'tp_btf', name: named('tp_btf', name) }, fn)
}

/** BPF_PROG_TYPE_RAW_TRACEPOINT (4.17): as tp_btf, but kernel memory is read by probe_read_kernel. */
export function raw_tp<N extends string>(name: N, fn: (...args: TracepointArgumentsOf<N>) => void): ProgramDeclaration {
  return new ProgramDeclaration({ kind: 'raw_tp', name: named('raw_tp', name) }, fn)
}

/**
 * BPF_PROG_TYPE_TRACEPOINT (4.7), by 'category/name': its one argument is the record that the tracepoint prints, whose
 * fields are those of its `format` file. The only way to single system calls ('syscalls/sys_enter_openat').
 */
export function tracepoint(hook: string, fn: (record: any) => void): ProgramDeclaration {
  const match = /^([A-Za-z0-9_-]+)[/:]([A-Za-z0-9_]+)$/.exec(String(hook))
  if (match === null) throw new TypeError(`tracepoint: '${String(hook)}' is no category and name; give them such as 'syscalls/sys_enter_openat'`)
  return new ProgramDeclaration({ kind: 'tracepoint', category: match[1]!, name: match[2]! }, fn)
}

/** Filled by the generated vmlinux.d.ts; without it every tracepoint's arguments are untyped. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type
export interface KnownTracepoints {}
export type TracepointArgumentsOf<N extends string> =
  N extends keyof KnownTracepoints ? (KnownTracepoints[N] extends any[] ? KnownTracepoints[N] : any[]) : any[]
