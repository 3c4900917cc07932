import type { Value } from '../../compiler/ir/ir.ts'
import { expansions } from '../diagnostic.ts'
import { plainName } from '../check/functions.ts'
import { question } from '../check/comptime.ts'
import { signals } from '../check/targets.ts'
import type { CheckContext } from '../check/context.ts'
import type { Expression, Of } from '../syntax/ast.ts'
import { asNumber, bool, i64, layOut, sizeOf, u64, type Type } from '../types/type.ts'
import { builtin, comm, processId, registerValue } from './builtin.ts'
import { constant } from './constants.ts'
import type { Field } from './events.ts'
import { defaultSpace, expression, number, register } from './expression.ts'
import { lookup, keyPlace, useMap, address, whenFound } from './map-access.ts'
import { storeAs, storeText, toMemory, toRegister, zero, copy } from './memory.ts'
import { networkCall } from './network.ts'
import type { Operand } from './operand.ts'
import { isScalar, type ProgramWriter } from './program-writer.ts'
import { record } from './record.ts'
import { registers } from './registers.ts'
import { stack } from './stacks.ts'
import { compareStrings, concatenate, inScratch, length, search, stringType } from './strings.ts'
import { storeVariable } from './expression.ts'
import { tableText } from './tables.ts'
import { word } from './writer.ts'

const nothing: Operand = { kind: 'void' }

/** A call of a function of the language. */
export function call(p: ProgramWriter, node: Of<'call'>): Operand {
  const name = plainName(node.name)
  const { f } = p
  const [first, second, third] = node.args as [Expression, Expression, Expression]
  const type = node.type ?? u64
  switch (name) {
    case 'printf': case 'errorf': case 'warnf': case 'system': case 'cat': return formatted(p, node, name)
    case 'print': return print(p, node)
    case 'clear': case 'zero': {
      const map = useMap(p.generation, (first as Of<'map'>).name).name
      record(p, p.generation.event({ kind: name, map }), 8, () => {})
      return nothing
    }
    case 'exit': return exit(p, first)
    case 'time':
      record(p, p.generation.event({ kind: 'time', format: first?.kind === 'string' ? first.value : '%H:%M:%S\n' }), 8, () => {})
      return nothing
    case 'join': return join(p, node)
    case 'delete': return remove(p, node)
    case 'has_key': {
      const info = useMap(p.generation, (first as Of<'map'>).name)
      return register(f.compare('ne', lookup(p, info, keyPlace(p, info, second ?? null)), f.number(0)), bool)
    }
    case 'find': return find(p, node)
    case 'len': return len(p, first)
    case 'str': return string(p, node)
    case 'buf': return buffer(p, node)
    case 'strlen': return length(p, node)
    case 'strcap': return register(f.number(stringType(first).size), u64)
    case 'strncmp': return compareStrings(p, node)
    case 'strcontains': return search(p, node, true)
    case 'strstr': return search(p, node, false)
    case 'strftime': return register(number(p, second), type)
    case 'kptr': case 'uptr': return register(number(p, first), type)
    case 'ksym': return register(number(p, first), type)
    case 'usym': return userSymbol(p, first)
    case 'kstack': case 'ustack': case 'dw_ustack': return stack(p, type as Type & { kind: 'stack' })
    case 'nsecs': return timestamp(p, first)
    case 'pid': case 'tid': {
      const own = !(first?.kind === 'identifier' && first.name === 'init')
      return register(processId(p, name === 'pid', own), type)
    }
    case 'comm': case 'pcomm': case 'ppid': return node.args.length === 0 || name !== 'comm' ? builtin(p, name, node) : comm(p)
    case 'reg':
      if (first.kind === 'string' && registers[first.value] === undefined) {
        return p.fail(`'${first.value}' is not a valid register on this architecture (x86_64)`, node.span)
      }
      return register(registerValue(p, (first as Of<'string'>).value), u64)
    case 'kaddr': {
      const symbol = (first as Of<'string'>).value
      const known = p.generation.options.environment.kernelSymbol(symbol)
      if (known === undefined) return p.fail(`Failed to resolve kernel symbol: ${symbol}`, node.span)
      return register(f.number(known), type)
    }
    case 'uaddr': return register(userAddress(p, (first as Of<'string'>).value), type)
    case 'cgroupid': {
      const path = (first as Of<'string'>).value
      const id = p.generation.options.environment.cgroupId(path)
      if (id === undefined) return p.fail(`Failed to stat \`${path}\`: No such file or directory`, node.span)
      return register(f.number(id), type)
    }
    case 'cgroup_path': return register(number(p, first), type)
    case 'getopt': return option(p, node)
    case 'signal': case 'signal_thread': return signal(p, name, first)
    case 'bswap': return swap(p, first)
    case 'ntop': case 'pton': case 'macaddr': return networkCall(p, node, name)
    case 'is_err': return register(f.compare('ge', number(p, first), f.number(-4095)), bool)
    case 'static_assert': case 'fail': return nothing
    case 'container_of': return containerOf(p, node)
    case 'memcmp': return memory(p, node)
    case 'override': {
      f.call('override_return', [p.context, number(p, first)])
      return nothing
    }
    case 'unwatch': {
      const field: Field = { offset: 8, type: u64 }
      const value = number(p, first)
      record(p, p.generation.event({ kind: 'unwatch', address: field }), 16, (to) => f.store(to, 8, 8, value))
      return nothing
    }
    case 'debugf': return debug(p, node)
    case 'write_user': return register(f.call('probe_write_user', [number(p, first), number(p, second), number(p, third)]), type)
    case 'socket_cookie': return register(f.call('get_socket_cookie', [number(p, first)]), type)
    case 'strerror': case 'signal_name': case 'syscall_name': return tableText(p, node, name)
    case 'str_concat': return concatenate(p, node)
    case 'kfunc_exist': case 'kfunc_allowed': return constant(
      p, p.generation.btf.find((first as Of<'string'>).value, 'func') !== 0, { type: bool },
    )
  }
  if (name.startsWith('is_')) {
    const answer = question({ maps: p.generation.checked.maps } as unknown as CheckContext, name, first) ?? false
    return constant(p, answer, { type: bool })
  }
  if (node.args.length === 0) return builtin(p, name, node)
  return p.fail(`${node.name}() is not supported yet`, node.span)
}

