import type { Block, IrFunction, Op, Terminator } from '../ir/ir.ts'

/**
 * Makes a failing function smaller, in place: leaves out operations, puts zero for results and
 * takes one side of branches, as long as it still fails. For reading what random tests find.
 */
export function shrink(fn: IrFunction, fails: (fn: IrFunction) => boolean): IrFunction {
  for (let changed = true; changed;) {
    changed = false
    for (const block of fn.blocks) {
      changed = shrinkTerminator(fn, block, fails) || changed
      for (let at = block.ops.length - 1; at >= 0; at--) changed = shrinkOp(fn, block, at, fails) || changed
    }
    for (const block of fn.blocks) changed = without(fn, block, fails) || changed
  }
  return fn
}

function shrinkTerminator(fn: IrFunction, block: Block, fails: (fn: IrFunction) => boolean): boolean {
  const before = block.terminator
  if (before.op !== 'branch') return false
  for (const edge of [before.then, before.else]) {
    block.terminator = { op: 'jump', edge, span: before.span } satisfies Terminator
    if (fails(fn)) return true
  }
  block.terminator = before
  return false
}

function shrinkOp(fn: IrFunction, block: Block, at: number, fails: (fn: IrFunction) => boolean): boolean {
  const before = block.ops[at]!
  const [removed] = block.ops.splice(at, 1)
  if (fails(fn)) return true
  block.ops.splice(at, 0, removed!)
  if (!('out' in before) || before.out === null || before.out.type.kind !== 'int' || (before.op === 'const' && before.value === 0n)) return false
  block.ops[at] = { op: 'const', out: before.out, value: 0n, span: before.span } satisfies Op
  if (fails(fn)) return true
  block.ops[at] = before
  return false
}

function without(fn: IrFunction, block: Block, fails: (fn: IrFunction) => boolean): boolean {
  const before = fn.blocks
  fn.blocks = before.filter((other) => other !== block)
  if (fn.blocks.length > 0 && fails(fn)) return true
  fn.blocks = before
  return false
}
