import type { Btf, BtfMember, BtfType } from './btf.ts'
import { BtfError } from './error.ts'

export interface CDeclarationOptions {
  /** Types to declare, by name, with all that they need; every named one by default. */
  types?: string[]
  /** Lines before the declarations. */
  header?: string
}

type Composite = Extract<BtfType, { kind: 'struct' | 'union' }>
type Enumeration = Extract<BtfType, { kind: 'enum' | 'enum64' }>
/** A typedef, or a qualifier. */
type Named = Extract<BtfType, { kind: 'typedef' | 'const' | 'volatile' | 'restrict' | 'typeTag' }>

/** Anonymous types inside each other. */
const MAX_DEPTH = 64
/** Types looked at; a kernel takes two million. Hostile types without names could hold each other 2^64 times. */
const MAX_STEPS = 10_000_000

/**
 * The types as a C header (vmlinux.h), in an order that compilers take: what a struct contains comes before it, what it points
 * to is at least declared. Sizes and offsets are those of the BTF: gaps are filled, structs packed where they must be. Of several
 * types with one name the later ones get a suffix, `___2`.
 * @throws BtfError on types that contain themselves
 */
export function cDeclarations(btf: Btf, options: CDeclarationOptions = {}): string {
  const writer = new CWriter(btf)
  const wanted = options.types?.flatMap((name) => btf.findAll(name, 'struct', 'union', 'enum', 'enum64',
    'typedef')) ?? allTypes(btf)
  for (const id of wanted) writer.define(id)
  return [
    ...(options.header === undefined ? [] : [options.header]),
    '#ifndef BPF_NO_PRESERVE_ACCESS_INDEX',
    '#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)',
    '#endif',
    '',
    ...writer.lines,
    '#ifndef BPF_NO_PRESERVE_ACCESS_INDEX',
    '#pragma clang attribute pop',
    '#endif',
    '',
  ].join('\n')
}

function allTypes(btf: Btf): number[] {
  const found: number[] = []
  for (let id = 1; id < btf.typeCount; id++) {
    const kind = btf.kindOf(id)
    const named = kind === 'struct' || kind === 'union' || kind === 'typedef'
    // An enum without a name still gives names to numbers.
    if (kind === 'enum' || kind === 'enum64' || (named && btf.nameOf(id) !== '')) found.push(id)
  }
  return found
}

class CWriter {
  readonly lines: string[] = []
  readonly #btf: Btf
  readonly #defined = new Set<number>()
  readonly #declared = new Set<number>()
  readonly #names = new Map<number, string>()
  /** Gaps written so far: members of anonymous structs must differ in name from those around. */
  #gaps = 0
  #steps = 0
  readonly #packed = new Map<number, boolean>()
  readonly #aligned = new Map<number, number>()
  /** How often a name was given: tags and ordinary names do not meet in C. */
  readonly #taken = new Map<string, number>()

  constructor(btf: Btf) {
    this.#btf = btf
  }

  /** Writes what the type needs, then the type itself. */
  define(id: number): void {
    this.#need(id, true, 0)
  }

  /** `whole`: its size must be known, not only its name. */
  #need(id: number, whole: boolean, depth: number): void {
    if (id === 0) return
    if (depth > MAX_DEPTH * 8 || this.#steps++ > MAX_STEPS) throw new BtfError('types', 0, `type ${id} is nested beyond reason`)
    const type = this.#btf.type(id)
    const next = depth + 1
    switch (type.kind) {
      case 'ptr': return this.#need(type.type, false, next)
      case 'const': case 'volatile': case 'restrict': case 'typeTag': return this.#need(type.type, whole, next)
      case 'array': return this.#need(type.element, true, next)
      case 'funcProto':
        this.#need(type.returns, false, next)
        for (const param of type.params) this.#need(param.type, false, next)
        return
      case 'typedef': return this.#typedef(type, whole, next)
      case 'enum': case 'enum64': return this.#enum(type)
      case 'struct': case 'union': return this.#composite(type, whole, next)
      case 'fwd': return this.#forward(type.id, type.union ? 'union' : 'struct')
      default: return
    }
  }