/** What an argument of printf is stored as. */
function fieldType(node: Expression): Type {
  return asNumber(node.type ?? u64)
}

function formatted(p: ProgramWriter, node: Of<'call'>, kind: 'printf' | 'errorf' | 'warnf' | 'system' | 'cat'): Operand {
  const args = node.args.slice(1)
  const operands = args.map((arg) => expression(p, arg))
  const types = args.map(fieldType)
  p.at(node.span)
  const layout = layOut([u64, ...types])
  const fields = types.map((type, index): Field => ({ offset: layout.offsets[index + 1]!, type }))
  const format = (node.args[0] as Of<'string'>).value
  const event = p.generation.event({ kind, format, args: fields, span: node.span, expandedFrom: expansions.get(node.span) ?? [] })
  record(p, event, layout.size, (to) => {
    operands.forEach((operand, index) => storeAs(p, operand, { base: to, offset: fields[index]!.offset }, types[index]!, false))
  })
  return nothing
}

function print(p: ProgramWriter, node: Of<'call'>): Operand {
  const [first, top, divisor] = node.args as [Expression, Expression | undefined, Expression | undefined]
  const count = (arg: Expression | undefined) => (arg?.kind === 'integer' ? arg.value : null)
  if (first.kind === 'map') {
    const map = useMap(p.generation, first.name).name
    const most = count(top)
    record(
      p, p.generation.event({
        kind: 'printMap', map, top: most === null ? null : Number(most), divisor: count(divisor),
      }), 8, () => {},
    )
    return nothing
  }
  const operand = expression(p, first)
  const type = fieldType(first)
  const { size, offsets } = layOut([u64, type])
  const event = p.generation.event({ kind: 'print', value: { offset: offsets[1]!, type } })
  record(p, event, size, (to) => storeAs(p, operand, { base: to, offset: offsets[1]! }, type, false))
  return nothing
}

function exit(p: ProgramWriter, code: Expression | undefined): Operand {
  const { f } = p
  const value = code === undefined ? f.number(0) : number(p, code)
  record(p, p.generation.event({ kind: 'exit', code: { offset: 8, type: i64 } }), 16, (to) => f.store(to, 8, 8, value), true)
  p.frame.leave()
  return nothing
}

