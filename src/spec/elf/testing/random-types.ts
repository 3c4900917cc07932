import { BtfBuilder, type BuiltMember } from '../../../btf/builder.ts'

/* Random structs as C, and the same structs as another kernel could have them: what CO-RE is for. */

export type Random = (below: number) => number

type Type =
  | { kind: 'int'; size: 1 | 2 | 4 | 8; signed: boolean }
  | { kind: 'bits'; bits: number; signed: boolean }
  | { kind: 'ptr' }
  | { kind: 'array'; element: Type; length: number }
  | { kind: 'struct'; index: number }
  | { kind: 'enum' }
interface Field { name: string; type: Type }
interface Struct { name: string; fields: Field[] }
export interface Model { structs: Struct[]; enumerators: { name: string; value: number }[] }

const cNames: Record<string, string> = {
  '1true': 'signed char', '2true': 'short', '4true': 'int', '8true': 'long',
  '1false': 'unsigned char', '2false': 'unsigned short', '4false': 'unsigned int', '8false': 'unsigned long',
}

export function randomModel(next: Random): Model {
  const structs = Array.from({ length: 4 }, (_, index): Struct =>
    ({ name: `thing${index}`, fields: Array.from({ length: 2 + next(6) }, (_field, at) => ({ name: `f${index}_${at}`,
      type: randomType(next, index) })) }))
  return { structs, enumerators: Array.from({ length: 4 }, (_, index) => ({ name: `VALUE_${index}`, value: next(2000) - 1000 })) }
}

function randomType(next: Random, below: number): Type {
  switch (next(below > 0 ? 8 : 6)) {
    case 0: case 1: return { kind: 'int', size: [1, 2, 4, 8][next(4)] as 4, signed: next(2) === 0 }
    case 2: return { kind: 'bits', bits: 1 + next(13), signed: next(3) === 0 }
    case 3: return { kind: 'ptr' }
    case 4: return { kind: 'array', element: { kind: 'int', size: [1, 4, 8][next(3)] as 4, signed: next(2) === 0 },
      length: 2 + next(6) }
    case 5: return { kind: 'enum' }
    case 6: return { kind: 'array', element: { kind: 'struct', index: next(below) }, length: 2 }
    default: return { kind: 'struct', index: next(below) }
  }
}

/** A program that touches the model in `count` ways. */
export function cText(model: Model, next: Random, count: number): string {
  const structs = model.structs.map(({ name, fields }) => {
    const members = fields.map((field) => declared(model, field.type, field.name)).join(' ')
    return `struct ${name} { ${members} } __attribute__((preserve_access_index));`
  })
  const statements = Array.from({ length: count }, () => statement(model, next))
  return `#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
enum color { ${model.enumerators.map(({ name, value }) => `${name} = ${value}`).join(', ')} };
${structs.join('\n')}
volatile long sum;
SEC("raw_tp/sys_enter") int touch(unsigned long long *ctx)
{
${model.structs.map(({ name }) => `\tstruct ${name} *${name} = (void *)ctx[0];`).join('\n')}
${statements.map((text) => `\t${text}`).join('\n')}
\treturn 0;
}
char LICENSE[] SEC("license") = "GPL";
`
}

function declared(model: Model, type: Type, name: string): string {
  switch (type.kind) {
    case 'int': return `${cNames[`${type.size}${type.signed}`]} ${name};`
    case 'bits': return `${type.signed ? 'int' : 'unsigned int'} ${name} : ${type.bits};`
    case 'ptr': return `void *${name};`
    case 'enum': return `enum color ${name};`
    case 'struct': return `struct ${model.structs[type.index]!.name} ${name};`
    case 'array': return declared(model, type.element, `${name}[${type.length}]`)
  }
}

function statement(model: Model, next: Random): string {
  const root = model.structs[next(model.structs.length)]!
  const { text, type } = path(model, root, root.name, next)
  const exact = model.enumerators[next(model.enumerators.length)]!.name
  const address = next(3) === 0
  switch (next(12)) {
    case 0: return `sum += bpf_core_field_exists(${text});`
    case 1: return type.kind === 'bits' ? `sum += bpf_core_field_exists(${text});` : `sum += bpf_core_field_size(${text});`
    case 2: return `sum += bpf_core_type_exists(struct ${root.name}) + bpf_core_type_size(struct ${root.name});`
    case 3: return `sum += bpf_core_type_matches(struct ${root.name});`
    case 4: return `sum += bpf_core_enum_value_exists(enum color, ${exact});`
    case 5: return `if (bpf_core_enum_value_exists(enum color, ${exact})) sum += bpf_core_enum_value(enum color, ${exact});`
    case 6: return `sum += bpf_core_type_id_kernel(struct ${root.name}) + bpf_core_type_id_local(enum color);`
    default:
      if (type.kind === 'bits') return `sum += BPF_CORE_READ_BITFIELD(${text.replace('->', ', ')});`
      return address || type.kind === 'struct' || type.kind === 'array' ? `sum += (long)&${text};` : `sum += (long)${text};`
  }
}

