import type { Value } from '../../compiler/ir/ir.ts'
import type { Expression, Of } from '../syntax/ast.ts'
import { bool, int, pointerTo, sizeOf, u32, u64, type Type } from '../types/type.ts'
import { constant } from './constants.ts'
import { register, remote } from './expression.ts'
import { fieldAddress, readRemote, toRegister } from './memory.ts'
import type { Operand } from './operand.ts'
import { isScalar, type ProgramWriter } from './program-writer.ts'
import { argumentRegisters, registers, returnRegister } from './registers.ts'
import { stack } from './stacks.ts'
import { word } from './writer.ts'

/** A builtin without arguments. */
export function builtin(p: ProgramWriter, name: string, node: Expression): Operand {
  const { f } = p
  const type = node.type ?? u64
  const low = (value: Value) => f.binary('and', value, f.number(0xffff_ffff))
  const high = (value: Value) => f.binary('shr', value, f.number(32))
  const plain = (value: Value) => register(value, type)
  switch (name) {
    case 'pid': return plain(processId(p, true, true))
    case 'tid': return plain(processId(p, false, true))
    case 'uid': case 'username': return plain(low(f.call('get_current_uid_gid', [])))
    case 'gid': return plain(high(f.call('get_current_uid_gid', [])))
    case 'cpu': return plain(f.call('get_smp_processor_id', []))
    case 'ncpus': return constant(p, BigInt(p.generation.options.environment.cpus), node)
    case 'numaid': return plain(f.call('get_numa_node_id', []))
    case 'rand': return plain(f.call('get_prandom_u32', []))
    case 'nsecs': return plain(f.call('ktime_get_boot_ns', []))
    case 'elapsed': return plain(f.binary('sub', f.call('ktime_get_boot_ns', []), f.number(p.generation.options.startNs)))
    case 'jiffies': return plain(f.call('jiffies64', []))
    case 'cgroup': return plain(f.call('get_current_cgroup_id', []))
    case 'comm': return comm(p)
    case 'curtask': return plain(currentTask(p))
    case 'cpid': return constant(p, BigInt(p.generation.options.childPid ?? 0), node)
    case 'has_cpid': return constant(p, p.generation.options.childPid !== null, { type: bool })
    case 'ppid': return taskField(p, ['real_parent', 'tgid'], u32)
    case 'leader_tid': return taskField(p, ['group_leader', 'pid'], u32)
    case 'pcomm': return taskField(p, ['real_parent', 'comm'], { kind: 'string', size: 16 })
    case 'leader_comm': return taskField(p, ['group_leader', 'comm'], { kind: 'string', size: 16 })
    case 'kstack': case 'ustack': case 'dw_ustack': return stack(p, type as Type & { kind: 'stack' })
    case 'ctx': return plain(f.retype(p.context, word))
    case 'retval': return retval(p, type)
    case 'func': return func(p, type)
    case 'probe': return { kind: 'literal', text: p.target.display, type: { kind: 'string', size: p.target.display.length + 1 } }
    case 'probetype': return { kind: 'literal', text: probeType(p), type }
    case 'usermode': return plain(userMode(p))
    case 'args': return { kind: 'context', offset: 0, type }
  }
  if (/^arg\d+$/.test(name)) return plain(argument(p, Number(name.slice(3))))
  // An enumerator that the folding could not know.
  const known = p.generation.checked.store.enumerator(name)
  return constant(p, known?.value ?? 0n, node)
}

/** Process (`group`) or thread, as the script's own namespace counts (`own`) or the first one does. */
export function processId(p: ProgramWriter, group: boolean, own: boolean): Value {
  const { f } = p
  const { pidNamespace } = p.generation.options
  if (own && pidNamespace !== null) {
    const slot = f.slot(8, 'pid')
    f.store(f.stack(slot), 0, 8, f.number(0))
    f.call('get_ns_current_pid_tgid', [f.number(pidNamespace.device), f.number(pidNamespace.inode), f.stack(slot), f.number(8)])
    return f.load(f.stack(slot), group ? 4 : 0, 4)
  }
  const both = f.call('get_current_pid_tgid', [])
  return group ? f.binary('shr', both, f.number(32)) : f.binary('and', both, f.number(0xffff_ffff))
}

