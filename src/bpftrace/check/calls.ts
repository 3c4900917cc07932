import { isTypeNode, type Expression, type Of } from '../syntax/ast.ts'
import { mergeTypes } from '../types/merge.ts'
import {
  asNumber, bool, i32, i64, int, isIntLike, none, pointerTo, typeName, u32, u64, voidType, type AggregateFunction, type Type,
} from '../types/type.ts'
import { builtinNamed, builtinType } from './builtins.ts'
import type { CheckContext } from './context.ts'
import { byteLength, operandType, typeOf, valueType, type Place } from './expressions.ts'
import { checkFormat } from './format.ts'
import { functionNamed, plainName, type FunctionRow, type Parameter } from './functions.ts'
import { mapCall } from './map-calls.ts'
import { parseIpv4, parseIpv6 } from '../output/address.ts'
import { signals } from './targets.ts'
import { question } from './comptime.ts'
import { stackType } from './stack-calls.ts'

const mapCalls = new Set(['clear', 'zero', 'print', 'delete', 'has_key', 'find', 'len'])

export function callType(c: CheckContext, node: Of<'call'>, place: Place): Type {
  const name = plainName(node.name)
  const row = functionNamed(name)
  if (row === undefined) return otherCall(c, node, name)
  if (node.args.length === 0 && row.returns !== 'aggregate' && builtinNamed(name) !== undefined) {
    return builtinType(c, name, builtinNamed(name)!, node)
  }
  if (!checkArity(c, node, row)) {
    for (const arg of node.args) if (!isTypeNode(arg as never)) typeOf(c, arg)
    return row.returns === 'aggregate' ? none : returned(row)
  }
  if (row.unsafe && !c.unsafe) c.error(`${node.name}() is an unsafe function being used in safe mode`, node.span)
  checkProbes(c, node, row)
  if (mapCalls.has(name)) return mapCall(c, node, name)
  node.args.forEach((arg, index) => checkParameter(c, name, arg, row.params[Math.min(index, row.params.length - 1)]!, index, row))
  if (row.returns === 'aggregate') return aggregateType(c, node, name as AggregateFunction, place)
  return row.returns === 'special' ? specialType(c, node, name) : (checkMore(c, node, name), returned(row))
}

function returned(row: FunctionRow): Type {
  switch (row.returns) {
    case 'void': return voidType
    case 'u64': return u64
    case 'i64': return i64
    case 'u32': return u32
    case 'i32': return i32
    case 'bool': return bool
    default: return none
  }
}

function otherCall(c: CheckContext, node: Of<'call'>, name: string): Type {
  const builtin = builtinNamed(name)
  if (builtin !== undefined && node.args.length === 0) return builtinType(c, name, builtin, node)
  const types = node.args.map((arg) => valueType(c, arg))
  const extern = c.externs.get(node.name)
  if (extern === undefined) {
    c.error(`Unknown function: '${node.name}'`, node.span)
    return none
  }
  if (types.length !== extern.params.length) {
    c.error(`Function \`${node.name}\` requires ${extern.params.length} arguments, got only ${types.length}`, node.span)
    return extern.returns
  }
  types.forEach((type, index) => {
    const wanted = extern.params[index]!
    if (type.kind !== 'none' && mergeTypes(wanted, type) === null) c.error(
      `Expected ${typeName(wanted)} for argument ${index + 1}, got ${typeName(type)}`, node.args[index]!.span,
    )
    else if (type.kind === 'int' && wanted.kind === 'int' && type.range === undefined && type.bits > wanted.bits) c.warn(
      `Argument ${index + 1} of ${node.name} is cut to ${typeName(wanted)}`, node.args[index]!.span,
    )
  })
  return extern.returns
}

function checkArity(c: CheckContext, node: Of<'call'>, row: FunctionRow): boolean {
  const found = node.args.length
  if (found >= row.least && found <= row.most) return true
  const plural = (count: number) => (count === 1 ? '' : 's')
  if (row.least === row.most) {
    c.error(
      row.least === 0 ? `${node.name}() requires no arguments (${found} provided)` : `${node.name}() requires ${row.least === 1 ? 'one' : row.least === 2 ? 'two' : row.least} argument${plural(row.least)} (${found} provided)`, node.span,
    )
  } else if (found < row.least) c.error(
    `${node.name}() requires at least ${row.least === 1 ? 'one' : row.least} argument${plural(row.least)} (${found} provided)`, node.span,
  )
  else c.error(
    `${node.name}() takes up to ${row.most === 1 ? 'one' : row.most} argument${plural(row.most)} (${found} provided)`, node.span,
  )
  return false
}

