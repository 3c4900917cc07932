/** A vitest setup file: a test file that leaves a kernel object open fails, and is told where it was opened. */
import { afterAll } from 'vitest'
import { closeKernelBtf } from './kernel-btf.ts'
import { openObjects, recordStacks } from './ledger.ts'

recordStacks(true)

afterAll(() => {
  closeKernelBtf()
  const left = openObjects()
  if (left.length === 0) return
  const list = left.map((entry) => `${entry.kind} '${entry.name}' ${entry.stack ?? ''}`)
  throw new Error(`${left.length} kernel object(s) left open:\n${list.join('\n')}`)
})