export function comm(p: ProgramWriter): Operand {
  const { f } = p
  const base = f.stack(f.slot(16, 'comm'))
  f.call('get_current_comm', [base, f.number(16)])
  return { kind: 'memory', base, offset: 0, type: { kind: 'string', size: 16 } }
}

export function currentTask(p: ProgramWriter): Value {
  return p.f.call('get_current_task', [])
}

/** A field of the current task, through pointers on the way. */
function taskField(p: ProgramWriter, names: readonly string[], type: Type): Operand {
  const { store } = p.generation.checked
  let struct = store.struct('task_struct')
  let address = currentTask(p)
  let operand: Operand = { kind: 'void' }
  for (const name of names) {
    const field = struct?.field(name)
    if (struct === undefined || field === undefined) return { kind: 'register', value: p.f.number(0), type }
    const base = remote(p, address, 'kernel', { kind: 'struct', definition: struct }) as Operand & { kind: 'remote' }
    operand = {
      ...base, type: field.type, path: base.path === null ? null : { root: base.path.root, steps: [name] }, offset: field.offset,
    }
    if (field.type.kind === 'pointer' && field.type.to.kind === 'struct') {
      struct = field.type.to.definition
      address = toRegister(p, operand)
    }
  }
  return operand
}

function probeType(p: ProgramWriter): string {
  switch (p.target.kind) {
    case 'begin': case 'end': case 'self': return 'special'
    default: return p.target.kind
  }
}

export function registerValue(p: ProgramWriter, name: string): Value {
  return p.f.load(p.context, registers[name]!, 8, false, word)
}

function userMode(p: ProgramWriter): Value {
  const { f } = p
  switch (p.target.kind) {
    case 'begin': case 'end': case 'self': case 'uprobe': case 'uretprobe': case 'usdt': return f.number(1)
    case 'interval': case 'profile': case 'software': case 'hardware': case 'watchpoint':
      return f.compare('eq', f.binary('and', registerValue(p, 'cs'), f.number(3)), f.number(3))
    default: return f.number(0)
  }
}

export function argument(p: ProgramWriter, index: number): Value {
  const { f } = p
  if (p.target.kind === 'usdt') return usdtArgument(p, p.target.arguments, index)
  if (p.target.kind === 'rawtracepoint') return f.load(p.context, index * 8, 8, false, word)
  const name = argumentRegisters[index]
  if (name !== undefined) return registerValue(p, name)
  const place = p.temporary(8, 'argument')
  f.store(place.base, 0, 8, f.number(0))
  const address = f.binary('add', registerValue(p, 'sp'), f.number((index - argumentRegisters.length + 1) * 8))
  readRemote(p, place, 8, address, p.target.kind === 'kprobe' ? 'kernel' : 'user')
  return f.load(place.base, 0, 8, false, word)
}

/** One argument of a USDT probe: `-4@%edi`, `8@-16(%rbp)`, `4@$5`. */
function usdtArgument(p: ProgramWriter, spec: string, index: number): Value {
  const { f } = p
  const one = spec.trim().split(/\s+(?=-?\d+@)/)[index]
  const match = one === undefined ? null : /^(-?\d+)@(?:\$(-?\d+)|%(\w+)|(-?\d*)\(%(\w+)(?:,%(\w+)(?:,(\d+))?)?\))$/.exec(one)
  if (match === null) {
    return p.fail(
      `argument ${index} of ${p.target.display} is not there, or nowhere that can be read: '${one ?? ''}'`, p.probe.probe.span,
    )
  }
  const [, size, constantValue, name, displacement, base, scaled, scale] = match
  const bits = Math.abs(Number(size)) * 8
  const signed = size!.startsWith('-')
  if (constantValue !== undefined) return f.number(BigInt(constantValue))
  if (name !== undefined) return f.extend(registerValue(p, wideRegister(name)), bits, signed)
  let address = f.binary('add', registerValue(p, wideRegister(base!)), f.number(BigInt(displacement === '' ? 0 : displacement!)))
  if (scaled !== undefined) {
    address = f.binary('add', address, f.binary('mul', registerValue(p, wideRegister(scaled)), f.number(Number(scale ?? 1))))
  }
  const place = p.temporary(8, 'argument')
  f.store(place.base, 0, 8, f.number(0))
  readRemote(p, place, bits / 8, address, 'user')
  return f.extend(f.load(place.base, 0, 8, false, word), bits, signed)
}