function checkProbes(c: CheckContext, node: Of<'call'>, row: FunctionRow): void {
  if (row.probes === undefined || c.probe === null) return
  const wrong = c.probe.targets.find(({ kind }) => !row.probes!.includes(kind))
  if (wrong !== undefined) c.error(`${node.name} can not be used with "${wrong.kind}" probes`, node.span)
}

function checkParameter(c: CheckContext, name: string, arg: Expression, wanted: Parameter, index: number, row: FunctionRow): void {
  if (wanted === 'type') return
  if (wanted === 'word') {
    if (arg.kind !== 'identifier') c.error(`${name}() expects a name as its argument`, arg.span)
    return
  }
  if ((name === 'kstack' || name === 'ustack' || name === 'dw_ustack') || (name === 'container_of' && index === 2)) return
  if (name === 'ntop' && arg.kind === 'identifier' && /^AF_INET6?$/.test(arg.name)) return
  if (name.startsWith('is_') && name !== 'is_err') {
    if (!isTypeNode(arg as never) && arg.kind !== 'map') typeOf(c, arg)
    return
  }
  if ((name === 'signal' || name === 'signal_thread') && arg.kind === 'identifier') return
  const type = row.most > 100 && index > 0 ? valueType(c, arg) : wanted === 'any' && arg.kind === 'map' ? asNumber(typeOf(c, arg)) : valueType(c, arg)
  if (type.kind === 'void') return c.error(`${name}() cannot take the result of something that has none`, arg.span)
  if (row.most > 100 && index > 0) return
  const ordinal = ['first', 'second', 'third', 'fourth'][index]
  switch (wanted) {
    case 'literalString':
      if (arg.kind !== 'string') {
        c.error(`${name}() expects a string literal as the ${ordinal} argument (${typeName(type)} provided)`, arg.span)
      }
      return
    case 'literalNumber':
      if (arg.kind !== 'integer' && type.kind !== 'none') {
        c.error(`${name}() expects an integer literal as the ${ordinal} argument (${typeName(type)} provided)`, arg.span)
      }
      return
    case 'number':
      if (type.kind !== 'none' && !isIntLike(type) && type.kind !== 'pointer' && !((name === 'ksym' || name === 'usym') && (type.kind === 'ksym' || type.kind === 'usym'))) {
        c.error(`${name}() only supports integer or pointer arguments (${typeName(type)} provided)`, arg.span)
      }
      return
    case 'string':
      if (type.kind !== 'none' && type.kind !== 'string' && !(type.kind === 'array' && type.element.kind === 'int' && type.element.bits === 8)) {
        c.error(`${name}() expects a string argument (${typeName(type)} provided)`, arg.span)
      }
      return
    case 'address':
      if (type.kind !== 'none' && !isIntLike(type) && !['pointer', 'string', 'array', 'buffer'].includes(type.kind)) {
        c.error(`${name}() expects an integer or pointer as the ${ordinal} argument (${typeName(type)} provided)`, arg.span)
      }
  }
}

function aggregateType(c: CheckContext, node: Of<'call'>, fn: AggregateFunction, place: Place): Type {
  if (!place.aggregate) c.error(`${fn}() should be assigned to a map`, node.span)
  const options = node.args.slice(1).map((arg) => (arg.kind === 'integer' ? arg.value : 0n))
  const value = node.args[0]?.type
  const signed = fn !== 'count' && (value?.kind !== 'int' || value.signed)
  const [first] = options
  if (fn === 'hist' && first !== undefined && (first < 0n || first > 5n)) c.error(`hist: bits ${first} must be 0..5`, node.span)
  if (fn === 'lhist') {
    const [least, most, step] = options as [bigint, bigint, bigint]
    if (step <= 0n) c.error(`lhist() step must be >= 1 (${step} provided)`, node.span)
    else if (least > most) c.error(`lhist() min must be less than max (provided min ${least} and max ${most})`, node.span)
    else if ((most - least) / step > 1000n) c.error(
      `lhist() too many buckets, must be <= 1000 (would need ${(most - least) / step})`, node.span,
    )
    else if (most - least < step) c.error(
      `lhist() step is too large for the given range (provided step ${step} for range ${most - least})`, node.span,
    )
  }
  if (fn === 'tseries') checkSeries(c, node, options)
  return {
    kind: 'aggregate', fn, signed, options: fn === 'hist' ? [first ?? 0n] : options, ...(fn === 'tseries' && {
      merge: node.args[3]?.kind === 'string' ? node.args[3].value : 'last',
    }),
  }
}

