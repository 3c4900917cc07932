/** What a person reads of a probe module; exported by it as `probe`. */
export interface ProbeFacts {
  /** Short name: 'scheduler'. */
  readonly name: string
  /** One line: what it observes. */
  readonly title: string
}

export function defineProbe(facts: ProbeFacts): ProbeFacts {
  return Object.freeze({ ...facts })
}