const joinArguments = 16

/** The strings of a NULL-terminated list of pointers. */
function join(p: ProgramWriter, node: Of<'call'>): Operand {
  const { f } = p
  const [first, separator] = node.args as [Expression, Expression | undefined]
  const list = number(p, first)
  const room = Math.min(1024, Number(p.generation.checked.config.max_strlen))
  const space = first.type?.kind === 'pointer' ? first.type.space : 'unknown'
  const user = space === 'user' || defaultSpace(p) === 'user'
  const event = p.generation.event({
    kind: 'join', separator: separator?.kind === 'string' ? separator.value : ' ', count: joinArguments, size: room,
  })
  const pointer = p.temporary(8, 'argument')
  record(p, event, 8 + joinArguments * room, (to) => {
    for (let index = 0; index < joinArguments; index++) {
      f.store(pointer.base, 0, 8, f.number(0))
      f.call(
        user ? 'probe_read_user' : 'probe_read', [
          f.offset(pointer.base, pointer.offset), f.number(8), f.binary('add', list, f.number(index * 8)),
        ],
      )
      f.store(to, 8 + index * room, 1, f.number(0))
      const one = f.load(pointer.base, pointer.offset, 8)
      f.call(user ? 'probe_read_user_str' : 'probe_read_str', [f.offset(to, 8 + index * room), f.number(room), one])
    }
  })
  return nothing
}

function remove(p: ProgramWriter, node: Of<'call'>): Operand {
  const { f } = p
  const [first, second] = node.args as [Expression, Expression | undefined]
  const [name, key] = first.kind === 'mapAccess' ? [first.map, first.key] : [(first as Of<'map'>).name, second ?? null]
  const info = useMap(p.generation, name)
  const place = keyPlace(p, info, key)
  return register(f.compare('eq', f.call('map_delete_elem', [f.map(info.name), address(p, place)]), f.number(0)), bool)
}

function find(p: ProgramWriter, node: Of<'call'>): Operand {
  const { f } = p
  const [map, key, variable] = node.args as [Of<'map'>, Expression, Of<'variable'>]
  const info = useMap(p.generation, map.name)
  const found = lookup(p, info, keyPlace(p, info, key))
  whenFound(p, found, (entry) => {
    const memory: Operand = { kind: 'memory', base: entry, offset: 0, type: info.value }
    storeVariable(p, variable, isScalar(info.value) ? register(toRegister(p, memory), info.value) : memory)
  })
  return register(f.compare('ne', found, f.number(0)), bool)
}

/** Entries of a map, counted; frames of a stack. */
function len(p: ProgramWriter, first: Expression): Operand {
  const { f } = p
  if (first.kind !== 'map') {
    const type = first.type as Type & { kind: 'stack' }
    return stackLength(p, expression(p, first), type)
  }
  const info = useMap(p.generation, first.name)
  // In memory that the verifier does not follow: else it would go through every possible count.
  const { offset } = p.temporary(64, 'count')
  f.store(p.scratch, offset, 8, f.number(0))
  const name = p.callback(
    first.span, 3, () => p.f.store(p.scratch, offset, 8, p.f.binary('add', p.f.load(p.scratch, offset, 8), p.f.number(1))),
  )
  f.call('for_each_map_elem', [f.map(info.name), f.functionAddress(name), p.sharedAddress(), f.number(0)])
  return register(f.load(p.scratch, offset, 8), u64)
}

function stackLength(p: ProgramWriter, operand: Operand, type: Type & { kind: 'stack' }): Operand {
  const { f } = p
  const place = toMemory(p, operand, type)
  const key = p.temporary(8, 'key')
  f.store(key.base, key.offset, 8, f.load(place.base, place.offset, 8))
  // The frames lie in the map of stacks; unused ones are zero. Programs cannot look there, so the stack is read again.
  const entry = type.mode === 'build_id' ? 32 : 8
  const size = Math.max(1, type.limit) * entry
  const frames = p.temporary(Math.max(64, size), 'frames')
  const flags = type.user ? 256 : 0
  const got = f.call(
    'get_stack', [
      p.context, f.offset(frames.base, frames.offset), f.number(size), f.number(flags),
    ], { kind: 'int', bits: 64, signed: true },
  )
  return register(f.choose('sgt', got, f.number(0), () => f.binary('div', got, f.number(entry)), () => f.number(0)), u64)
}

