import type { StackMode } from '../types/type.ts'

export interface StackFrames { user: boolean; mode: StackMode; limit: number; /** Number in the map of stacks. */ id: bigint; pid: number; tid: number }

/** What the printing side asks about the machine. */
export interface Symbols {
  /** `name+offset`, or the address in hex. */
  kernel(address: bigint, offset: boolean): string
  user(address: bigint, pid: number, offset: boolean): string
  /** The lines of a stack, innermost first, in the wording of its mode. */
  stack(frames: StackFrames): string[]
  user_name(uid: number): string
  cgroupPath(id: bigint): string
  /** A time of the clock that runs since boot (or TAI), in local time. */
  time(format: string, ns: bigint, base: 'boot' | 'tai' | 'wall'): string
}
