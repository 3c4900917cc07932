import MagicString, { type SourceMap } from 'magic-string'
import { parseSync } from 'oxc-parser'
import { CaptureError, lineAndColumn } from './capture-error.ts'
import type { EsNode } from './kernel-function.ts'
import { nameOf } from './naming.ts'
import { compactJson, recordSource } from './record.ts'
import { isFree, isFunction, walk, type Scope } from './scope.ts'

export interface TransformOptions {
  /** Path as a person knows it; it goes into messages, and its extension says how to parse. */
  file: string
  /** Module that exports kernelFunction and kernelAst. */
  runtime?: string
}

export interface TransformResult {
  code: string
  map: SourceMap
  /** How many kernel functions were found. */
  functions: number
}

/** A kernel function as found, before its record is written. */
export interface Found {
  node: EsNode
  ancestors: readonly EsNode[]
  /** The scope around the function. */
  scope: Scope
  references: { name: string; scope: Scope }[]
}

interface Edit { code: string; file: string; text: MagicString; /** Statements for the top of the module. */ top: string[] }

/**
 * The one source transform: gives every function whose first statement is 'use bpf' a record of
 * itself (see KernelFunction), and leaves it callable as JavaScript. Null when there is none.
 * The directive is removed, so that a second pass finds nothing; lines stay where they are.
 * Throws CaptureError with the place and a fix.
 */
export function transformKernelFunctions(code: string, options: TransformOptions): TransformResult | null {
  if (!mayHaveKernelFunctions(code)) return null
  const { file, runtime = 'skep/capture' } = options
  const { program, found } = findKernelFunctions(code, file)
  if (found.length === 0) return null
  const edit: Edit = { code, file, text: new MagicString(code), top: [] }
  for (const one of found) rewrite(edit, one)
  const imports = `import { kernelFunction as __skepKernel, kernelAst as __skepAst } from ${JSON.stringify(runtime)}; `
  // On the line of the file's first statement, so that line numbers hold without a source map too.
  const at = program['hashbang'] ? code.indexOf('\n', program['hashbang'].end) + 1 : 0
  edit.text.appendLeft(at, imports + edit.top.join(''))
  return {
    code: edit.text.toString(),
    map: edit.text.generateMap({ hires: 'boundary', source: file, includeContent: true }),
    functions: found.length,
  }
}

/** The kernel functions of a module, in order, those that no rewriting would make right refused. @throws CaptureError */
export function findKernelFunctions(code: string, file: string): { program: EsNode; found: Found[] } {
  const program = parse(code, file)
  return { program, found: find(program, code, file) }
}

/** A quick look that lets nearly all files pass without being parsed. */
export function mayHaveKernelFunctions(code: string): boolean {
  return code.includes(`'use bpf'`) || code.includes(`"use bpf"`)
}

const languages: Record<string, 'ts' | 'tsx' | 'js' | 'jsx'> = { tsx: 'tsx', jsx: 'jsx', js: 'js', mjs: 'js', cjs: 'js' }

function parse(code: string, file: string): EsNode {
  const extension = /\.([a-z]+)$/.exec(file)?.[1] ?? ''
  const { program, errors } = parseSync(file, code, { lang: languages[extension] ?? 'ts', sourceType: 'module', preserveParens: false })
  const first = errors[0]
  if (first !== undefined) {
    const label = first.labels[0]
    throw new CaptureError({ file, code, start: label?.start ?? 0, end: label?.end ?? 0 }, first.message, first.helpMessage ?? '')
  }
  return program as unknown as EsNode
}

function find(program: EsNode, code: string, file: string): Found[] {
  const found: Found[] = []
  let current: Found | undefined
  walk(program, {
    enter(node, ancestors, scope) {
      if (!isFunction(node) || directiveOf(node) === undefined) return
      const one = { node, ancestors: ancestors.slice(), scope, references: [] }
      refuse(one, current, code, file)
      current = one
      found.push(one)
    },
    leave(node) {
      if (node === current?.node) current = undefined
    },
    reference(node, scope) {
      current?.references.push({ name: node.type === 'ThisExpression' ? 'this' : node['name'], scope })
    },
  })
  return found
}

function directiveOf(fn: EsNode): EsNode | undefined {
  const first = fn['body']?.type === 'BlockStatement' ? fn['body'].body[0] : undefined
  return first?.directive === 'use bpf' ? first : undefined
}