function string(p: ProgramWriter, node: Of<'call'>): Operand {
  const [first, second] = node.args as [Expression, Expression | undefined]
  const type = node.type as Type & { kind: 'string' }
  const operand = expression(p, first)
  const from = first.type ?? u64
  if (from.kind === 'string' || from.kind === 'array') {
    if (operand.kind === 'literal') {
      return {
        kind: 'literal', text: second?.kind === 'integer' ? operand.text.slice(0, Math.max(0, Number(second.value) - 1)) : operand.text, type,
      }
    }
    return cut(p, operand, type, from)
  }
  const length = second === undefined || second.kind === 'integer' ? null : number(p, second)
  const space = from.kind === 'pointer' ? from.space : 'unknown'
  return {
    kind: 'remoteString', address: toRegister(p, operand), space: space === 'unknown' ? defaultSpace(p) : space === 'own' ? 'own' : space, type, length,
  }
}

/** An array of characters as a string of its own. */
function cut(p: ProgramWriter, operand: Operand, type: Type & { kind: 'string' }, from: Type): Operand {
  if (operand.kind === 'remoteString') return { ...operand, type }
  const place = p.temporary(type.size, 'string')
  const have = Math.min(sizeOf(from), type.size - 1)
  zero(p, place, type.size)
  storeAs(p, operand, place, { kind: 'array', element: { kind: 'int', bits: 8, signed: false }, length: have }, true)
  return { kind: 'memory', ...place, type }
}

/** Bytes with their length in front. */
function buffer(p: ProgramWriter, node: Of<'call'>): Operand {
  const { f } = p
  const [first, second] = node.args as [Expression, Expression | undefined]
  const type = node.type as Type & { kind: 'buffer' }
  const operand = expression(p, first)
  const place = p.temporary(Math.max(8, sizeOf(type)), 'buffer')
  zero(p, place, Math.ceil(sizeOf(type) / 8) * 8)
  const wanted = second === undefined || second.kind === 'integer' ? f.number(type.size) : number(p, second)
  const room = f.number(type.size)
  const size = f.choose('lt', wanted, room, () => wanted, () => room)
  f.store(place.base, place.offset, 4, size)
  const target = { base: place.base, offset: place.offset + 4 }
  if (operand.kind === 'literal') storeText(p, operand.text, target, type.size, false)
  else if (operand.kind === 'memory' && !isScalar(operand.type)) copy(
    p, operand, target, Math.min(type.size, sizeOf(operand.type)),
  )
  else {
    const from = first.type ?? u64
    const space = from.kind === 'pointer' ? from.space : operand.kind === 'remote' || operand.kind === 'remoteString' ? operand.space : 'unknown'
    const source = toRegister(p, operand)
    const known = space === 'unknown' ? defaultSpace(p) : space
    f.call(
      known === 'user' ? 'probe_read_user' : known === 'unknown' ? 'probe_read' : 'probe_read_kernel', [
        f.offset(target.base, target.offset), size, source,
      ],
    )
  }
  return { kind: 'memory', ...place, type }
}

function userSymbol(p: ProgramWriter, first: Expression): Operand {
  const { f } = p
  const value = number(p, first)
  const place = p.temporary(16, 'usym')
  f.store(place.base, place.offset, 8, value)
  f.store(place.base, place.offset + 8, 8, processId(p, true, false))
  return { kind: 'memory', ...place, type: { kind: 'usym' } }
}

/** Where a variable of the traced file is: known, or so far from the probed function as in the file. */
function userAddress(p: ProgramWriter, name: string): Value {
  const { f, target } = p
  const { environment } = p.generation.options
  if (!('path' in target)) return f.number(0)
  const symbol = environment.userSymbol(target.path, name)!
  if (!symbol.relocatable) return f.number(symbol.address)
  const own = 'name' in target && target.name !== '' ? environment.userSymbol(target.path, target.name) : undefined
  if (own === undefined) {
    return p.fail(`the address of ${name} cannot be told here: ${target.path} may be loaded anywhere`, p.probe.probe.span)
  }
  return f.binary('add', f.binary('sub', registerValue(p, 'ip'), f.number(own.address)), f.number(symbol.address))
}

