import type { TargetKind } from '../environment.ts'

/**
 * What an argument must be. `literal…`: known before the program runs. `map`: a whole map. `word`: a plain name.
 * `number` takes integers, booleans and aggregates; `address` also pointers, strings and arrays.
 */
export type Parameter = 'any' | 'number' | 'address' | 'string' | 'literalString' | 'literalNumber' | 'map' | 'variable' | 'word' | 'type' | 'value'

export interface FunctionRow {
  least: number
  most: number
  params: readonly Parameter[]
  /** What it gives; 'special' is worked out in calls.ts. */
  returns: 'void' | 'aggregate' | 'special' | 'u64' | 'i64' | 'u32' | 'i32' | 'bool' | 'string'
  probes?: readonly TargetKind[]
  unsafe?: boolean
  /** Its value may be thrown away without a word. */
  discardable?: boolean
}

const row = (least: number, most: number, params: readonly Parameter[], returns: FunctionRow['returns'], more: Partial<FunctionRow> = {}): FunctionRow => ({ least, most, params, returns, ...more })
const many = Number.MAX_SAFE_INTEGER

/** Every function of the language: how many arguments, of what kind, and what comes out. */
export const functions: Readonly<Record<string, FunctionRow>> = {
  // What goes into maps.
  count: row(0, 0, [], 'aggregate'),
  sum: row(1, 1, ['number'], 'aggregate'),
  avg: row(1, 1, ['number'], 'aggregate'),
  min: row(1, 1, ['number'], 'aggregate'),
  max: row(1, 1, ['number'], 'aggregate'),
  stats: row(1, 1, ['number'], 'aggregate'),
  hist: row(1, 2, ['number', 'literalNumber'], 'aggregate'),
  lhist: row(4, 4, ['number', 'literalNumber', 'literalNumber', 'literalNumber'], 'aggregate'),
  tseries: row(3, 4, ['number', 'literalNumber', 'literalNumber', 'literalString'], 'aggregate'),
  // Maps.
  clear: row(1, 1, ['map'], 'void'),
  zero: row(1, 1, ['map'], 'void'),
  print: row(1, 3, ['any', 'literalNumber', 'literalNumber'], 'void'),
  delete: row(1, 2, ['any', 'value'], 'bool', { discardable: true }),
  has_key: row(2, 2, ['map', 'value'], 'bool'),
  find: row(3, 3, ['map', 'value', 'variable'], 'bool'),
  len: row(1, 1, ['any'], 'u64'),
  // Output.
  printf: row(1, many, ['literalString'], 'void'),
  errorf: row(1, many, ['literalString'], 'void'),
  warnf: row(1, many, ['literalString'], 'void'),
  debugf: row(1, many, ['literalString'], 'void'),
  system: row(1, many, ['literalString'], 'void', { unsafe: true }),
  cat: row(1, many, ['literalString'], 'void'),
  exit: row(0, 1, ['number'], 'void'),
  time: row(0, 1, ['literalString'], 'void'),
  join: row(1, 2, ['address', 'literalString'], 'void'),
  strftime: row(2, 2, ['literalString', 'number'], 'special'),
  // Strings and memory.
  str: row(1, 2, ['address', 'number'], 'special'),
  buf: row(1, 2, ['address', 'number'], 'special'),
  strlen: row(1, 1, ['string'], 'u64'),
  strcap: row(1, 1, ['string'], 'u64'),
  strncmp: row(3, 3, ['string', 'string', 'literalNumber'], 'u64'),
  strcontains: row(2, 2, ['string', 'string'], 'bool'),
  strstr: row(2, 2, ['string', 'string'], 'i64'),
  str_concat: row(2, 3, ['string', 'string', 'number'], 'special'),
  memcmp: row(3, 3, ['any', 'any', 'literalNumber'], 'i32'),
  kptr: row(1, 1, ['address'], 'special'),
  uptr: row(1, 1, ['address'], 'special'),
  path: row(1, 2, ['any', 'literalNumber'], 'special', { probes: ['fentry', 'fexit', 'iter', 'rawtracepoint'] }),
  write_user: row(3, 3, ['address', 'any', 'number'], 'i32', { unsafe: true, discardable: true }),
  // Symbols and stacks.
  kstack: row(0, 2, ['any', 'any'], 'special'),
  ustack: row(0, 2, ['any', 'any'], 'special'),
  dw_ustack: row(0, 2, ['any', 'any'], 'special'),
  ksym: row(1, 1, ['number'], 'special'),
  usym: row(1, 1, ['number'], 'special'),
  kaddr: row(1, 1, ['literalString'], 'special'),
  uaddr: row(1, 1, ['literalString'], 'special', { probes: ['uprobe', 'uretprobe', 'usdt'] }),
  percpu_kaddr: row(1, 2, ['literalString', 'number'], 'special'),
  reg: row(
    1, 1, ['literalString'], 'u64', {
      probes: ['kprobe', 'kretprobe', 'uprobe', 'uretprobe', 'usdt', 'profile', 'interval', 'software', 'hardware', 'watchpoint'],
    },
  ),
  // The network.
  ntop: row(1, 2, ['any', 'any'], 'special'),
  pton: row(1, 1, ['literalString'], 'special'),
  macaddr: row(1, 1, ['address'], 'special'),
  bswap: row(1, 1, ['number'], 'special'),
  socket_cookie: row(1, 1, ['any'], 'u64', { probes: ['fentry', 'fexit', 'rawtracepoint', 'kprobe', 'kretprobe'] }),
  skboutput: row(
    4, 4, ['literalString', 'any', 'number', 'number'], 'i64', { probes: ['fentry', 'fexit', 'rawtracepoint', 'kprobe'] },
  ),
  // Processes.
  nsecs: row(0, 1, ['word'], 'u64'),
  pid: row(0, 1, ['word'], 'u32'),
  tid: row(0, 1, ['word'], 'u32'),
  ppid: row(0, 1, ['any'], 'u32'),
  comm: row(0, 1, ['number'], 'special'),
  pcomm: row(0, 1, ['any'], 'special'),
  cgroupid: row(1, 1, ['literalString'], 'u64'),
  cgroup_path: row(1, 2, ['number', 'literalString'], 'special'),
  signal: row(1, 2, ['any', 'word'], 'void', { unsafe: true }),
  signal_thread: row(1, 1, ['any'], 'void', { unsafe: true }),
  override: row(1, 1, ['number'], 'void', { unsafe: true, probes: ['kprobe'] }),
  unwatch: row(1, 1, ['number'], 'void'),
  // Before the program runs.
  getopt: row(1, 3, ['literalString', 'any', 'literalString'], 'special'),
  config: row(0, 0, [], 'special'),
  fail: row(1, many, ['literalString'], 'void'),
  static_assert: row(1, 2, ['any', 'literalString'], 'void'),
  is_scalar: row(1, 1, ['any'], 'special'),
  is_str: row(1, 1, ['any'], 'special'),
  is_ptr: row(1, 1, ['any'], 'special'),
  is_array: row(1, 1, ['any'], 'special'),
  is_integer: row(1, 1, ['any'], 'special'),
  is_unsigned_integer: row(1, 1, ['any'], 'special'),
  is_literal: row(1, 1, ['any'], 'special'),
  is_err: row(1, 1, ['number'], 'bool'),
  container_of: row(3, 3, ['address', 'type', 'any'], 'special'),
  kfunc_exist: row(1, 1, ['literalString'], 'bool'),
  kfunc_allowed: row(1, 1, ['literalString'], 'bool'),
  syscall_name: row(1, 1, ['number'], 'special'),
  strerror: row(1, 1, ['number'], 'special'),
  signal_name: row(1, 1, ['number'], 'special'),
}

export function functionNamed(name: string): FunctionRow | undefined {
  return Object.hasOwn(functions, name) ? functions[name] : undefined
}

/** `__builtin_x` is what the library's own `x` is made of; here they are one. */
export function plainName(name: string): string {
  return name.startsWith('__builtin_') ? name.slice(10) : name
}
