import type { EsNode } from '../capture/kernel-function.ts'
import type { Comparison, IntType, Value } from '../ir/ir.ts'
import type { Schema } from '../../spec/schema.ts'
import type { Span } from '../span.ts'
import { binary, compare, convert, literal, toScalar } from './arithmetic.ts'
import { expression } from './expression.ts'
import { hasHelper, type HelperName } from '../helpers.ts'
import { structNamed } from './kernel-type.ts'
import type { Lowering } from './lowering.ts'
import { addressValue, allocate, asPlace, call, load, probeRead, store, storeFields } from './memory.ts'
import { describe, host, pointerTo, U16, U32, U64, type Aggregate, type Operand } from './operand.ts'

type Rule = { args: readonly string[]; /** Arguments that may be left out, at the end. */ optional?: number; lower: (l: Lowering, args: Operand[], span: Span, node: EsNode) => Operand }

const rules: Record<string, Rule> = {
  ktime: { args: [], lower: (l, _args, span) => helperResult(l, 'ktime_get_ns', U64, span) },
  currentPid: { args: [], lower: (l, _args, span) => binary(l, '>>', helperResult(l, 'get_current_pid_tgid', U64, span), host(32), span) },
  currentTid: { args: [], lower: (l, _args, span) => convert(l, toScalar(l, helperResult(l, 'get_current_pid_tgid', U64, span), span), U32, span) },
  currentCgroup: { args: [], lower: (l, _args, span) => helperResult(l, 'get_current_cgroup_id', U64, span) },
  currentCpu: { args: [], lower: (l, _args, span) => helperResult(l, 'get_smp_processor_id', U32, span) },
  currentTask: { args: [], lower: currentTask },
  address: { args: ['object'], lower: (l, [object], span) => addressValue(l, object!, span) },
  log2: { args: ['value'], lower: (l, [value], span) => log2(l, value!, span) },
  min: { args: ['a', 'b'], lower: (l, [a, b], span) => choose(l, '<=', a!, b!, span) },
  max: { args: ['a', 'b'], lower: (l, [a, b], span) => choose(l, '>=', a!, b!, span) },
  'user.string': { args: ['address'], lower: (l, [address], span) => ({ kind: 'pointer', value: userAddress(l, address!, span), pointee: null }) },
  'user.read': { args: ['schema', 'address'], lower: userRead },
  range: { args: ['from', 'to'], optional: 1, lower: (_l, [from, to]) => ({ kind: 'range', from: to === undefined ? host(0) : from!, to: to ?? from! }) },
  local: { args: ['schema', 'fields'], lower: local },
  assign: { args: ['target', 'fields'], lower: assign },
  networkOrder16: { args: ['value'], lower: networkOrder16 },
}

export function intrinsic(l: Lowering, node: EsNode, name: string): Operand {
  const rule = rules[name]
  if (rule === undefined) throw new Error(`intrinsic ${name} has no rule`)
  const args = node.arguments as EsNode[]
  if (args.length > rule.args.length || args.length < rule.args.length - (rule.optional ?? 0)) {
    l.fail('SKEP-C07', node, `${name}() takes ${rule.args.length} argument${rule.args.length === 1 ? '' : 's'}, not ${args.length}`, `write ${name}(${rule.args.join(', ')})`)
  }
  return rule.lower(l, args.map((argument) => expression(l, argument)), l.span(node), node)
}

function helperResult(l: Lowering, name: HelperName, type: IntType, span: Span): Operand {
  const out = l.value(type)
  call(l, name, [], span, out)
  return { kind: 'scalar', value: out, type }
}

/** Typed for the verifier where the kernel can (5.11); before, an address that is read by probe_read_kernel. */
function currentTask(l: Lowering, _args: Operand[], span: Span): Operand {
  const typed = hasHelper(l.btf, 'get_current_task_btf')
  const out = l.value(pointerTo(typed ? 'btf' : 'kernel'), 'task')
  call(l, typed ? 'get_current_task_btf' : 'get_current_task', [], span, out)
  return { kind: 'pointer', value: out, pointee: { from: 'btf', id: structNamed(l, 'task_struct') } }
}

/**
 * Without branches: at each step the sign of (2^n - 1 - value) tells whether the value needs more than n bits;
 * at the first one, where the value may have all 64, that of -(value >> 32).
 */
