import type { Expression, Statement, TypeNode } from './ast.ts'

/** Any node of the tree: everything with a kind and a span. */
export type AnyNode = (Expression | Statement | TypeNode) & { kind: string }

/** A copy of a tree in which `change` may put something else for a node; what it gives is not looked into again. */
export function rebuild<T>(node: T, change: (node: AnyNode, key: string) => unknown, key = ''): T {
  if (Array.isArray(node)) return node.map((one) => rebuild(one, change, key)) as T
  if (node === null || typeof node !== 'object') return node
  if (key === 'span' || key.endsWith('Span')) return change({ kind: 'span', span: node } as never, key) as T ?? node
  if (key === 'type' && !('span' in node)) return node
  if ('kind' in node) {
    const changed = change(node as unknown as AnyNode, key)
    if (changed !== undefined) return changed as T
  }
  const copy: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(node)) copy[name] = rebuild(value, change, name)
  return copy as T
}

/** Visits every node below; `enter` gives false to stay out of one. */
export function visit(node: unknown, enter: (node: AnyNode) => boolean | void): void {
  if (Array.isArray(node)) {
    for (const one of node) visit(one, enter)
    return
  }
  if (node === null || typeof node !== 'object') return
  if ('kind' in node && 'span' in node && enter(node as AnyNode) === false) return
  for (const [name, value] of Object.entries(node)) if (name !== 'span' && name !== 'type' && !name.endsWith('Span')) visit(value, enter)
}
