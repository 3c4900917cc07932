import type { Span } from '../source.ts'
import type { Type } from '../types/type.ts'

/** A value in a record: where, and what. */
export interface Field { offset: number; type: Type }

/** What a record of the ring asks for. Its first eight bytes are the number of the event in this list. */
export type Event =
  | {
    kind: 'printf' | 'errorf' | 'warnf' | 'system' | 'cat'; format: string; args: Field[]; span: Span; expandedFrom: readonly Span[]
  }
  | { kind: 'print'; value: Field }
  | { kind: 'printMap'; map: string; top: number | null; divisor: bigint | null }
  | { kind: 'clear' | 'zero'; map: string }
  | { kind: 'exit'; code: Field }
  | { kind: 'time'; format: string }
  | { kind: 'join'; separator: string; count: number; size: number }
  | { kind: 'unwatch'; address: Field }
  | { kind: 'helperError'; helper: string; code: Field; span: Span; message: string | null }
  | { kind: 'runtimeError'; message: string; span: Span }
  | { kind: 'cgroupPath'; id: number }
  | { kind: 'skboutput'; file: string; data: Field }