/** What no rewriting would make right. */
function refuse({ node, ancestors }: Found, outer: Found | undefined, code: string, file: string): void {
  const fail = (reason: string, fix: string): never => {
    throw new CaptureError({ file, code, ...directivePlace(node) }, reason, fix)
  }
  const parent = ancestors.at(-1)
  if (outer !== undefined) {
    fail(`a kernel function inside a kernel function`, `remove this 'use bpf': what is inside a kernel function runs in the kernel already`)
  }
  if (node['async'] || node['generator']) {
    fail(`a kernel function cannot be ${node['async'] ? 'async' : 'a generator'}`, 'make it an ordinary function: nothing can be awaited in the kernel')
  }
  if (parent?.type === 'Property' || parent?.type === 'MethodDefinition') {
    const kind: string = parent['kind'] === 'get' || parent['kind'] === 'set' ? `${parent['kind']}ter` : parent['kind']
    if (kind !== 'init' && kind !== 'method') fail(`a ${kind} cannot be a kernel function`, 'make it a method')
  }
  if (parent?.type === 'MethodDefinition') {
    if (parent['key'].type === 'PrivateIdentifier') fail('a private method cannot be a kernel function', `name it without '#'`)
    if (parent['computed'] && parent['key'].type !== 'Literal') {
      fail('a method with a computed name cannot be a kernel function', 'give it a plain name')
    }
  }
  if (node.type === 'FunctionDeclaration' && parent?.type === 'SwitchCase') {
    fail('a kernel function declared in a case of a switch', 'put braces around the statements of the case')
  }
  if (parent?.type === 'Property' && parent['method'] && usesSuper(node, code)) {
    fail(`'super' in a kernel function`, 'the kernel has no prototypes; call the function by its name')
  }
}

function directivePlace(fn: EsNode): { start: number; end: number } {
  const { start, end } = directiveOf(fn)!['expression']
  return { start, end }
}

function usesSuper(fn: EsNode, code: string): boolean {
  if (!code.slice(fn.start, fn.end).includes('super')) return false
  let found = false
  walk(fn, { enter: node => { found ||= node.type === 'Super' } })
  return found
}

/** Names that a kernel function takes from outside. */
export function freeNames({ references, scope }: Pick<Found, 'references' | 'scope'>): Set<string> {
  return new Set(references.filter((reference) => isFree(reference.name, reference.scope, scope)).map(({ name }) => name))
}

function rewrite(edit: Edit, { node, ancestors, scope, references }: Found): void {
  const parent = ancestors.at(-1)!
  const method = parent.type === 'MethodDefinition' || (parent.type === 'Property' && parent['method'])
  const start = method ? parent.start : node.start
  const captures = freeNames({ references, scope })
  const record = recordSource({
    name: nameOf(node, ancestors),
    file: edit.file,
    ...lineAndColumn(edit.code, start),
    source: edit.code.slice(start, node.end),
    ast: compactJson(node, start),
    captures,
  })
  const directive = directiveOf(node)!
  edit.text.remove(directive.start, directive.end)
  if (node.type === 'FunctionDeclaration') return declaration(edit, node, ancestors, record)
  if (parent.type === 'MethodDefinition') return classMethod(edit, parent, record)
  if (method) {
    // An anonymous function: a name of its own would hide an outer binding of that name.
    const key: EsNode = parent['key']
    const keyEnd = parent['computed'] ? edit.code.lastIndexOf(']', node.start) + 1 : key.end
    edit.text.appendLeft(keyEnd, ': /* @__PURE__ */ __skepKernel(function')
    edit.text.appendLeft(node.end, `, ${record})`)
    return
  }
  // To the right of the offset: a declaration's statement may go in at the same place, and comes first.
  edit.text.prependRight(node.start, '/* @__PURE__ */ __skepKernel(')
  edit.text.appendLeft(node.end, `, ${record})`)
}

/** Declarations hoist, so their records are tied at the top of the scope that they are declared in. */
function declaration(edit: Edit, node: EsNode, ancestors: readonly EsNode[], record: string): void {
  let name: string | undefined = node['id']?.name
  if (name === undefined) {
    name = '__skepDefault'
    edit.text.appendLeft(node.start + 'function'.length, ` ${name}`)
  }
  const statement = `__skepKernel(${name}, ${record}); `
  const around = ancestors.findLast(one => one.type !== 'ExportNamedDeclaration' && one.type !== 'ExportDefaultDeclaration')
  if (around === undefined || around.type === 'Program') {
    edit.top.push(statement)
    return
  }
  const body: EsNode[] = around['body']
  const directive = body.findLast(one => typeof one['directive'] === 'string')
  const brace = around.type === 'StaticBlock' ? edit.code.indexOf('{', around.start) : around.start
  edit.text.appendLeft(directive?.end ?? brace + 1, `; ${statement}`)
}

/** A static block runs once the class's methods exist. */
function classMethod(edit: Edit, parent: EsNode, record: string): void {
  const key: EsNode = parent['key']
  const member = key.type === 'Identifier' ? `.${key['name']}` : `[${JSON.stringify(key['value'])}]`
  edit.text.appendLeft(parent.end, ` static { __skepKernel(this${parent['static'] ? '' : '.prototype'}${member}, ${record}); }`)
}
