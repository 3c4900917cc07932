import type { Diagnostics } from '../diagnostic.ts'
import type { Span } from '../source.ts'
import type { Program } from '../syntax/ast.ts'
import type { StackMode } from '../types/type.ts'

export type Gate = 'error' | 'warn' | 'enable'

/** The configuration of a program: its config block, with the environment above it. */
export interface Config {
  cache_user_symbols: 'PER_PROGRAM' | 'PER_PID' | 'NONE'
  cpp_demangle: boolean
  lazy_symbolication: boolean
  license: string
  log_size: bigint
  max_bpf_progs: bigint
  max_cat_bytes: bigint
  max_map_keys: bigint
  max_probes: bigint
  max_strlen: bigint
  missing_probes: 'error' | 'warn' | 'ignore'
  on_stack_limit: bigint
  perf_rb_pages: bigint
  print_maps_on_exit: boolean
  show_debug_info: boolean
  stack_mode: StackMode
  str_trunc_trailer: string
  use_blazesym: boolean
  unstable_tseries: Gate
  unstable_dw_ustack: Gate
  unstable_typeinfo: Gate
  unstable_import_statement: Gate
  unstable_import: Gate
  unstable_macro: Gate
  unstable_map_decl: Gate
  unstable_addr: Gate
}
export type ConfigKey = keyof Config

export const defaultConfig: Config = {
  cache_user_symbols: 'PER_PID', cpp_demangle: true, lazy_symbolication: true, license: 'GPL', log_size: 1_000_000n, max_bpf_progs: 1024n,
  max_cat_bytes: 10_240n, max_map_keys: 4096n, max_probes: 1024n, max_strlen: 1024n, missing_probes: 'error', on_stack_limit: 32n, perf_rb_pages: 0n,
  print_maps_on_exit: true, show_debug_info: true, stack_mode: 'bpftrace', str_trunc_trailer: '..', use_blazesym: true,
  unstable_tseries: 'warn', unstable_dw_ustack: 'warn', unstable_typeinfo: 'error', unstable_import_statement: 'error',
  unstable_import: 'enable', unstable_macro: 'enable', unstable_map_decl: 'enable', unstable_addr: 'enable',
}

export const licenses = ['Dual MIT/GPL', 'Dual BSD/GPL', 'Dual MPL/GPL', 'GPL and additional rights', 'GPL v2', 'GPL']
const words: Partial<Record<ConfigKey, readonly string[]>> = {
  cache_user_symbols: [
    'PER_PROGRAM', 'PER_PID', 'NONE', '0', '1',
  ], license: licenses, missing_probes: ['error', 'warn', 'ignore'],
  stack_mode: ['bpftrace', 'perf', 'raw', 'build_id'],
}
const gates = ['error', 'warn', 'enable']
/** Options of older versions that no longer do anything. */
const gone = new Set(['symbol_source', 'max_type_res_iterations', 'probe_inline', 'ast_max_nodes', 'max_ast_nodes'])

/** One setting from text or a literal; gives what is wrong with it, or null. */
export function setConfig(config: Config, name: string, value: bigint | string | boolean): string | null {
  const key = name.toLowerCase().replace(/^bpftrace_/, '') as ConfigKey
  if (!(key in defaultConfig)) return gone.has(key) ? null : `${name}: not a known configuration option`
  const table = config as unknown as Record<string, unknown>
  const kind = typeof defaultConfig[key]
  if (kind === 'bigint') {
    const number = typeof value === 'bigint' ? value : typeof value === 'string' && /^\d+$/.test(value) ? BigInt(value) : null
    if (number === null) return `Invalid type for ${key}. Type should be int.`
    table[key] = number
    return null
  }
  if (kind === 'boolean') {
    const bool = value === true || value === 1n || value === '1' || value === 'true' ? true : value === false || value === 0n || value === '0' || value === 'false' ? false : null
    if (bool === null) return `Invalid value for ${key}: expects 0, 1, true or false`
    table[key] = bool
    return null
  }
  const text = String(value)
  const allowed = key.startsWith('unstable_') ? gates : words[key]
  if (allowed !== undefined && !allowed.includes(text)) {
    return `Invalid value for ${key}. Found: ${text}. Valid values: ${allowed.join(', ')}.`
  }
  table[key] = key === 'cache_user_symbols' && text === '1' ? 'PER_PROGRAM' : key === 'cache_user_symbols' && text === '0' ? 'NONE' : text
  return null
}

/** The config block, then the environment's `BPFTRACE_…`, which wins. */
export function readConfig(program: Program, environment: Readonly<Record<string, string | undefined>>, diagnostics: Diagnostics, base: Partial<Config> = {}): Config {
  const config = { ...defaultConfig, ...base }
  const report = (problem: string | null, span: Span) => { if (problem !== null) diagnostics.error(problem, span) }
  for (const entry of program.config?.entries ?? []) report(setConfig(config, entry.key, entry.value), entry.span)
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith('BPFTRACE_') || value === undefined) continue
    if (name.slice(9).toLowerCase() in defaultConfig) report(setConfig(config, name, value), { start: 0, end: 1 })
  }
  return config
}
