import type { Btf } from '../../btf/btf.ts'
import type { MapDeclaration, RingDeclaration } from '../language/maps.ts'
import type { EsNode, KernelFunction } from '../capture/kernel-function.ts'
import { CompileError, type ErrorCode, type ErrorList } from '../errors.ts'
import type { Block, Condition, Edge, IntType, IrFunction, IrType, Op, Terminator, Value } from '../ir/ir.ts'
import type { Span } from '../span.ts'
import type { LocalTypes } from './local-types.ts'
import { U64, type Operand } from './operand.ts'

/** A variable of the kernel function that is assigned after its declaration: one register value at a time. */
export interface Variable { readonly name: string; readonly type: IrType; /** Gives back the operand for a value. */ readonly wrap: (value: Value) => Operand }

/** What a name stands for: an operand once and for all, or a variable. */
export type Binding =
  /** `let`: declared so, although what it holds cannot be assigned again. */
  | { kind: 'constant'; operand: Operand; let?: boolean }
  | { kind: 'variable'; variable: Variable }
  /** Its declaration could not be compiled. */
  | { kind: 'failed' }

/** What is known at a point of the program. Edges share it; who changes it makes a new one. */
export interface State {
  /** Ids of pointer values known not to be null. */
  readonly nonNull: ReadonlySet<number>
  readonly variables: ReadonlyMap<Variable, Value>
}

/** A block in the making that several edges may enter; their states are merged when it starts. */
export interface Join { readonly block: Block; readonly incoming: { edge: Edge; state: State }[] }

export class Scope {
  readonly names = new Map<string, Binding>()
  readonly parent: Scope | null
  constructor(parent: Scope | null) { this.parent = parent }
  find(name: string): Binding | undefined {
    for (let scope: Scope | null = this; scope !== null; scope = scope.parent) {
      const found = scope.names.get(name)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** Names that can be used here. */
  visible(): string[] {
    return [...this.names.keys(), ...(this.parent?.visible() ?? [])]
  }
}

/** One kernel function being lowered: the program's own, or one inlined into it. */
export interface Frame {
  readonly fn: KernelFunction
  scope: Scope
  /** The call that it is inlined for; null in the program itself. */
  readonly site: Span | null
  /** What `break` and `continue` may leave, the innermost last. */
  readonly targets: { label: string | null; end: Join; /** Null for what is no loop. */ next: Join | null }[]
  /** Where `return` goes; null in the program itself. */
  readonly exit: { join: Join; results: { edge: Edge; operand: Operand; state: State }[] } | null
}

/** A loop that has been entered. */
export interface LoopHeader { readonly block: Block; readonly variables: readonly Variable[] }

/** What all programs of one Spec share. */
export interface CompileContext {
  readonly btf: Btf
  readonly localTypes: LocalTypes
  /** Maps met so far, by name in the Spec. */
  readonly maps: Map<string, MapDeclaration | RingDeclaration>
  /** Name of each map declaration. */
  readonly mapNames: Map<MapDeclaration | RingDeclaration, string>
  readonly errors: ErrorList
  /** What the target kernel has beyond the least that programs need. */
  readonly features?: TargetFeatures | undefined
  /** The text of a tracepoint's `format` file; undefined if the kernel has no such tracepoint. */
  readonly tracepointFormat?: ((category: string, name: string) => string | undefined) | undefined
}

/** Features of the target that change what the compiler emits; what is not said is not used. */
export interface TargetFeatures {
  /** Loops with the kernel's own bound (6.9). */
  mayGoto?: boolean
  /** Signed division as one instruction (6.6, `isa` 4); otherwise it is made of unsigned ones. */
  signedDivision?: boolean
}

const unset = undefined as unknown as Terminator

/** The state of lowering one program into IR. The rules of the language live beside it, one noun a file. */
export class Lowering {
  readonly ir: IrFunction
  readonly context: CompileContext
  readonly frames: Frame[] = []
  /** Nodes whose operand is known already: what `?.` has checked, what is taken apart. */
  readonly known = new Map<EsNode, Operand>()
  /** The block being filled; null where the program cannot get. */
  block: Block | null
  state: State = { nonNull: new Set(), variables: new Map() }

  constructor(name: string, context: CompileContext) {
    this.context = context
    this.ir = { name, blocks: [], slots: [], nextValue: 0, nextBlock: 0, nextSlot: 0 }
    this.block = this.#newBlock()
    this.ir.blocks.push(this.block)
  }

  get frame(): Frame { return this.frames[this.frames.length - 1]! }
  get btf(): Btf { return this.context.btf }

  span(node: EsNode): Span { return { fn: this.frame.fn, start: node.start, end: node.end } }

  fail(code: ErrorCode, node: EsNode | Span, what: string, fix: string): never {
    const span = 'fn' in node && !('type' in node) ? (node as Span) : this.span(node as EsNode)
    // Calls that lead to the place; none of them when it is one of the caller's own.
    const home = this.frames.findLastIndex((frame) => frame.fn === span.fn)
    const calls = this.frames.slice(1, home + 1).flatMap(({ site }) => (site === null ? [] : [site]))
    throw new CompileError(code, what, fix, span, { calls: calls.reverse() })
  }

  /**
   * Compiles a part of which an error is noted rather than thrown, so that one run finds several. After an error the
   * program is never emitted; what follows is only looked at. False after an error.
   */
  attempt(part: () => void): boolean {
    const { frame } = this
    const [{ scope }, depth, targets] = [frame, this.frames.length, frame.targets.length]
    try {
      part()
      return true
    } catch (error) {
      this.context.errors.note(error)
      this.frames.length = depth
      frame.scope = scope
      frame.targets.length = targets
      this.block ??= this.#newBlock()
      return false
    }
  }

  value(type: IrType, name?: string): Value {
    const value: Value = { id: this.ir.nextValue++, type }
    if (name !== undefined) value.name = name
    return value
  }

  /** Appends an operation to the current block. */
  emit(op: Op): void {
    if (this.block === null) throw new Error('lowering: operation in unreachable code')
    this.block.ops.push(op)
  }

  constant(value: bigint | number, span: Span, type: IntType = U64): Value {
    const out = this.value(type)
    this.emit({ op: 'const', out, value: BigInt.asIntN(64, BigInt(value)), span })
    return out
  }

  slot(size: number, name: string): { id: number; size: number; align: number; name: string } {
    const slot = { id: this.ir.nextSlot++, size: Math.ceil(size / 8) * 8, align: 8, name }
    this.ir.slots.push(slot)
    return slot
  }

  #newBlock(): Block {
    return { id: this.ir.nextBlock++, params: [], ops: [], terminator: unset }
  }

  join(): Join {
    return { block: this.#newBlock(), incoming: [] }
  }

  #edge(join: Join, learned: Value[] = []): Edge {
    const edge: Edge = { target: join.block, args: [] }
    const { nonNull, variables } = this.state
    const state = learned.length === 0 ? this.state : { nonNull: new Set([...nonNull, ...learned.map(({ id }) => id)]), variables }
    join.incoming.push({ edge, state })
    return edge
  }

  jump(join: Join, span: Span): Edge {
    const edge = this.#edge(join)
    this.#terminate({ op: 'jump', edge, span })
    return edge
  }

  /** `learned`: pointers known not to be null on that side. */
  branch(condition: Condition, then: Join, otherwise: Join, span: Span, learned: { then?: Value[]; else?: Value[] } = {}): void {
    const thenEdge = this.#edge(then, learned.then)
    const elseEdge = this.#edge(otherwise, learned.else)
    this.#terminate({ op: 'branch', condition, then: thenEdge, else: elseEdge, span })
  }

  finish(value: Value, span: Span): void {
    this.#terminate({ op: 'return', value, span })
  }

  #terminate(terminator: Terminator): void {
    if (this.block === null) throw new Error('lowering: terminator in unreachable code')
    this.block.terminator = terminator
    this.block = null
  }

