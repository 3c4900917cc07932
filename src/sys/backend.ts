/**
 * What the rest of sys/ asks of a foreign function interface. Nothing else in the project sees one.
 * Addresses are numbers: user space ends below 2^53 on every supported processor.
 */
export interface Backend {
  readonly name: string
  /** A system call of at most three arguments: its result, or the negated errno. */
  syscall3(number: number, a: number, b: number, c: number): number
  /** A system call of at most six arguments: its result, or the negated errno. */
  syscall6(number: number, a: number, b: number, c: number, d: number, e: number, f: number): number
  /** The memory at `address`, not copied. It must be mapped for as long as the buffer is touched. */
  view(address: number, length: number): ArrayBuffer
  /** Calls back, level-triggered, whenever `fd` is readable. */
  poll(fd: number, callback: () => void): PollHandle
}

/** The holder must keep it (a collected handle goes silent) and close it before its descriptor. */
export interface PollHandle {
  start(): void
  stop(): void
  close(): void
  ref(): void
  unref(): void
}
