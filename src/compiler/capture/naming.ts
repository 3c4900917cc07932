import type { EsNode } from './kernel-function.ts'

/** Through these a function is still "the value of" the variable: `const x = tp_btf('…', fn) as Y`. */
const transparent = new Set([
  'CallExpression', 'NewExpression', 'AwaitExpression', 'ConditionalExpression', 'LogicalExpression', 'SequenceExpression',
  'TSAsExpression', 'TSSatisfiesExpression', 'TSNonNullExpression', 'TSTypeAssertion', 'TSInstantiationExpression',
])

/**
 * The name by which a person knows a function: its own, or that of the variable, property or export
 * that it ends up in, directly or as an argument of calls. '' when there is none.
 */
export function nameOf(fn: EsNode, ancestors: readonly EsNode[]): string {
  if (fn['id']) return fn['id'].name
  let child = fn
  for (const parent of ancestors.toReversed()) {
    if (!transparent.has(parent.type)) return nameFrom(parent, child)
    child = parent
  }
  return ''
}

function nameFrom(parent: EsNode, child: EsNode): string {
  switch (parent.type) {
    case 'VariableDeclarator':
      return identifier(parent['id'])
    case 'AssignmentExpression': {
      const left: EsNode = parent['left']
      return left.type === 'MemberExpression' && !left['computed'] ? key(left['property']) : identifier(left)
    }
    case 'AssignmentPattern':
      return identifier(parent['left'])
    case 'Property': case 'PropertyDefinition': case 'AccessorProperty': case 'MethodDefinition':
      return parent['value'] === child && (!parent['computed'] || parent['key'].type === 'Literal') ? key(parent['key']) : ''
    case 'ExportDefaultDeclaration':
      return 'default'
    default:
      return ''
  }
}

function identifier(node: EsNode): string {
  return node.type === 'Identifier' ? node['name'] : ''
}

function key(node: EsNode): string {
  return node.type === 'Literal' ? String(node['value']) : node['name']
}