  #typedef(type: Named, whole: boolean, depth: number): void {
    const target = this.#btf.type(this.#btf.resolve(type.type))
    const inline = (target.kind === 'struct' || target.kind === 'union') && target.name === ''
    // Through a pointer to itself a typedef may be asked for while it is being written: it is a name by then.
    // Compilers bring this one, each in its own way.
    if (type.name === '__builtin_va_list') return
    if (!this.#defined.has(type.id)) {
      this.#defined.add(type.id)
      this.#need(type.type, inline, depth)
      this.lines.push(`typedef ${this.#declaration(type.type, this.#nameOf(type.id), 0)};`, '')
    }
    if (whole && !inline) this.#need(type.type, true, depth)
  }

  #enum(type: Enumeration): void {
    if (this.#defined.has(type.id)) return
    this.#defined.add(type.id)
    if (type.name !== '' || type.values.length > 0) this.lines.push(`${this.#enumBody(type, 0)};`, '')
  }

  #composite(type: Composite, whole: boolean, depth: number): void {
    if (type.name !== '' && !whole) {
      if (!this.#defined.has(type.id)) this.#forward(type.id, type.kind)
      return
    }
    if (this.#defined.has(type.id)) return
    if (type.name !== '') this.#defined.add(type.id)
    // What it points to may point back to it.
    if (type.name !== '') this.#forward(type.id, type.kind)
    for (const member of type.members) this.#need(member.type, true, depth)
    if (type.name !== '') this.lines.push(`${this.#compositeBody(type, 0)};`, '')
  }

  #forward(id: number, word: string): void {
    if (this.#declared.has(id)) return
    this.#declared.add(id)
    this.lines.push(`${word} ${this.#nameOf(id)};`, '')
  }

  #nameOf(id: number): string {
    let name = this.#names.get(id)
    if (name === undefined) {
      const kind = this.#btf.kindOf(id)
      name = this.#free(kind === 'typedef' ? 'ordinary' : 'tag', this.#btf.nameOf(id))
      this.#names.set(id, name)
    }
    return name
  }

  #free(space: 'ordinary' | 'tag', name: string): string {
    const key = `${space} ${name}`
    const count = (this.#taken.get(key) ?? 0) + 1
    this.#taken.set(key, count)
    return count === 1 ? name : `${name}___${count}`
  }

  /** `int (*name[4])(void)`: a type around a name. */
  #declaration(id: number, name: string, depth: number): string {
    if (depth > MAX_DEPTH || this.#steps++ > MAX_STEPS) throw new BtfError('types', 0, `type ${id} is nested beyond reason`)
    const spaced = (type: string) => (name === '' ? type : `${type} ${name}`)
    const type = this.#btf.type(id)
    const next = depth + 1
    switch (type.kind) {
      case 'void': return spaced('void')
      case 'int': case 'float': return spaced(type.name)
      case 'typedef': return spaced(this.#nameOf(id))
      case 'fwd': return spaced(`${type.union ? 'union' : 'struct'} ${this.#nameOf(id)}`)
      case 'struct': case 'union': return spaced(type.name === '' ? this.#compositeBody(type,
        next) : `${type.kind} ${this.#nameOf(id)}`)
      case 'enum': case 'enum64': return spaced(type.name === '' ? this.#anonymousEnum(type) : `enum ${this.#nameOf(id)}`)
      case 'const': case 'volatile': return this.#qualified(type.kind, type.type, name, next)
      // An attribute of a pointer's target, and a promise about pointers: neither changes what memory looks like.
      case 'typeTag': case 'restrict': return this.#declaration(type.type, name, next)
      case 'ptr': return this.#declaration(type.type, this.#needsParentheses(type.type) ? `(*${name})` : `*${name}`, next)
      case 'array': return this.#declaration(type.element, `${name}[${type.length}]`, next)
      case 'funcProto': {
        // A parameter of kind void at the end stands for "…".
        const params = type.params.map((param) => (param.type === 0 ? '...' : this.#declaration(param.type,
          param.name === '' ? '' : identifier(param.name), next)))
        return this.#declaration(type.returns, `${name}(${params.join(', ') || 'void'})`, next)
      }
      default: throw new BtfError('types', 0, `type ${id}, a ${type.kind}, is no type of a value`)
    }
  }

  /** A qualifier of a pointer belongs behind its star. */
  #qualified(word: string, inner: number, name: string, depth: number): string {
    const type = this.#btf.type(inner)
    if (type.kind === 'ptr') {
      const around = this.#needsParentheses(type.type) ? `(* ${word} ${name})` : `* ${word} ${name}`
      return this.#declaration(type.type, around, depth)
    }
    if (type.kind === 'array' || type.kind === 'funcProto') return this.#declaration(inner, name, depth)
    return `${word} ${this.#declaration(inner, name, depth)}`
  }

  #needsParentheses(id: number): boolean {
    let at = id
    for (let depth = 0; depth < MAX_DEPTH; depth++) {
      const type = this.#btf.type(at)
      if (type.kind !== 'const' && type.kind !== 'volatile' && type.kind !== 'restrict' && type.kind !== 'typeTag') {
        return type.kind === 'array' || type.kind === 'funcProto'
      }
      at = type.type
    }
    return false
  }

  /** Its names are written once, where it was met first; elsewhere it is an integer of its size. */
  #anonymousEnum(type: Enumeration): string {
    return `${type.signed ? 'signed' : 'unsigned'} ${INTEGERS[type.size] ?? 'int'}`
  }

  #enumBody(type: Enumeration, depth: number): string {
    const indent = '\t'.repeat(depth)
    const name = type.name === '' ? '' : ` ${this.#nameOf(type.id)}`
    const suffix = type.kind === 'enum64' && type.values.length > 0 ? (type.signed ? 'LL' : 'ULL') : ''
    const values = type.values.map((value) => `${indent}\t${this.#free('ordinary', value.name)} = ${value.value}${suffix},`)
    const small = type.size < 4 ? ' __attribute__((mode(byte)))'.replace('byte', type.size === 1 ? 'byte' : 'HI') : ''
    // C has no empty enums.
    return `enum${name} {\n${values.join('\n') || `${indent}\t${this.#free('ordinary',
      `${type.name}_empty`)},`}\n${indent}}${small}`
  }

  #compositeBody(type: Composite, depth: number): string {
    if (depth > MAX_DEPTH) throw new BtfError('types', 0, `type ${type.id} is nested beyond reason`)
    const indent = '\t'.repeat(depth)
    const packed = this.#isPacked(type)
    const lines: string[] = []
    let end = 0
    for (const member of type.members) {
      if (type.kind === 'struct') lines.push(...this.#gap(end, member, packed).map((line) => `${indent}\t${line}`))
      const bits = member.bitSize > 0 ? ` : ${member.bitSize}` : ''
      lines.push(`${indent}\t${this.#declaration(member.type, member.name === '' ? '' : identifier(member.name), depth)}${bits};`)
      end = member.bitOffset + (member.bitSize > 0 ? member.bitSize : this.#btf.sizeOf(member.type) * 8)
    }
    const rest = type.kind === 'struct' ? type.size * 8 - end : 0
    // What the alignment of a member does not explain.
    if (rest >= 8 && (packed || rest >= this.#alignOf(type.id) * 8)) lines.push(`${indent}\t${this.#bytes(rest / 8)}`)
    const name = type.name === '' ? '' : ` ${this.#nameOf(type.id)}`
    const body = lines.map((line) => `${line}\n`).join('')
    return `${type.kind}${name} {\n${body}${indent}}${packed ? ' __attribute__((packed))' : ''}`
  }

  /** What must stand before a member so that a compiler puts it where it is. */
  #gap(end: number, member: BtfMember, packed: boolean): string[] {
    const missing = member.bitOffset - end
    if (missing <= 0) return []
    if (member.bitSize > 0) {
      // Bitfields go on in the same unit, or begin the next one.
      const unit = this.#btf.sizeOf(member.type) * 8
      const fits = packed || Math.floor(end / unit) === Math.floor((end + member.bitSize - 1) / unit)
      const wouldBe = fits ? end : Math.ceil(end / unit) * unit
      if (wouldBe === member.bitOffset) return []
      const bytes = Math.floor(member.bitOffset / 8) - Math.ceil(end / 8)
      return bytes > 0 && member.bitOffset % 8 === 0 ? [this.#bytes(bytes)] : bitGap(end, member.bitOffset)
    }
    const align = packed ? 8 : this.#alignOf(member.type) * 8
    if (Math.ceil(end / align) * align === member.bitOffset) return []
    const bytes = Math.floor(member.bitOffset / 8) - Math.ceil(end / 8)
    return bytes > 0 ? [this.#bytes(bytes)] : []
  }

  #bytes(count: number): string {
    return `unsigned char __gap${this.#gaps++}[${Math.floor(count)}];`
  }

  #isPacked(type: Composite): boolean {
    let known = this.#packed.get(type.id)
    if (known === undefined) {
      // While it is looked at: hostile types may contain themselves.
      this.#packed.set(type.id, false)
      this.#packed.set(type.id, (known = this.#mustBePacked(type)))
    }
    return known
  }

  #mustBePacked(type: Composite): boolean {
    const align = Math.max(1, ...type.members.map((member) => this.#alignOf(member.type)))
    return type.size % align !== 0 || type.members.some(({ type: id, bitOffset, bitSize }) => {
      if (bitSize === 0) return bitOffset % (this.#alignOf(id) * 8) !== 0
      const unit = this.#btf.sizeOf(id) * 8
      return Math.floor(bitOffset / unit) !== Math.floor((bitOffset + bitSize - 1) / unit)
    })
  }

  #alignOf(id: number): number {
    let known = this.#aligned.get(id)
    if (known === undefined) {
      this.#aligned.set(id, 1)
      this.#aligned.set(id, (known = this.#alignment(id)))
    }
    return known
  }

  #alignment(id: number): number {
    const type = this.#btf.type(this.#btf.resolve(id))
    switch (type.kind) {
      case 'int': case 'float': case 'enum': case 'enum64': return Math.max(1, Math.min(16, type.size))
      case 'ptr': return 8
      case 'array': return this.#alignOf(type.element)
      case 'struct': case 'union':
        if (this.#isPacked(type)) return 1
        return Math.max(1, ...type.members.map((member) => this.#alignOf(member.type)))
      default: return 1
    }
  }
}

const INTEGERS: Record<number, string> = { 1: 'char', 2: 'short', 4: 'int', 8: 'long long' }

/** Bits that no member takes. */
function bitGap(from: number, to: number): string[] {
  const lines: string[] = []
  for (let at = from; at < to;) {
    const bits = Math.min(to - at, 8 - at % 8)
    lines.push(`unsigned char : ${bits};`)
    at += bits
  }
  return lines
}

const keywords = new Set(['default', 'register', 'int', 'long', 'auto', 'char', 'short', 'inline', 'static', 'extern', 'typeof'])

/** Names are taken as they are, but for those that C cannot have; Rust's types bring some. */
function identifier(name: string): string {
  return keywords.has(name) ? `${name}_` : name
}