function checkSeries(c: CheckContext, node: Of<'call'>, [interval, count]: bigint[]): void {
  if (interval! <= 0n) c.error(`tseries() interval_ns must be >= 1 (${interval} provided)`, node.span)
  if (count! <= 0n) c.error(`tseries() num_intervals must be >= 1 (${count} provided)`, node.span)
  if (count! > 1_000_000n) c.error(`tseries() num_intervals must be < 1000000 (${count} provided)`, node.span)
  const agg = node.args[3]
  if (agg?.kind === 'string' && !['avg', 'max', 'min', 'sum'].includes(agg.value)) {
    c.error(
      `tseries() expects one of the following aggregation functions: avg, max, min, sum ("${agg.value}" provided)`, agg.span,
    )
  }
}

/** Rules that the table cannot say. */
function checkMore(c: CheckContext, node: Of<'call'>, name: string): void {
  const [first, second, third] = node.args
  switch (name) {
    case 'printf': case 'errorf': case 'warnf': case 'debugf': case 'system': case 'cat':
      return checkFormat(c, name, first!, node.args.slice(1))
    case 'nsecs':
      if (first?.kind === 'identifier' && !['monotonic', 'boot', 'tai', 'sw_tai'].includes(first.name)) {
        c.error(`Invalid timestamp mode: ${first.name}`, first.span)
      }
      return
    case 'pid': case 'tid':
      if (first?.kind === 'identifier' && !['curr_ns', 'init'].includes(first.name)) {
        c.error(`Invalid PID namespace mode: ${first.name} (expects: curr_ns or init)`, first.span)
      }
      return
    case 'strncmp':
      if (third?.kind === 'integer' && third.value < 0n) c.error(`Builtin strncmp requires a non-negative size`, third.span)
      return
    case 'signal': case 'signal_thread': return checkSignal(c, node, name, first!, second)
    case 'fail': {
      if (!c.reporting) return
      const message = first?.kind === 'string' ? first.value : ''
      return c.error(message, node.span)
    }
    case 'static_assert':
      if ((first?.kind === 'bool' && !first.value) || (first?.kind === 'integer' && first.value === 0n)) {
        c.error(second?.kind === 'string' ? second.value : 'static assertion failed', node.span)
      }
      return
    case 'socket_cookie': return checkSocket(c, first!)
    case 'join': {
      const type = first!.type
      if (type !== undefined && type.kind !== 'none' && !isIntLike(type) && type.kind !== 'pointer' && type.kind !== 'array') {
        c.error(`join() only supports int or pointer arguments (${typeName(type)} provided)`, first!.span)
      }
      return
    }
    case 'strcontains': case 'strstr': case 'strlen': return
  }
}

function checkSignal(c: CheckContext, _node: Of<'call'>, name: string, first: Expression, second: Expression | undefined): void {
  if (first.kind === 'string') {
    const known = signals[first.value] ?? signals[`SIG${first.value}`]
    if (known === undefined) c.error(`${first.value} is not a valid signal`, first.span)
  } else if (first.kind === 'integer' && (first.value < 1n || first.value > 64n)) c.error(
    `${first.value} is not a valid signal, allowed range: [1,64]`, first.span,
  )
  else if (first.kind === 'identifier') c.error(`${name}() only supports string literal or integer arguments`, first.span)
  if (second?.kind === 'identifier' && !['current_pid', 'current_tid'].includes(second.name)) {
    c.error(`Invalid signal target: ${second.name}`, second.span)
  }
}

function checkSocket(c: CheckContext, arg: Expression): void {
  const type = arg.type ?? none
  if (type.kind === 'none') return
  const name = type.kind === 'pointer' && type.to.kind === 'struct' ? type.to.definition.name : null
  if (name === null || !/^(sock|tcp_sock|udp_sock|inet_sock|unix_sock|sk_buff|sock_common)$/.test(name)) {
    c.error(`socket_cookie() only supports 'struct sock *' as the argument (${typeName(type)} provided)`, arg.span)
  }
}

