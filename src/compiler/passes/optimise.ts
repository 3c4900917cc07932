import type { IrFunction } from '../ir/ir.ts'
import { fold, reduceStrength } from './fold.ts'
import { prune } from './prune.ts'
import { reuse } from './reuse.ts'
import { threadJumps } from './thread.ts'

export interface Pass { readonly name: string; readonly run: (fn: IrFunction) => boolean }

const passes: readonly Pass[] = [
  { name: 'prune', run: prune },
  { name: 'fold', run: fold },
  { name: 'thread-jumps', run: threadJumps },
  { name: 'reuse', run: reuse },
  { name: 'reduce-strength', run: reduceStrength },
]

/** Runs all passes until none changes anything. `after` sees the function after each that did. */
export function optimise(fn: IrFunction, after: (pass: string) => void = () => {}): void {
  for (let round = 0; round < 10; round++) {
    let changed = false
    for (const pass of passes) {
      if (!pass.run(fn)) continue
      changed = true
      after(pass.name)
    }
    if (!changed) break
  }
  prune(fn)
  after('final')
}
