import { helperNumberOf } from '../asm/helper-names.ts'
import { controlCalls } from './control-calls.ts'
import { dynptrCalls } from './dynptr-calls.ts'
import type { HelperModel } from './machine.ts'
import { mapCalls } from './map-calls.ts'
import { readCalls } from './read-calls.ts'
import { ringCalls } from './ring-calls.ts'
import { textCalls } from './text-calls.ts'
import { worldCalls } from './world-calls.ts'

/** The helpers of the kernel that have a model. */
export const modelledHelpers: readonly HelperModel[] = [
  ...mapCalls, ...readCalls, ...worldCalls, ...ringCalls, ...textCalls, ...controlCalls, ...dynptrCalls,
]

/** A table by id. `more` adds models or replaces those that are here. */
export function helperTable(more: readonly HelperModel[] = []): Map<number, HelperModel> {
  const table = new Map<number, HelperModel>()
  for (const model of [...modelledHelpers, ...more]) {
    const id = helperNumberOf(model.name)
    if (id === undefined) throw new RangeError(`the kernel has no helper bpf_${model.name}`)
    table.set(id, model)
  }
  return table
}
