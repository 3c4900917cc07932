import { lineAndColumn } from './capture-error.ts'
import { kernelFunction } from './kernel-function.ts'
import { nameOf } from './naming.ts'
import { compactJson } from './record.ts'
import { findKernelFunctions, freeNames } from './visitor.ts'

/**
 * Kernel functions from source text that a program wrote, by name. Nothing is evaluated: what they take from outside
 * is looked up in `scope` by name, and the functions themselves cannot be called.
 * @throws CaptureError
 */
export function captureSource(code: string, file: string, scope: Readonly<Record<string, unknown>>): Map<string, () => void> {
  return new Map(findKernelFunctions(code, file).found.map((one) => {
    const { node, ancestors } = one
    const name = nameOf(node, ancestors)
    const fn = () => { throw new Error(`'${name}' runs in the kernel only`) }
    const captures = Object.fromEntries([...freeNames(one)].filter((free) => Object.hasOwn(scope, free)).map((free) => [free, () => scope[free]]))
    return [name, kernelFunction(fn, {
      v: 1, name, file, ...lineAndColumn(code, node.start), source: code.slice(node.start, node.end),
      ast: JSON.parse(compactJson(node, node.start)), captures,
    })]
  }))
}
