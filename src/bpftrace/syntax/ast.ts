import type { Span } from '../source.ts'
import type { Type } from '../types/type.ts'

/** The tree of a program. `type` of an expression is filled by the checker. */

interface Node { span: Span }

/** A type as written. `typeof` has an expression or another type inside. */
export type TypeNode = Node & (
  | { kind: 'named'; name: string; tag?: 'struct' | 'union' | 'enum' }
  | { kind: 'sized'; name: string; length: number }
  | { kind: 'pointer'; to: TypeNode }
  | { kind: 'array'; element: TypeNode; /** null in `int8[]`: as many as fit. */ length: number | null }
  | { kind: 'typeof'; operand: Expression | TypeNode }
)

interface ExpressionBase extends Node { type?: Type }

export type UnaryOperator = '-' | '+' | '!' | '~' | '*' | '&' | '++' | '--'
export type BinaryOperator = '+' | '-' | '*' | '/' | '%' | '&' | '|' | '^' | '<<' | '>>' | '&&' | '||' | '==' | '!=' | '<' | '>' | '<=' | '>='

export type Expression = ExpressionBase & (
  | { kind: 'integer'; value: bigint; text: string; /** It came out of folding or a macro. */ folded?: boolean; enum?: string }
  | { kind: 'string'; value: string }
  | { kind: 'bool'; value: boolean }
  | { kind: 'positional'; index: number }
  | { kind: 'positionalCount' }
  | { kind: 'identifier'; name: string }
  | { kind: 'variable'; name: string }
  | { kind: 'map'; name: string }
  | { kind: 'mapAccess'; map: string; mapSpan: Span; key: Expression }
  | { kind: 'call'; name: string; args: Expression[]; /** `name` without parentheses. */ bare?: boolean; nameSpan: Span }
  | { kind: 'unary'; operator: UnaryOperator; operand: Expression; postfix: boolean }
  | { kind: 'binary'; operator: BinaryOperator; left: Expression; right: Expression; operatorSpan: Span }
  | { kind: 'ternary'; condition: Expression; then: Expression | null; otherwise: Expression }
  | { kind: 'field'; operand: Expression; name: string; arrow: boolean }
  | { kind: 'tupleField'; operand: Expression; index: number }
  | { kind: 'index'; operand: Expression; index: Expression }
  | { kind: 'cast'; to: TypeNode; operand: Expression; /** Made by the checker, not written. */ implicit?: boolean }
  | { kind: 'tuple'; elements: Expression[] }
  | { kind: 'record'; fields: { name: string; value: Expression }[] }
  | { kind: 'sizeof'; operand: Expression | TypeNode }
  | {
    kind: 'offsetof'; operand: Expression | TypeNode; path: string[]; /** A macro argument that stands for the path. */ pathExpression?: Expression
  }
  | { kind: 'typeof'; operand: Expression | TypeNode }
  | { kind: 'typeinfo'; operand: Expression | TypeNode }
  | { kind: 'comptime'; operand: Expression }
  | { kind: 'block'; statements: Statement[]; result: Expression | null }
  | { kind: 'if'; condition: Expression; then: Block; otherwise: Block | null }
)
export type ExpressionKind = Expression['kind']
export type Of<K extends ExpressionKind> = Extract<Expression, { kind: K }>
export type Block = Of<'block'>

export type Statement = Node & (
  | { kind: 'expression'; expression: Expression }
  | { kind: 'discard'; value: Expression }
  /** `$x = …`, `$x += …`; `declared` for `let $x = …`. */
  | {
    kind: 'assignVariable'; name: string; nameSpan: Span; operator: AssignOperator; value: Expression; declared?: { to: TypeNode | null }
  }
  | { kind: 'declare'; name: string; nameSpan: Span; to: TypeNode | null }
  | { kind: 'assignMap'; target: Of<'map'> | Of<'mapAccess'>; operator: AssignOperator; value: Expression }
  | { kind: 'while'; condition: Expression; body: Block }
  | { kind: 'unroll'; count: Expression; body: Block }
  | { kind: 'forMap'; variable: string; variableSpan: Span; map: Of<'map'>; body: Block }
  | { kind: 'forRange'; variable: string; variableSpan: Span; from: Expression; to: Expression; body: Block }
  | { kind: 'jump'; jump: 'break' | 'continue' | 'return'; value: Expression | null }
  | { kind: 'import'; path: string }
)
export type StatementKind = Statement['kind']
export type AssignOperator = '=' | '+=' | '-=' | '*=' | '/=' | '%=' | '&=' | '|=' | '^=' | '<<=' | '>>='

/** One attach point as written: its parts between colons, quotes and parameters resolved. */
export interface AttachPoint extends Node {
  /** Canonical name of the provider: `kprobe`, `tracepoint`… */
  provider: string
  /** As written. */
  text: string
  /** Parts after the provider. */
  parts: string[]
  /** Which parts were (partly) quoted. */
  quoted: boolean[]
}

export interface Probe extends Node { name: string | null; points: AttachPoint[]; predicate: Expression | null; body: Block }
export interface MapDeclaration extends Node { name: string; type: string; size: number }
export interface MacroParameter extends Node { kind: 'variable' | 'map' | 'identifier'; name: string }
export interface Macro extends Node { name: string; params: MacroParameter[]; body: Block; library?: boolean }
export interface Subprogram extends Node { name: string; params: { name: string; type: TypeNode; span: Span }[]; returns: TypeNode; body: Block }
export interface ConfigEntry extends Node { key: string; value: bigint | string | boolean }
export interface Import extends Node { path: string }

export type Item =
  | { kind: 'probe'; probe: Probe }
  | { kind: 'macro'; macro: Macro }
  | { kind: 'map'; map: MapDeclaration }
  | { kind: 'subprogram'; subprogram: Subprogram }

export interface Comment extends Span { text: string; /** Nothing but blanks before it on its line. */ ownLine: boolean }

export interface Program {
  /** The preamble of C as written, and what it defines. */
  preamble: Preamble
  config: { entries: ConfigEntry[]; span: Span } | null
  imports: Import[]
  items: Item[]
  comments: Comment[]
  shebang: string | null
}

/** C declarations. Sizes and offsets are laid out by types/layout.ts. */
export interface Preamble {
  text: string
  span: Span
  definitions: CDefinition[]
  includes: { name: string; system: boolean; span: Span; line: number }[]
}

export type CDefinition = Node & (
  | { kind: 'struct'; name: string; union: boolean; fields: CField[]; packed: boolean; aligned: number | null }
  | { kind: 'enum'; name: string; values: { name: string; value: bigint }[] }
  | { kind: 'typedef'; name: string; type: CType }
)
export interface CField { name: string; type: CType; bits: number | null }
export type CType =
  | { kind: 'int'; bits: number; signed: boolean; char?: boolean; bool?: boolean }
  | { kind: 'float'; bits: number }
  | { kind: 'void' }
  | { kind: 'named'; name: string; tag: 'struct' | 'union' | 'enum' | null }
  | { kind: 'inline'; definition: CDefinition }
  | { kind: 'pointer'; to: CType }
  | { kind: 'array'; element: CType; length: number }
  | { kind: 'function' }

export function isTypeNode(node: Expression | TypeNode): node is TypeNode {
  return node.kind === 'named' || node.kind === 'sized' || node.kind === 'pointer' || node.kind === 'array' || node.kind === 'typeof'
}
