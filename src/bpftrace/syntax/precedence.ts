import type { BinaryOperator, Expression } from './ast.ts'

/** From weakest to strongest; all bind to the left. */
export const precedence: Readonly<Record<BinaryOperator, number>> = {
  '||': 1, '&&': 2, '|': 3, '^': 4, '&': 5, '==': 6, '!=': 6, '<': 7, '>': 7, '<=': 7, '>=': 7, '<<': 8, '>>': 8, '+': 9, '-': 9, '*': 10, '/': 10, '%': 10,
}

/** How strongly an expression holds together: 0 for the ternary, 14 for prefixes, 20 for what is one piece. */
export function precedenceOf(node: Expression): number {
  switch (node.kind) {
    case 'ternary': return 0
    case 'binary': return precedence[node.operator]
    case 'unary': return node.postfix ? 20 : 14
    case 'cast': case 'comptime': return 14
    case 'integer': return node.text.startsWith('-') ? 14 : 20
    default: return 20
  }
}
