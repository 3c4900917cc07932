import type { Value } from '../../compiler/ir/ir.ts'
import type { AddressSpace, Type } from '../types/type.ts'

/** How CO-RE finds a field: the struct in the kernel's BTF, then names of members and indexes of arrays. */
export interface AccessPath { root: number; steps: (string | number)[] }

/** What an expression has become. */
export type Operand =
  /** Numbers, booleans, pointers, addresses of symbols: one register. */
  | { kind: 'register'; value: Value; type: Type }
  /** In memory of the program's own: stack, map value, ring record. */
  | { kind: 'memory'; base: Value; offset: number; type: Type }
  /** In memory of the kernel or of a process, not read yet. */
  | {
    kind: 'remote'; address: Value; space: AddressSpace; type: Type; path: AccessPath | null; /** Bytes from the start of the CO-RE root. */ offset: number
  }
  /** A NUL-terminated string elsewhere, not read yet. `length` limits it, with the NUL. */
  | { kind: 'remoteString'; address: Value; space: AddressSpace; type: Type; length: Value | null }
  /** In the context of the program, read directly. */
  | { kind: 'context'; offset: number; type: Type }
  | { kind: 'literal'; text: string; type: Type }
  /** Elements not in memory yet. */
  | { kind: 'parts'; parts: Operand[]; type: Type }
  | { kind: 'void' }