function timestamp(p: ProgramWriter, mode: Expression | undefined): Operand {
  const { f } = p
  const name = mode?.kind === 'identifier' ? mode.name : 'boot'
  switch (name) {
    case 'monotonic': return register(f.call('ktime_get_ns', []), u64)
    case 'tai': return register(f.call('ktime_get_tai_ns', []), u64)
    case 'sw_tai': return register(
      f.binary('add', f.call('ktime_get_boot_ns', []), f.number(p.generation.options.taiOffset)), u64,
    )
    default: return register(f.call('ktime_get_boot_ns', []), u64)
  }
}

function option(p: ProgramWriter, node: Of<'call'>): Operand {
  const name = (node.args[0] as Of<'string'>).value
  const { fallback } = p.generation.checked.named.get(name)!
  const given = p.generation.options.named.get(name)
  if (given === undefined) return constant(p, fallback, node)
  if (typeof fallback === 'bigint') return constant(p, BigInt(given === true ? 1 : given), node)
  if (typeof fallback === 'boolean') return constant(p, given === true || given === 'true' || given === '1', node)
  return constant(p, given === true ? '' : given, node)
}

function signal(p: ProgramWriter, name: string, first: Expression): Operand {
  const value = first.kind === 'string' ? p.f.number(signals[first.value] ?? signals[`SIG${first.value}`] ?? 0) : number(p, first)
  p.f.call(name === 'signal' ? 'send_signal' : 'send_signal_thread', [value])
  return nothing
}

function swap(p: ProgramWriter, first: Expression): Operand {
  const type = first.type ?? u64
  const value = number(p, first)
  const bits = type.kind === 'int' && type.range === undefined ? type.bits : 64
  if (bits === 8) return register(value, { kind: 'int', bits: 8, signed: false })
  return register(p.f.byteSwap(value, bits as 16), { kind: 'int', bits, signed: false })
}

function containerOf(p: ProgramWriter, node: Of<'call'>): Operand {
  const [first, , third] = node.args as [Expression, Expression, Expression]
  const type = node.type as Type & { kind: 'pointer' }
  const field = type.to.kind === 'struct' && third.kind === 'identifier' ? type.to.definition.field(third.name) : undefined
  return register(p.f.binary('sub', number(p, first), p.f.number(field?.offset ?? 0)), type)
}

function memory(p: ProgramWriter, node: Of<'call'>): Operand {
  const { f } = p
  const [left, right, count] = node.args as [Expression, Expression, Of<'integer'>]
  const size = Number(count.value)
  const x = inScratch(p, expression(p, left), left.type ?? u64, size)
  const y = inScratch(p, expression(p, right), right.type ?? u64, size)
  const result = f.value(word)
  const end = f.block(result)
  for (let at = 0; at < size; at++) {
    const [a, b] = [f.load(x.base, x.offset + at, 1), f.load(y.base, y.offset + at, 1)]
    const next = f.block()
    f.branch('eq', a, b, next, { target: end, args: [f.binary('sub', a, b)] })
    f.start(next)
  }
  f.jump(end, f.number(0))
  f.start(end)
  return register(result, node.type ?? u64)
}

/** bpf_trace_printk: three arguments at most. */
function debug(p: ProgramWriter, node: Of<'call'>): Operand {
  const { f } = p
  const format = (node.args[0] as Of<'string'>).value
  const values: Value[] = []
  for (const arg of node.args.slice(1, 4)) {
    const operand = expression(p, arg)
    const type = asNumber(arg.type ?? u64)
    if (isScalar(type)) values.push(toRegister(p, operand))
    else {
      const place = toMemory(p, operand, type)
      values.push(f.retype(f.offset(place.base, place.offset), word))
    }
  }
  const bytes = new TextEncoder().encode(format).length + 1
  const place = p.temporary(Math.max(8, bytes), 'format')
  storeText(p, format, place, bytes, true)
  f.call('trace_printk', [f.offset(place.base, place.offset), f.number(bytes), ...values])
  return nothing
}
