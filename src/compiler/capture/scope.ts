import { visitorKeys } from 'oxc-parser'
import type { EsNode } from './kernel-function.ts'

/**
 * Scope analysis, as much of it as capturing needs: which free identifiers of each kernel
 * function resolve to a binding of the file. Type annotations and type-only names count for nothing.
 */
export interface Scope {
  readonly parent: Scope | null
  /** `var` declarations rise to the nearest scope that has this. */
  readonly takesVar: boolean
  readonly names: Set<string>
}

/** What the visitor learns of one node while walking. */
export interface Walker {
  /** Called before a node's children; the scope is the one around the node. Ancestors run outside in, without the node. */
  enter?: (node: EsNode, ancestors: readonly EsNode[], scope: Scope) => void
  leave?: (node: EsNode) => void
  /** Called for every identifier (or `this`) that is read or written as a value. */
  reference?: (node: EsNode, scope: Scope) => void
}

const typeWrappers = new Set(['TSAsExpression', 'TSSatisfiesExpression', 'TSNonNullExpression', 'TSTypeAssertion', 'TSInstantiationExpression'])
const functionTypes = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'])

export function isFunction(node: EsNode): boolean {
  return functionTypes.has(node.type)
}

/** Whether `name`, used in `scope`, is bound outside `boundary` (a scope or null) but inside the file. */
export function isFree(name: string, scope: Scope, boundary: Scope | null): boolean {
  for (let at: Scope | null = scope; at !== boundary; at = at!.parent) if (at!.names.has(name)) return false
  for (let at = boundary; at !== null; at = at.parent) if (at.names.has(name)) return true
  return false
}

/** Walks a program once. Bindings are complete only when the walk has ended, as declarations hoist. */
export function walk(program: EsNode, walker: Walker): void {
  new Walk(walker).visit(program, { parent: null, takesVar: true, names: new Set() })
}

class Walk {
  readonly #walker: Walker
  readonly #ancestors: EsNode[] = []

  constructor(walker: Walker) {
    this.#walker = walker
  }

  visit(node: EsNode, scope: Scope): void {
    if (node.type === 'Identifier' || node.type === 'ThisExpression') {
      this.#walker.reference?.(node, scope)
      return
    }
    if (node.type.startsWith('TS') && !this.#enterTypeScript(node, scope)) return
    this.#walker.enter?.(node, this.#ancestors, scope)
    this.#ancestors.push(node)
    this.#children(node, scope)
    this.#ancestors.pop()
    this.#walker.leave?.(node)
  }

  /** False for what exists in types only. */
  #enterTypeScript(node: EsNode, scope: Scope): boolean {
    if (typeWrappers.has(node.type) || node.type === 'TSExportAssignment' || node.type === 'TSModuleBlock') return true
    if (node.type === 'TSParameterProperty') return true
    if (node.type === 'TSImportEqualsDeclaration') {
      if (node.importKind !== 'type') scope.names.add(node.id.name)
      return false
    }
    if (node.declare || (node.type !== 'TSEnumDeclaration' && node.type !== 'TSModuleDeclaration')) return false
    if (node.id.type === 'Identifier') scope.names.add(node.id.name)
    return true
  }

