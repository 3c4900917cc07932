import type { IrFunction } from '../ir/ir.ts'
import { fold } from './fold.ts'
import { prune } from './prune.ts'
import { reuse } from './reuse.ts'
import { simplifyStack } from './stack.ts'
import { threadJumps } from './thread.ts'

export interface Pass { readonly name: string; readonly run: (fn: IrFunction) => boolean }

const passes: readonly Pass[] = [
  { name: 'prune', run: prune },
  { name: 'fold', run: fold },
  { name: 'thread-jumps', run: threadJumps },
  { name: 'reuse', run: reuse },
]

/** Simplifies until nothing changes, then stack memory, and what that brings to light. `after` sees the function after each pass that changed it. */
export function optimise(fn: IrFunction, after: (pass: string) => void = () => {}): void {
  settle(fn, after)
  for (let again = 0; again < 4 && simplifyStack(fn); again++) {
    after('stack')
    settle(fn, after)
  }
  after('final')
}

/** Runs all passes in turn until each has found nothing since any of them changed something. */
function settle(fn: IrFunction, after: (pass: string) => void): void {
  let idle = 0
  // The bound is against a defect, not a limit.
  for (let turn = 0; idle < passes.length && turn < 60; turn++) {
    const pass = passes[turn % passes.length]!
    if (pass.run(fn)) {
      idle = 0
      after(pass.name)
    } else idle++
  }
}