function specialType(c: CheckContext, node: Of<'call'>, name: string): Type {
  const [first, second, third] = node.args
  const maxLength = Number(c.config.max_strlen)
  switch (name) {
    case 'strftime': {
      const base = second?.kind === 'call' && plainName(second.name) === 'nsecs' && second.args[0]?.kind === 'identifier' ? second.args[0].name : 'boot'
      if (base === 'monotonic') c.error('strftime() can not take a monotonic timestamp', second!.span)
      return {
        kind: 'timestamp', base: base === 'tai' || base === 'sw_tai' ? 'tai' : 'boot', format: first!.kind === 'string' ? first!.value : '',
      }
    }
    case 'str': {
      const type = first!.type ?? none
      if (type.kind === 'array' && !(type.element.kind === 'int' && type.element.bits === 8)) {
        c.error(`str() expects an integer or a pointer type as first argument (${typeName(type)} provided)`, first!.span)
      }
      // The default leaves room for the NUL; a length given counts it.
      if (second?.kind === 'integer') {
        if (second.value < 0n) c.error(`str cannot use negative length (${second.value})`, second.span)
        return { kind: 'string', size: second.value === 0n || second.value > maxLength ? maxLength + 1 : Number(second.value) }
      }
      return { kind: 'string', size: maxLength + 1 }
    }
    case 'buf': return bufferType(c, node)
    case 'str_concat': return { kind: 'string', size: maxLength }
    case 'kptr': case 'uptr': {
      const type = first!.type ?? none
      const space = name === 'kptr' ? 'kernel' : 'user'
      return type.kind === 'pointer' ? pointerTo(type.to, space) : type.kind === 'none' ? none : u64
    }
    case 'path': return pathType(c, node)
    case 'kstack': case 'ustack': case 'dw_ustack': return stackType(c, node, name)
    case 'ksym': return { kind: 'ksym' }
    case 'usym': return { kind: 'usym' }
    case 'kaddr': return u64
    case 'uaddr': {
      const target = c.probe?.targets[0]
      const symbol = first!.kind === 'string' && target !== undefined && 'path' in target ? c.environment.userSymbol(target.path, first!.value) : undefined
      if (symbol === undefined && c.probe !== null && target !== undefined && 'path' in target) {
        c.error(`Failed to compute address of symbol ${first!.kind === 'string' ? first!.value : ''}`, node.span)
      }
      const size = symbol?.size ?? 8
      return pointerTo(int([1, 2, 4].includes(size) ? size * 8 : 64, false), 'user')
    }
    case 'percpu_kaddr':
      if (first!.kind === 'string' && c.reporting && !c.environment.perCpuSymbol(first.value)) {
        c.error(`Could not resolve variable "${first.value}" from BTF`, first.span)
      }
      return u64
    case 'ntop': return ntopType(c, node)
    case 'pton': return ptonType(c, first!)
    case 'macaddr': {
      const type = first!.type ?? none
      if ((type.kind === 'string' && type.size !== 6) || (type.kind === 'array' && type.length !== 6)) {
        c.error(`macaddr() argument must be 6 bytes in size`, first!.span)
      }
      return { kind: 'mac' }
    }
    case 'bswap': {
      const type = first!.type ?? none
      return type.kind === 'int' && type.range === undefined ? int(type.bits, false) : u64
    }
    case 'comm': case 'pcomm': return { kind: 'string', size: 16 }
    case 'cgroup_path': return { kind: 'cgroupPath' }
    case 'getopt': return getoptType(c, node)
    case 'config': return configType(c)
    case 'container_of': {
      const of = (second as { kind: string }).kind === 'typeof' ? operandType(c, (second as Of<'typeof'>).operand) : none
      const from = first!.type ?? none
      if (of.kind === 'struct' && third?.kind === 'identifier' && of.definition.field(third.name) === undefined) {
        c.error(`struct ${of.definition.name} does not contain a field named '${third.name}'`, third.span)
      }
      return pointerTo(of, from.kind === 'pointer' ? from.space : 'unknown')
    }
    case 'syscall_name': case 'strerror': case 'signal_name': return { kind: 'string', size: 64 }
    default:
      question(c, name, first!)
      return bool
  }
}