function log2(l: Lowering, operand: Operand, span: Span): Operand {
  const number = literal(operand)
  if (number !== null) return host(number < 2n ? 0 : number.toString(2).length - 1)
  let value = convert(l, toScalar(l, operand, span), U64, span).value
  let result: Value | null = null
  for (const bits of [32, 16, 8, 4, 2, 1]) {
    const step = (operator: 'sub' | 'shr' | 'shl' | 'or', left: Value, right: Value | number): Value => {
      const out = l.value(U64)
      l.emit({ op: 'binary', out, operator, width: 64, left, right: typeof right === 'number' ? l.constant(right, span) : right, span })
      return out
    }
    const below = bits === 32
      ? step('sub', l.constant(0, span), step('shr', value, 32))
      : step('sub', l.constant((1n << BigInt(bits)) - 1n, span), value)
    const reached = step('shr', below, 63)
    const shift = bits === 1 ? reached : step('shl', reached, Math.log2(bits))
    if (bits > 1) value = step('shr', value, shift)
    result = result === null ? shift : step('or', result, shift)
  }
  return { kind: 'scalar', value: result!, type: U64 }
}

function choose(l: Lowering, operator: string, left: Operand, right: Operand, span: Span): Operand {
  const result = compare(l, operator, left, right, span)
  if (typeof result === 'boolean') return result ? left : right
  const yes = l.join()
  const no = l.join()
  const end = l.join()
  l.branch(result as { operator: Comparison; width: 64; left: Value; right: Value }, yes, no, span)
  const results = new Map()
  for (const [side, value] of [[yes, result.left], [no, result.right]] as const) {
    l.start(side)
    results.set(l.jump(end, span), value)
  }
  l.start(end)
  const type = result.left.type as IntType
  return { kind: 'scalar', value: l.parameter(end, type, results), type }
}

/** The same register as an address of the current process. */
function userAddress(l: Lowering, operand: Operand, span: Span): Value {
  const value = operand.kind === 'pointer' ? operand.value : toScalar(l, operand, span, U64).value
  const out = l.value(pointerTo('user'))
  l.emit({ op: 'refine', out, value, span })
  return out
}

function userRead(l: Lowering, [schema, address]: Operand[], span: Span, node: EsNode): Operand {
  const type = schema?.kind === 'host' ? (schema.value as Schema | undefined) : undefined
  if (type === undefined || typeof type.size !== 'number') return l.fail('SKEP-C04', node, 'user.read() takes the schema of what it reads', 'give u8…i64 or a struct() of module scope')
  const source = userAddress(l, address!, span)
  const place = allocate(l, type, 'user', span, new Set())
  probeRead(l, place.base, type.size, source, span)
  return load(l, place, span)
}

/** A struct on the stack: zeroed, then filled. */
function local(l: Lowering, [schema, init]: Operand[], span: Span, node: EsNode): Operand {
  const type = schema?.kind === 'host' ? (schema.value as Schema | undefined) : undefined
  if (type?.kind !== 'struct') return l.fail('SKEP-C04', node, `local() makes a struct, not ${describe(schema!)}`, 'give a struct() of module scope')
  if (init?.kind !== 'aggregate') return l.fail('SKEP-C04', node, `${describe(init!)} is no object literal`, 'give the fields as { name: value }')
  const place = allocate(l, type, type.name || 'local', span, new Set(init.fields.keys()))
  storeFields(l, place, init)
  return place
}

function assign(l: Lowering, [target, fields]: Operand[], span: Span, node: EsNode): Operand {
  const place = asPlace(l, target!, span)
  if (place === null || place.type.from !== 'schema') return l.fail('SKEP-C04', node, `${describe(target!)} cannot be filled`, 'give a map value, a ring record or a local() struct')
  if (fields?.kind === 'aggregate') {
    const { schema } = place.type
    storeFields(l, place, fields)
    if (schema.kind === 'struct' && place.base.type.kind === 'pointer' && place.base.type.origin === 'ring') requireAll(l, schema, fields)
  } else store(l, place, fields!, span)
  return { kind: 'void' }
}

/** A ring record is not zeroed: what is not written would show what was there before. */
function requireAll(l: Lowering, schema: Schema & { kind: 'struct' }, { fields, span }: Aggregate): void {
  const missing = schema.fields.map((field) => field.name).filter((name) => name !== 'type' && !fields.has(name))
  if (missing.length > 0) l.fail('SKEP-C05', span, `the record lacks ${missing.join(', ')}`, 'give every field of the event')
}

function networkOrder16(l: Lowering, [operand]: Operand[], span: Span): Operand {
  const value = convert(l, toScalar(l, operand!, span), U16, span)
  const out = l.value(U16)
  l.emit({ op: 'byteSwap', out, bits: 16, value: value.value, span })
  return { kind: 'scalar', value: out, type: U16 }
}

