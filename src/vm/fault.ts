/**
 * What a program did wrong while it ran. One name a cause, so that a test can ask for exactly that:
 * uninitialised-register · uninitialised-memory · unset-field (of a fixture) · out-of-bounds · null-dereference ·
 * bad-pointer (no region is there) · not-readable · read-only · misaligned-atomic · released (ring record or object after its
 * hand-over) · not-a-record (handed over what was not reserved) · unreleased (reference or lock at exit) · lock ·
 * bad-argument (of a helper) · not-in-kernel (a type or field that CO-RE did not find) · budget (too many instructions) ·
 * call-depth · not-modelled · no-fixture (the simulation was not given what a helper asks for) · memory (the machine's own limit)
 */
export type FaultKind =
  | 'uninitialised-register' | 'uninitialised-memory' | 'unset-field' | 'out-of-bounds' | 'null-dereference' | 'bad-pointer'
  | 'not-readable' | 'read-only' | 'misaligned-atomic' | 'released' | 'not-a-record' | 'unreleased' | 'lock'
  | 'bad-argument' | 'not-in-kernel' | 'budget' | 'call-depth' | 'not-modelled' | 'no-fixture' | 'memory'

/** Where a fault happened; filled in by the executor that ran the instruction. */
export interface FaultPlace {
  program: string
  /** Instruction slot. */
  slot: number
  /** The instruction in the kernel's notation. */
  instruction: string
  /** The user's own line, when the Spec has line info. */
  source: SourceLine | null
  /** Registers as the kernel would print them, when the interpreter ran. */
  registers: string | null
}

export interface SourceLine {
  file: string
  /** 1-based. */
  line: number
  column: number
  /** The line, trimmed. */
  text: string
  /** The expression in it, when it is known: characters from the start of `text`. */
  mark?: { start: number; length: number }
}

/** A run that was stopped at one instruction. */
export class VmFault extends Error {
  override readonly name = 'VmFault'
  readonly kind: FaultKind
  /** What happened, without the place. */
  readonly problem: string
  place: FaultPlace | null = null

  constructor(kind: FaultKind, problem: string) {
    super(`${kind}: ${problem}`)
    this.kind = kind
    this.problem = problem
  }

  /** Names the place; the first one to do so (the innermost) is right. */
  at(place: FaultPlace): this {
    if (this.place !== null) return this
    this.place = place
    const { source, program, slot, instruction, registers } = place
    this.message = [
      `${source === null ? '' : `${source.file}:${source.line}:${source.column}: `}${this.kind}: ${this.problem}`,
      ...(source === null || source.text === '' ? [] : shown(source)),
      `  program '${program}', slot ${slot}: ${instruction}`,
      ...(registers === null ? [] : [`  ${registers}`]),
    ].join('\n')
    return this
  }
}

/** The line, and under it the expression. */
function shown({ line, text, mark }: SourceLine): string[] {
  const gutter = String(line)
  const under = mark === undefined ? [] : [`  ${' '.repeat(gutter.length)} | ${' '.repeat(mark.start)}${'^'.repeat(mark.length)}`]
  return [`  ${gutter} | ${text}`, ...under]
}

/** Bytes that are no program that may run: refused before the first instruction. */
export class VmRefusal extends Error {
  override readonly name = 'VmRefusal'
  /** Instruction slot, or -1 for the program as a whole. */
  readonly slot: number
  readonly problem: string

  constructor(slot: number, problem: string, program = '') {
    super(`${program === '' ? '' : `program '${program}': `}${slot < 0 ? '' : `instruction slot ${slot}: `}${problem}`)
    this.slot = slot
    this.problem = problem
  }
}
