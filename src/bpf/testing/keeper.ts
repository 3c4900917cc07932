import { afterEach, expect } from 'vitest'
import { closeKernelBtf } from '../kernel-btf.ts'
import { openObjects } from '../ledger.ts'

/** Closes what a test opened, newest first, and then wants the ledger to be empty. Call it in a describe. */
export function keeper(): <T extends { close(): void }>(object: T) => T {
  const kept: { close(): void }[] = []
  afterEach(() => {
    for (const object of kept.splice(0).reverse()) object.close()
    closeKernelBtf()
    expect(openObjects().map(({ kind, name, stack }) => `${kind} '${name}' ${stack}`)).toEqual([])
  })
  return (object) => {
    kept.push(object)
    return object
  }
}
