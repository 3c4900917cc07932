/** The hook a program names does not exist on this kernel, or cannot be used as asked. */
export class TargetError extends Error {
  override readonly name = 'TargetError'
  readonly target: string
  constructor(target: string, problem: string) {
    super(`${target}: ${problem}`)
    this.target = target
  }
}
