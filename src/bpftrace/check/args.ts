import type { Environment, Target } from '../environment.ts'
import { CParser, type ParsedPreamble } from '../syntax/c-preamble.ts'
import { Lexer } from '../syntax/lexer.ts'
import { Source } from '../source.ts'
import { StructDefinition, type StructField } from '../types/struct.ts'
import type { TypeStore } from '../types/store.ts'
import { alignOf, int, pointerTo, sizeOf, type Type } from '../types/type.ts'

/** The struct that `args` is in a probe: fields of a tracepoint, parameters of a function; null where there is none. */
export function argsOf(target: Target, store: TypeStore, environment: Environment): StructDefinition | null {
  switch (target.kind) {
    case 'tracepoint': return tracepointArgs(target, store, environment)
    case 'rawtracepoint': return functionArgs(store, prototypeOfTracepoint(store, target.name), 1, false)
    case 'fentry': case 'fexit': {
      if (target.bpf !== null) return null
      const id = store.btf?.find(target.name, 'func') ?? 0
      const type = id === 0 ? null : store.btf!.type(id)
      return type?.kind === 'func' ? functionArgs(store, type.type, 0, target.kind === 'fexit') : null
    }
    case 'uprobe': case 'uretprobe': return userArgs(target, store, environment)
    default: return null
  }
}

function prototypeOfTracepoint(store: TypeStore, name: string): number {
  const { btf } = store
  // The function that calls the tracepoint's programs has the names; the type of the hook has only the types.
  const caller = btf?.find(`__traceiter_${name}`, 'func') ?? 0
  const fn = caller === 0 ? null : btf!.type(caller)
  if (fn?.kind === 'func') return fn.type
  const id = btf?.find(`btf_trace_${name}`, 'typedef') ?? 0
  if (id === 0) return 0
  const pointer = btf!.type(btf!.resolve(id))
  return pointer.kind === 'ptr' ? btf!.resolve(pointer.type) : 0
}

/** Each parameter is a 64-bit word of the context; the return value comes after them. */
function functionArgs(store: TypeStore, prototype: number, skip: number, returns: boolean): StructDefinition | null {
  const type = prototype === 0 ? null : store.btf!.type(prototype)
  if (type?.kind !== 'funcProto') return null
  return new StructDefinition('args', false, null, () => {
    const fields = type.params.slice(skip).map(
      (param, index): StructField => ({
        name: param.name, type: store.ofBtf(param.type), offset: index * 8, bits: null, path: null,
      }),
    )
    if (returns) {
      fields.push({
        name: '$retval', type: type.returns === 0 ? int(64, true) : store.ofBtf(type.returns), offset: fields.length * 8, bits: null, path: null,
      })
    }
    return { fields, size: fields.length * 8, align: 8 }
  })
}

function tracepointArgs(target: Target & { kind: 'tracepoint' }, store: TypeStore, environment: Environment): StructDefinition | null {
  const described = environment.tracepointFields(target.category, target.name)
  if (described === undefined) return null
  return new StructDefinition('args', false, null, () => {
    const fields: StructField[] = []
    for (const field of described) {
      if (field.name.startsWith('common_')) continue
      const dataLoc = /^__data_loc\s+(.*)$/.exec(field.type)
      const type = dataLoc !== null ? { kind: 'string', size: 0 } as Type : fieldType(field.type, field.size, field.signed, store)
      fields.push({
        name: field.name, type: dataLoc === null ? type : pointerTo(int(8, true), 'kernel'), offset: field.offset, bits: null, path: null, ...(dataLoc && { dataLoc: true }),
      })
    }
    const last = described.at(-1)
    return { fields, size: last === undefined ? 8 : last.offset + last.size, align: 8 }
  })
}

/** A field's C type; what cannot be read is an integer of its size. */
function fieldType(text: string, size: number, signed: boolean, store: TypeStore): Type {
  const array = /^(.*)\[(\d*)\]$/.exec(text)
  const parsed = declared(
    `${array === null ? text : array[1]} x${array === null ? '' : `[${array[2] === '' ? size : array[2]}]`};`, store,
  )
  if (parsed !== null && sizeOf(parsed) === size) {
    // Pointers of system calls point to the process.
    return parsed.kind === 'pointer' ? { ...parsed, space: 'user' } : parsed
  }
  if (array !== null && /char|u8/.test(text)) return { kind: 'string', size }
  if (size === 1 || size === 2 || size === 4 || size === 8) return int(size * 8, signed)
  return { kind: 'array', element: int(8, false), length: size }
}

function declared(text: string, store: TypeStore): Type | null {
  const preamble: ParsedPreamble = { text: '', span: { start: 0, end: 0 }, definitions: [], includes: [], defines: [] }
  const lexer = new Lexer(new Source('args', `struct args { ${text} };`))
  try {
    if (!new CParser(lexer, preamble).definition()) return null
  } catch {
    return null
  }
  const [definition] = preamble.definitions
  const type = definition?.kind === 'struct' ? definition.fields[0]?.type : undefined
  return type === undefined ? null : store.ofC(type, 'user')
}

/** Parameters of a user function by its debug information, in registers. */
function userArgs(target: Target & { kind: 'uprobe' | 'uretprobe' }, store: TypeStore, environment: Environment): StructDefinition | null {
  const params = environment.userArguments?.(target.path, target.name)
  if (params === undefined) return null
  return new StructDefinition('args', false, null, () => {
    const fields = params.map(
      ({ name, type }, index): StructField => ({
        name, type: declared(`${type} x;`, store) ?? int(64, false), offset: index * 8, bits: null, path: null,
      }),
    )
    return { fields, size: fields.length * 8, align: Math.max(1, ...fields.map((field) => alignOf(field.type))) }
  })
}
