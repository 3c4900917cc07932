import type { Btf } from '../btf/btf.ts'
import type { AttachPoint } from './syntax/ast.ts'

/** A field of a tracepoint's record as tracefs describes it. */
export interface TracepointField { type: string; name: string; offset: number; size: number; signed: boolean }

/** What there is to attach to, for wildcards and for messages about what is missing. */
export interface Hooks {
  /** Tracepoints `category:name` that match both patterns. */
  tracepoints(category: string, name: string): string[]
  /** Functions of the kernel, `module:function`; null where the kernel does not tell which can be traced. */
  functions(module: string, name: string): string[] | null
  /** Raw tracepoints by name. */
  rawTracepoints(name: string): string[]
  /** Files that a path pattern or a name to look for in PATH and libraries means. */
  files(pattern: string): string[]
  /** Functions of a file that match; null if the file cannot be read. */
  symbols(path: string, name: string, demangled: boolean): { name: string; address: number; size: number }[] | null
  /** USDT probes of a file. */
  usdt(path: string, provider: string, name: string): { provider: string; name: string; /** Where the arguments are, in the notes' own words. */ arguments: string }[]
  iterators(): string[]
  hasModule(name: string): boolean
}

/** What the front end asks about the machine. Nothing here is looked up by the front end itself. */
export interface Environment {
  btf: Btf | null
  hooks: Hooks
  tracepointFields(category: string, name: string): TracepointField[] | undefined
  /** Arguments by debug information of a user function; undefined without it. */
  userArguments?(path: string, name: string): { name: string; type: string }[] | undefined
  /** A symbol of a file, a function or a variable. */
  userSymbol(path: string, name: string): { address: number; size: number; relocatable: boolean } | undefined
  kernelSymbol(name: string): bigint | undefined
  perCpuSymbol(name: string): boolean
  cgroupId(path: string): bigint | undefined
  /** Processors, for messages and iterations. */
  cpus: number
}

/** An attach point resolved to one thing that exists (or is believed to). `display` is what `probe` says. */
export type Target = { display: string; point: AttachPoint } & (
  | { kind: 'begin' | 'end' }
  | { kind: 'self'; signal: string }
  | { kind: 'test' | 'bench'; name: string }
  | { kind: 'interval' | 'profile'; /** Either nanoseconds or a frequency. */ periodNs: bigint | null; hz: bigint | null }
  | { kind: 'software' | 'hardware'; event: string; count: bigint | null }
  | { kind: 'tracepoint'; category: string; name: string }
  | { kind: 'rawtracepoint'; name: string }
  | { kind: 'kprobe' | 'kretprobe'; module: string; name: string; offset: number; address: bigint | null }
  | { kind: 'fentry' | 'fexit'; module: string; name: string; bpf: string | null }
  | { kind: 'uprobe' | 'uretprobe'; path: string; name: string; offset: number; address: bigint | null }
  | { kind: 'usdt'; path: string; provider: string; name: string; arguments: string }
  | { kind: 'watchpoint'; address: bigint; length: number; mode: string }
  | { kind: 'iter'; name: string; pin: string | null }
)
export type TargetKind = Target['kind']

/** Nothing to attach to: for tests and for checking without a machine. */
export const noHooks: Hooks = {
  tracepoints: () => [], functions: () => null, rawTracepoints: () => [], files: (pattern) => [pattern], symbols: () => null,
  usdt: () => [], iterators: () => [], hasModule: () => false,
}