  #children(node: EsNode, scope: Scope): void {
    switch (node.type) {
      case 'FunctionDeclaration': case 'FunctionExpression': case 'ArrowFunctionExpression':
        return this.#function(node, scope)
      case 'ClassDeclaration': case 'ClassExpression':
        return this.#class(node, scope)
      case 'VariableDeclaration':
        if (node.declare) return
        for (const declarator of node.declarations) {
          this.#bind(declarator.id, node.kind === 'var' ? varScope(scope) : scope, scope)
          if (declarator.init !== null) this.#visitUnder(declarator, declarator.init, scope)
        }
        return
      case 'ImportDeclaration':
        if (node.importKind === 'type') return
        for (const specifier of node.specifiers) if (specifier.importKind !== 'type') scope.names.add(specifier.local.name)
        return
      case 'ExportSpecifier': case 'ExportAllDeclaration': case 'MetaProperty': case 'BreakStatement': case 'ContinueStatement':
        return
      case 'LabeledStatement':
        return this.visit(node.body, scope)
      case 'MemberExpression':
        this.visit(node.object, scope)
        if (node.computed) this.visit(node.property, scope)
        return
      case 'Property': case 'MethodDefinition': case 'PropertyDefinition': case 'AccessorProperty':
        for (const decorator of node.decorators ?? []) this.visit(decorator, scope)
        if (node.computed) this.visit(node.key, scope)
        if (node.value !== null) this.visit(node.value, scope)
        return
      case 'CatchClause': {
        const inner = child(scope)
        if (node.param !== null) this.#bind(node.param, inner, inner)
        return this.visit(node.body, inner)
      }
      case 'SwitchStatement': {
        this.visit(node.discriminant, scope)
        const inner = child(scope)
        for (const one of node.cases) this.visit(one, inner)
        return
      }
      case 'TSEnumMember':
        return node.initializer === null ? undefined : this.visit(node.initializer, scope)
      case 'TSParameterProperty':
        return this.#bind(node.parameter, scope, scope)
      case 'TSModuleDeclaration':
        return node.body ? this.visit(node.body, scope) : undefined
      case 'StaticBlock': case 'TSModuleBlock':
        return this.#all(node, child(scope, true))
      case 'BlockStatement': case 'ForStatement': case 'ForInStatement': case 'ForOfStatement':
        return this.#all(node, child(scope))
      default:
        return this.#all(node, scope)
    }
  }

  #all(node: EsNode, scope: Scope): void {
    for (const key of visitorKeys[node.type] ?? []) {
      const value = node[key]
      if (Array.isArray(value)) {
        for (const element of value) if (element !== null) this.visit(element, scope)
      } else if (value) this.visit(value, scope)
    }
  }

  #visitUnder(parent: EsNode, node: EsNode, scope: Scope): void {
    this.#ancestors.push(parent)
    this.visit(node, scope)
    this.#ancestors.pop()
  }

  #function(node: EsNode, scope: Scope): void {
    // Parameters and body are two scopes: a default value does not see the body's declarations.
    let parameters = child(scope, true)
    if (node.id !== null && node.id !== undefined) {
      if (node.type === 'FunctionExpression') {
        parameters.names.add(node.id.name)
        parameters = child(parameters, true)
      } else if (!node.declare) scope.names.add(node.id.name)
    }
    // `this` is a name like others: bound by functions and classes, free in arrows.
    if (node.type !== 'ArrowFunctionExpression') parameters.names.add('this')
    for (const parameter of node.params) this.#bind(parameter, parameters, parameters)
    if (!node.body) return
    if (node.body.type !== 'BlockStatement') return this.visit(node.body, parameters)
    this.#walker.enter?.(node.body, this.#ancestors, parameters)
    this.#ancestors.push(node.body)
    this.#all(node.body, child(parameters, true))
    this.#ancestors.pop()
    this.#walker.leave?.(node.body)
  }

  #class(node: EsNode, scope: Scope): void {
    if (node.declare) return
    const inner = child(scope)
    inner.names.add('this')
    if (node.id !== null) {
      if (node.type === 'ClassDeclaration') scope.names.add(node.id.name)
      inner.names.add(node.id.name)
    }
    for (const decorator of node.decorators ?? []) this.visit(decorator, scope)
    if (node.superClass !== null) this.visit(node.superClass, inner)
    this.visit(node.body, inner)
  }

  /** Declares the names of a pattern in `target`; its defaults and computed keys are values, read in `scope`. */
  #bind(pattern: EsNode, target: Scope, scope: Scope): void {
    switch (pattern.type) {
      case 'Identifier':
        target.names.add(pattern.name)
        return
      case 'AssignmentPattern':
        this.#bind(pattern.left, target, scope)
        return this.#visitUnder(pattern, pattern.right, scope)
      case 'RestElement':
        return this.#bind(pattern.argument, target, scope)
      case 'ArrayPattern':
        for (const element of pattern.elements) if (element !== null) this.#bind(element, target, scope)
        return
      case 'ObjectPattern':
        for (const property of pattern.properties) {
          if (property.type === 'RestElement') this.#bind(property.argument, target, scope)
          else {
            if (property.computed) this.visit(property.key, scope)
            this.#bind(property.value, target, scope)
          }
        }
        return
      default:
        // A parameter property of TypeScript; anything else the parser would have refused.
        return this.visit(pattern, target)
    }
  }
}

function child(parent: Scope, takesVar = false): Scope {
  return { parent, takesVar, names: new Set() }
}

function varScope(scope: Scope): Scope {
  let at = scope
  while (!at.takesVar) at = at.parent!
  return at
}