/** A path through the model. Bitfields are only taken from the root: the macro wants `pointer->field`. */
function path(model: Model, root: Struct, variable: string, next: Random): { text: string; type: Type } {
  const first = root.fields[next(root.fields.length)]!
  let text = `${variable}->${first.name}`
  let { type } = first
  while (next(4) > 0) {
    if (type.kind === 'array') {
      text += `[${next(type.length)}]`
      type = type.element
    } else if (type.kind === 'struct') {
      const inner = model.structs[type.index]!.fields.filter((field) => field.type.kind !== 'bits')
      const field = inner[next(Math.max(1, inner.length))]
      if (field === undefined) break
      text += `.${field.name}`
      type = field.type
    } else {
      break
    }
  }
  return { text, type }
}

/** The model as another kernel has it: members moved, hidden in anonymous unions, grown, gone; sometimes in two layouts. */
export function targetTypes(model: Model, next: Random): Uint8Array {
  const b = new BtfBuilder()
  const values = model.enumerators.filter(() => next(6) > 0).map(({ name, value }) => ({ name,
    value: BigInt(next(3) > 0 ? value : value + 7) }))
  const color = b.enum(next(5) === 0 ? 'color___v2' : 'color', 4, true, values)
  const ids: number[] = []
  const sizes: number[] = []
  for (const { name, fields } of model.structs) {
    const kept = fields.filter(() => next(8) > 0).map((field) => (next(6) === 0 ? { ...field, type: randomType(next,
      ids.length) } : field))
    for (let swaps = next(4); swaps > 0; swaps--) kept.push(kept.shift()!)
    const laid = layOut(kept.filter((field) => field !== undefined), next)
    ids.push(b.struct(next(10) === 0 ? `${name}___other` : name, laid.size, laid.members))
    sizes.push(laid.size)
    if (next(12) === 0) {
      const other = next(2) === 0 ? laid : layOut(kept.filter((field) => field !== undefined), next)
      b.struct(`${name}___twin`, other.size, other.members)
    }
  }
  return b.build()

  function layOut(fields: Field[], random: Random): { members: BuiltMember[]; size: number } {
    const members: BuiltMember[] = []
    let bits = random(3) * 64
    for (const { name, type } of fields) {
      if (type.kind === 'bits') {
        if (bits % 32 + type.bits > 32) bits = Math.ceil(bits / 32) * 32
        members.push({ name, type: b.int(type.signed ? 'int' : 'unsigned int', 4, { signed: type.signed }), bitOffset: bits,
          bitSize: type.bits })
        bits += type.bits
        continue
      }
      const { id, size, align } = built(type)
      bits = Math.ceil(bits / (align * 8)) * align * 8
      if (random(4) === 0) {
        const inner = b.struct('', size, [{ name, type: id, bitOffset: 0 }])
        members.push({ name: '', type: b.union('', size, [{ name: 'raw', type: b.int('int', 4, { signed: true }),
          bitOffset: 0 }, { name: '', type: inner, bitOffset: 0 }]), bitOffset: bits })
      } else {
        members.push({ name, type: random(5) === 0 ? b.typedef(`${name}_t`, b.const(id)) : id, bitOffset: bits })
      }
      bits += size * 8
    }
    return { members, size: Math.ceil(bits / 64) * 8 }
  }

  function built(type: Exclude<Type, { kind: 'bits' }> | Type): { id: number; size: number; align: number } {
    switch (type.kind) {
      case 'int': return { id: b.int(cNames[`${type.size}${type.signed}`]!, type.size, { signed: type.signed }),
        size: type.size, align: type.size }
      case 'bits': return { id: b.int('int', 4, { signed: true }), size: 4, align: 4 }
      case 'ptr': return { id: b.ptr(0), size: 8, align: 8 }
      case 'enum': return { id: color, size: 4, align: 4 }
      case 'struct': return { id: ids[type.index]!, size: sizes[type.index]!, align: 8 }
      case 'array': {
        const element = built(type.element)
        return { id: b.array(element.id, b.int('unsigned int', 4), type.length), size: element.size * type.length,
          align: element.align }
      }
    }
  }
}