function bufferType(c: CheckContext, node: Of<'call'>): Type {
  const [first, second] = node.args
  const type = first!.type ?? none
  const most = Number(c.config.max_strlen)
  if (second === undefined) {
    if (type.kind === 'array' && type.element.kind === 'int') {
      return { kind: 'buffer', size: Math.min(most, type.length * type.element.bits / 8) }
    }
    if (type.kind === 'string' && !type.literal) return { kind: 'buffer', size: Math.min(most, type.size) }
    if (type.kind !== 'none') c.error('buf() expects a length argument for non-array type ' + typeName(type), node.span)
    return { kind: 'buffer', size: most }
  }
  if (second.kind === 'integer') {
    if (second.value < 0n) c.error(`buf cannot use negative length (${second.value})`, second.span)
    return { kind: 'buffer', size: Math.min(most, Math.max(0, Number(second.value))) }
  }
  return { kind: 'buffer', size: most }
}

function pathType(c: CheckContext, node: Of<'call'>): Type {
  const [first, second] = node.args
  const type = first!.type ?? none
  const target = type.kind === 'pointer' ? type.to : type
  if (type.kind !== 'none' && target.kind !== 'struct') {
    c.error(`path() only supports struct path or pointer to it as argument (${typeName(type)} provided)`, first!.span)
  }
  if (second?.kind === 'integer' && second.value <= 0n) {
    c.error(`path: invalid size value, need non-negative literal`, second.span)
  }
  return { kind: 'string', size: second?.kind === 'integer' ? Math.min(Number(second.value), 4096) : Number(c.config.max_strlen) }
}

function ntopType(c: CheckContext, node: Of<'call'>): Type {
  const arg = node.args.at(-1)!
  if (node.args.length === 2) {
    const family = node.args[0]!
    const type = family.type
    if (family.kind !== 'identifier' && type !== undefined && type.kind !== 'none' && !isIntLike(type)) {
      c.error(`ntop() expects an integer as its first argument (${typeName(type)} provided)`, family.span)
    }
  }
  const type = arg.type ?? none
  const fits = type.kind === 'none' || isIntLike(type) || type.kind === 'inet' || type.kind === 'pointer'
    || (type.kind === 'array' && (type.length === 4 || type.length === 16)) || (type.kind === 'string' && !type.literal && (type.size === 4 || type.size === 16))
  if (!fits) c.error(`ntop() expects an integer or array argument, got ${typeName(type)}`, arg.span)
  return { kind: 'inet' }
}

function ptonType(c: CheckContext, arg: Expression): Type {
  const text = arg.kind === 'string' ? arg.value : ''
  const bytes = text.includes(':') ? parseIpv6(text) : parseIpv4(text)
  if (bytes === null) c.error(`pton() expects a string argument of an IPv4 or IPv6 address, got ${text}`, arg.span)
  return { kind: 'array', element: int(8, false), length: bytes?.length ?? 4 }
}

function getoptType(c: CheckContext, node: Of<'call'>): Type {
  const [name, fallback, description] = node.args as [Expression, Expression | undefined, Expression | undefined]
  if (name.kind !== 'string') return none
  let value: bigint | string | boolean = false
  if (fallback !== undefined) {
    if (fallback.kind === 'integer' || fallback.kind === 'string' || fallback.kind === 'bool') value = fallback.value
    else c.error('Second argument to getopt must be a string literal, integer literal, or a boolean literal.', fallback.span)
  }
  const known = c.named.get(name.value)
  if (known !== undefined && typeof known.fallback !== typeof value) {
    c.error(
      `Command line option '${name.value}' needs to have the same default value in all places it is used. Previous default value: ${String(known.fallback)}`, node.span,
    )
  } else if (known === undefined) {
    c.named.set(
      name.value, {
        name: name.value, fallback: value, description: description?.kind === 'string' ? description.value : null, span: node.span,
      },
    )
  }
  const given = c.namedValues.get(name.value)
  if (typeof value === 'boolean') return bool
  if (typeof value === 'string') return { kind: 'string', size: byteLength(typeof given === 'string' ? given : value) + 1 }
  return i64
}

function configType(c: CheckContext): Type {
  return { kind: 'record', fields: Object.entries(c.config).map(([name, value]) => ({
    name, type: typeof value === 'bigint' ? u64 : typeof value === 'boolean' ? bool : {
      kind: 'string', size: byteLength(String(value)) + 1,
    } as Type,
  })) }
}
