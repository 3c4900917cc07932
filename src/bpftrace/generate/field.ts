import { plainName } from '../check/functions.ts'
import { configField } from './constants.ts'
import type { Of } from '../syntax/ast.ts'
import type { StructField } from '../types/struct.ts'
import { layOut, sizeOf, u64, type Type } from '../types/type.ts'
import { argsField } from './builtin.ts'
import { expression, register, remote } from './expression.ts'
import { effective, readRemote, toRegister } from './memory.ts'
import type { AccessPath, Operand } from './operand.ts'
import { isScalar, type ProgramWriter } from './program-writer.ts'
import { word } from './writer.ts'

/** `a.b`: of a struct, through a pointer, of a record, of `args` and of `config()`. */
export function fieldOf(p: ProgramWriter, node: Of<'field'>): Operand {
  const { operand } = node
  const type = node.type ?? u64
  if ((operand.kind === 'identifier' || operand.kind === 'call') && plainName(operand.name) === 'config') {
    return configField(p, node)
  }
  if ((operand.kind === 'identifier' || operand.kind === 'call') && plainName(operand.name) === 'args') {
    return argsField(p, node.name, node)
  }
  const inner = expression(p, operand)
  const from = operand.type ?? { kind: 'none' }
  if (from.kind === 'record') {
    const index = from.fields.findIndex(({ name }) => name === node.name)
    if (inner.kind === 'parts') return inner.parts[index]!
    return inner.kind === 'memory' ? {
      kind: 'memory', base: inner.base, offset: inner.offset + layOut(from.fields.map((field) => field.type)).offsets[index]!, type,
    } : inner
  }
  const struct = from.kind === 'pointer' ? from.to : from
  if (struct.kind !== 'struct') return { kind: 'void' }
  const field = struct.definition.field(node.name)!
  p.at(node.span)
  if (from.kind === 'pointer') {
    if (from.space === 'context') return contextField(p, field)
    return member(p, remote(p, toRegister(p, inner), from.space, struct) as Operand & { kind: 'remote' }, field, node.name)
  }
  switch (inner.kind) {
    case 'remote': return member(p, inner, field, node.name)
    case 'memory': return field.bits === null ? {
      kind: 'memory', base: inner.base, offset: inner.offset + field.offset, type: field.type,
    }
      : register(
        bits(
          p, toRegister(p, { kind: 'memory', base: inner.base, offset: inner.offset + field.offset, type: unitOf(field) }), field,
        ), field.type,
      )
    case 'context': return { kind: 'context', offset: inner.offset + field.offset, type: field.type }
    default: return { kind: 'void' }
  }
}

/** Fields of the context of iterators are read directly, and are pointers of the kernel. */
function contextField(p: ProgramWriter, field: StructField): Operand {
  const { f } = p
  if (isScalar(field.type)) {
    const loaded = f.load(p.context, field.offset, sizeOf(field.type), field.type.kind === 'int' && field.type.signed)
    return register(loaded, field.type)
  }
  return { kind: 'void' }
}

function member(p: ProgramWriter, base: Operand & { kind: 'remote' }, field: StructField, name: string): Operand {
  const path: AccessPath | null = base.path === null || field.path === null ? null : {
    root: base.path.root, steps: [...base.path.steps, name],
  }
  const operand: Operand & { kind: 'remote' } = { ...base, type: field.type, path, offset: base.offset + field.offset }
  if (field.bits === null) return operand
  const unit = unitOf(field)
  // Bitfields: the bytes that hold it.
  const place = p.temporary(8, 'bits')
  p.f.store(place.base, 0, 8, p.f.number(0))
  readRemote(p, place, sizeOf(unit), effective(p, { ...operand, type: unit }), base.space)
  return register(bits(p, p.f.load(place.base, 0, 8), field), field.type)
}

function unitOf(field: StructField): Type {
  const bytes = Math.ceil((field.bits!.offset + field.bits!.size) / 8)
  return { kind: 'int', bits: bytes <= 1 ? 8 : bytes <= 2 ? 16 : bytes <= 4 ? 32 : 64, signed: false }
}

function bits(p: ProgramWriter, value: import('../../compiler/ir/ir.ts').Value, field: StructField): import('../../compiler/ir/ir.ts').Value {
  const { f } = p
  const { offset, size } = field.bits!
  const up = f.binary('shl', value, f.number(64 - offset - size), word)
  return f.binary(field.type.kind === 'int' && field.type.signed ? 'sar' : 'shr', up, f.number(64 - size), word)
}
