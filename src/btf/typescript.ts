import type { Btf, BtfMember, BtfType } from './btf.ts'

export interface TypesOptions {
  /** Structs to write whole; others that they refer to are written as far as `depth` says. All named ones by default. */
  types?: string[]
  /** Tracepoints whose arguments are typed; all by default. */
  tracepoints?: string[]
  /** First line of the file: by what and from which kernel it was made. */
  header?: string
}

/**
 * TypeScript declarations of kernel types, so that an editor completes `task.mm.owner.` and
 * tsc checks kernel functions. Integers are numbers, pointers to structs are the structs,
 * arrays of char are strings, anonymous members are flattened.
 */
export function vmlinuxTypes(btf: Btf, options: TypesOptions = {}): string {
  const writer = new Writer(btf, options.types === undefined ? null : new Set(options.types))
  const tracepoints = writer.tracepoints(options.tracepoints ?? tracepointNames(btf))
  for (const name of options.types ?? writer.allStructs()) writer.want(name)
  const structs = writer.structs()
  return [
    options.header ?? '// Kernel types as TypeScript.',
    ...['u8', 'u16', 'u32', 'u64', 'i8', 'i16', 'i32', 'i64'].map((name) => `export type ${name} = number`),
    '/** A char array or a pointer to characters. */',
    'export type chars = string',
    '/** An address without a type: void, functions. */',
    'export type pointer = number',
    '',
    ...structs,
    "declare module 'skep' {",
    '  interface KnownTracepoints {',
    ...tracepoints.map((line) => `    ${line}`),
    '  }',
    '}',
    '',
  ].join('\n')
}

function tracepointNames(btf: Btf): string[] {
  const names: string[] = []
  for (let id = 1; id < btf.typeCount; id++) {
    if (btf.kindOf(id) === 'typedef' && btf.nameOf(id).startsWith('btf_trace_')) names.push(btf.nameOf(id).slice('btf_trace_'.length))
  }
  return names.sort()
}

class Writer {
  readonly #btf: Btf
  /** Structs that are written with their members; null: all. */
  readonly #whole: Set<string> | null
  readonly #wanted = new Map<string, number>()

  constructor(btf: Btf, whole: Set<string> | null) {
    this.#btf = btf
    this.#whole = whole
  }

  allStructs(): string[] {
    const names = new Set<string>()
    for (let id = 1; id < this.#btf.typeCount; id++) {
      const kind = this.#btf.kindOf(id)
      if ((kind === 'struct' || kind === 'union') && this.#btf.nameOf(id) !== '') names.add(this.#btf.nameOf(id))
    }
    return [...names].sort()
  }

  want(name: string): void {
    if (this.#wanted.has(name)) return
    const id = this.#btf.find(name, 'struct', 'union')
    if (id !== 0) this.#wanted.set(name, id)
  }

  structs(): string[] {
    const lines: string[] = []
    // Writing a struct may want further ones.
    for (const [name, id] of this.#wanted) {
      if (this.#whole !== null && !this.#whole.has(name)) {
        lines.push(`export interface ${typeName(name)} { readonly __opaque: '${name}' }`)
        continue
      }
      lines.push(`export interface ${typeName(name)} {`)
      const seen = new Set<string>()
      for (const field of this.#fields(id, seen)) lines.push(`  ${field}`)
      lines.push('}')
    }
    return lines
  }

  #fields(id: number, seen: Set<string>): string[] {
    const type = this.#btf.type(id)
    if (type.kind !== 'struct' && type.kind !== 'union') return []
    return type.members.flatMap((member: BtfMember) => {
      if (member.name === '') return this.#fields(this.#btf.resolve(member.type), seen)
      if (seen.has(member.name)) return []
      seen.add(member.name)
      return [`${member.name}: ${this.typeOf(member.type)}`]
    })
  }

  typeOf(id: number, depth = 0): string {
    const resolved = this.#btf.resolve(id)
    const type = this.#btf.type(resolved)
    if (depth > 8) return 'pointer'
    switch (type.kind) {
      case 'int': return type.bool ? 'boolean' : integer(type)
      case 'enum': case 'enum64': return `${type.signed ? 'i' : 'u'}${type.size * 8}`
      case 'struct': case 'union': return this.#structType(type, resolved)
      case 'array': {
        const element = this.#btf.type(this.#btf.resolve(type.element))
        if (element.kind === 'int' && element.size === 1 && this.#isChar(type.element)) return 'chars'
        return `${parenthesised(this.typeOf(type.element, depth + 1))}[]`
      }
      case 'ptr': return this.#pointee(type.type)
      default: return 'pointer'
    }
  }

  #structType(type: BtfType & { kind: 'struct' | 'union' }, id: number): string {
    if (type.name !== '') {
      this.want(type.name)
      return typeName(type.name)
    }
    return `{ ${this.#fields(id, new Set()).join('; ')} }`
  }

  #isChar(id: number): boolean {
    const type = this.#btf.type(this.#btf.resolve(id))
    return type.kind === 'int' && (type.char || type.name === 'char')
  }

  #pointee(id: number): string {
    const target = this.#btf.type(this.#btf.resolve(id))
    if ((target.kind === 'struct' || target.kind === 'union') && target.name !== '') {
      this.want(target.name)
      return typeName(target.name)
    }
    return this.#isChar(id) ? 'chars' : 'pointer'
  }

  tracepoints(names: string[]): string[] {
    return names.flatMap((name) => {
      const typedef = this.#btf.find(`btf_trace_${name}`, 'typedef')
      if (typedef === 0) return []
      const pointer = this.#btf.type(this.#btf.resolve(typedef))
      const proto = pointer.kind === 'ptr' ? this.#btf.type(this.#btf.resolve(pointer.type)) : pointer
      if (proto.kind !== 'funcProto') return []
      const named = this.#parameterNames(name)
      const args = proto.params.slice(1).map((param, index) => `${named[index] ?? `arg${index}`}: ${this.typeOf(param.type)}`)
      return [`${name}: [${args.join(', ')}]`]
    })
  }

  /** The typedef has no names; the function that calls the tracepoint's users has. */
  #parameterNames(name: string): (string | undefined)[] {
    const id = this.#btf.find(`__traceiter_${name}`, 'func')
    if (id === 0) return []
    const func = this.#btf.type(id)
    const proto = func.kind === 'func' ? this.#btf.type(func.type) : func
    return proto.kind === 'funcProto' ? proto.params.slice(1).map((param) => reserved.has(param.name) ? `${param.name}_` : param.name || undefined) : []
  }
}

/** Names that TypeScript keeps for itself: `struct class` is `class_`. */
const reservedTypes = new Set(['class', 'default', 'enum', 'function', 'any', 'string', 'number', 'boolean', 'symbol', 'bigint', 'object', 'unknown', 'never'])

function typeName(name: string): string {
  return reservedTypes.has(name) ? `${name}_` : name
}

const reserved = new Set(['delete', 'new', 'function', 'class', 'in', 'default', 'this', 'typeof', 'var', 'void', 'with'])

function integer(type: { size: number; signed: boolean }): string {
  return type.size > 8 ? 'pointer' : `${type.signed ? 'i' : 'u'}${type.size * 8}`
}

function parenthesised(type: string): string {
  return type.startsWith('{') ? `(${type})` : type
}