  /** Goes on in a join, with what all its edges agree on. False when nothing enters it. */
  start(join: Join): boolean {
    const [first, ...rest] = join.incoming
    if (first === undefined) {
      this.block = null
      return false
    }
    this.ir.blocks.push(join.block)
    this.block = join.block
    this.state = rest.every(({ state }) => state === first.state) ? first.state : this.#merged(join, first.state, rest.map(({ state }) => state))
    return true
  }

  /** What all edges agree on; variables that differ become parameters. */
  #merged(join: Join, first: State, rest: readonly State[]): State {
    const nonNull = rest.every((state) => state.nonNull === first.nonNull)
      ? first.nonNull
      : new Set([...first.nonNull].filter((id) => rest.every((state) => state.nonNull.has(id))))
    if (rest.every((state) => state.variables === first.variables)) return { nonNull, variables: first.variables }
    const variables = new Map<Variable, Value>()
    for (const [variable, value] of first.variables) {
      const values = rest.map((state) => state.variables.get(variable))
      if (values.includes(undefined)) continue
      if (values.every((other) => other === value)) {
        variables.set(variable, value)
        continue
      }
      const param = this.value(variable.type, variable.name)
      join.block.params.push(param)
      for (const { edge, state } of join.incoming) edge.args.push(state.variables.get(variable)!)
      variables.set(variable, param)
    }
    return { nonNull, variables }
  }

  /** Enters a loop: its variables may have another value each time that the header is reached. */
  startLoop(variables: readonly Variable[], span: Span): LoopHeader {
    const block = this.#newBlock()
    const entered = variables.filter((variable) => this.state.variables.has(variable))
    this.#terminate({ op: 'jump', edge: { target: block, args: entered.map((variable) => this.state.variables.get(variable)!) }, span })
    this.ir.blocks.push(block)
    this.block = block
    for (const variable of entered) {
      const param = this.value(variable.type, variable.name)
      block.params.push(param)
      this.assign(variable, param)
    }
    return { block, variables: entered }
  }

  /** Goes back to the header of a loop. */
  closeLoop({ block, variables }: LoopHeader, span: Span): void {
    this.#terminate({ op: 'jump', edge: { target: block, args: variables.map((variable) => this.state.variables.get(variable)!) }, span })
  }

  /** Gives a variable its first or another value. */
  assign(variable: Variable, value: Value): void {
    this.state = { nonNull: this.state.nonNull, variables: new Map(this.state.variables).set(variable, value) }
  }

  /** Adds a parameter to a join that has started, with one argument for each incoming edge. */
  parameter(join: Join, type: IrType, args: Map<Edge, Value>, name?: string): Value {
    const param = this.value(type, name)
    join.block.params.push(param)
    for (const { edge } of join.incoming) edge.args.push(args.get(edge)!)
    return param
  }

  isNonNull(pointer: Value): boolean {
    return this.state.nonNull.has(pointer.id)
  }
}