/** The 64-bit register that `edi`, `r8d` or `al` is a part of, as pt_regs calls it. */
function wideRegister(name: string): string {
  const numbered = /^r(\d+)[dwb]?$/.exec(name)
  if (numbered !== null) return `r${numbered[1]}`
  const plain = name.replace(/^[re](?=[a-z]{2}$)/, '')
  return { al: 'ax', bl: 'bx', cl: 'cx', dl: 'dx', sil: 'si', dil: 'di', bpl: 'bp', spl: 'sp' }[plain] ?? plain
}

function retval(p: ProgramWriter, type: Type): Operand {
  if (p.target.kind !== 'fexit') return register(registerValue(p, returnRegister), type)
  const field = p.probe.args!.field('$retval')!
  return word64(p, field.offset, field.type)
}

function func(p: ProgramWriter, type: Type): Operand {
  const { f } = p
  if (p.target.kind === 'uprobe' || p.target.kind === 'uretprobe') {
    if (p.target.name !== '') {
      return { kind: 'literal', text: p.target.name, type: { kind: 'string', size: p.target.name.length + 1 } }
    }
    const place = p.temporary(16, 'usym')
    const ip = p.target.kind === 'uprobe' ? registerValue(p, 'ip') : f.call('get_func_ip', [p.context])
    f.store(place.base, place.offset, 8, ip)
    f.store(place.base, place.offset + 8, 8, processId(p, true, false))
    return { kind: 'memory', ...place, type: { kind: 'usym' } }
  }
  return register(f.call('get_func_ip', [p.context]), type)
}

/** `args.name`. */
export function argsField(p: ProgramWriter, name: string, node: Of<'field'>): Operand {
  const field = p.probe.args?.field(name)
  if (field === undefined) return { kind: 'void' }
  const { f } = p
  p.at(node.span)
  switch (p.target.kind) {
    case 'tracepoint': {
      if (field.dataLoc) {
        const where = f.binary('and', f.load(p.context, field.offset, 4), f.number(0xffff))
        return register(f.binary('add', f.retype(p.context, word), where), field.type)
      }
      if (!isScalar(field.type)) return { kind: 'context', offset: field.offset, type: field.type }
      return { kind: 'context', offset: field.offset, type: field.type }
    }
    case 'uprobe': {
      const value = argument(p, field.offset / 8)
      return register(field.type.kind === 'int' ? f.extend(value, field.type.bits, field.type.signed) : value, field.type)
    }
    default: return word64(p, field.offset, field.type)
  }
}

/** A word of the context as a value of its type; structs by value cannot be had. */
function word64(p: ProgramWriter, offset: number, type: Type): Operand {
  const { f } = p
  const value = f.load(p.context, offset, 8, false, word)
  if (type.kind === 'int' || type.kind === 'enum') return register(f.extend(value, type.bits, type.signed), type)
  if (type.kind === 'bool') return register(f.binary('and', value, f.number(0xff)), type)
  return register(value, type.kind === 'pointer' ? pointerTo(type.to, type.space === 'unknown' ? 'kernel' : type.space) : type)
}

export { fieldAddress, int, sizeOf }
