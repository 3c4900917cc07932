/**
 * A CO-RE relocation that cannot be applied, for any kernel or for this one: the object is malformed, the types of the
 * kernel are ambiguous, or the instruction is not what the relocation says.
 */
export class RelocationError extends Error {
  override readonly name = 'RelocationError'
  readonly program: string
  /** Of the instruction in the program's code, in units of 8 bytes. */
  readonly slot: number
  /** What was to be relocated: `struct task_struct.pid (0:3)`. */
  readonly spec: string
  /** Why, to follow the spec in a sentence. */
  readonly problem: string

  constructor(program: string, slot: number, spec: string, problem: string) {
    super(`program '${program}', instruction ${slot}: ${spec}: ${problem}`)
    this.program = program
    this.slot = slot
    this.spec = spec
    this.problem = problem
  }
}

/** The same problem before it is known to which instruction it belongs. */
export class CoreProblem extends Error {
  override readonly name = 'CoreProblem'
}
