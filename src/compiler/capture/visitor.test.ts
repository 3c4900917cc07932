import { transformSync } from 'oxc-transform'
import { describe, expect, test } from 'vitest'
import { CaptureError } from './capture-error.ts'
import { kernelAst, kernelFunction, recordOf, type EsNode, type KernelFunction } from './kernel-function.ts'
import { transformKernelFunctions } from './visitor.ts'

const bridge = Symbol.for('skep.visitor.test')
;(globalThis as any)[bridge] = { kernelFunction, kernelAst }
const runtime = dataUrl(`export const { kernelFunction, kernelAst } = globalThis[Symbol.for('skep.visitor.test')]`)

function dataUrl(code: string): string {
  return `data:text/javascript,${encodeURIComponent(code)}`
}

const transform = (code: string, file = 'probe.ts') => transformKernelFunctions(code, { file, runtime })

/** Runs TypeScript as a module and gives its exports. */
async function run(code: string): Promise<Record<string, any>> {
  const { code: javaScript, errors } = transformSync('probe.ts', code, { lang: 'ts', sourceType: 'module' })
  expect(errors).toEqual([])
  return import(/* @vite-ignore */ dataUrl(javaScript))
}

const runTransformed = (code: string) => run(transform(code)!.code)

async function record(code: string, name = 'f'): Promise<KernelFunction> {
  const found = recordOf((await runTransformed(code))[name])
  expect(found, `record of ${name}`).toBeDefined()
  return found!
}

const captures = async (code: string, name = 'f') => Object.keys((await record(code, name)).captures).toSorted()

describe('captures', () => {
  const outer = 'const a = 1, b = 2, c = 3, k = "p"; let changing = 0; function other() {}\n'
  const cases: [string, string, string[]][] = [
    ['module variables and functions', `() => { 'use bpf'; other(); return a + b }`, ['a', 'b', 'other']],
    ['no parameters', `(a, [b], { c, x: { k } }, ...other) => { 'use bpf'; return [a, b, c, k, other] }`, []],
    ['defaults of parameters, not their names', `(x = a, { y = b, [k]: z } = {} as any) => { 'use bpf'; return x + y + z }`, ['a', 'b', 'k']],
    ['no locals, wherever they are declared', `() => { 'use bpf'; if (a) { var b = 1 } let c = b; return c }`, ['a']],
    ['block scope ends with its block', `() => { 'use bpf'; { const a = 1; void a } return a }`, ['a']],
    ['a local hides what is outside before its declaration too', `() => { 'use bpf'; const get = () => a; const a = 1; return get }`, []],
    ['loop variables', `() => { 'use bpf'; for (const a of [b]) void a; for (let c = 0; c < 1; c++) void c; return 0 }`, ['b']],
    ['loop variables end with the loop', `() => { 'use bpf'; for (const a of [1]) void a; return a }`, ['a']],
    ['var in a loop does not end with it', `() => { 'use bpf'; for (var a of [1]) void a; return a }`, []],
    ['switch is one scope', `(x) => { 'use bpf'; switch (x) { case a: let b = 1; return b; default: b = 2; return c } }`, ['a', 'c']],
    ['catch parameter', `() => { 'use bpf'; try { return a } catch (b) { return b } }`, ['a']],
    ['nested functions with their parameters', `() => { 'use bpf'; return ((a) => a + b)(c) }`, ['b', 'c']],
    ['a local function declaration is hoisted', `() => { 'use bpf'; return other(); function other() { return a } }`, ['a']],
    ['a default value does not see the body', `(x = a) => { 'use bpf'; var a = 2; return x + a }`, ['a']],
    ['no property names, keys or labels', `(x) => { 'use bpf'; a: for (;;) break a; return { b: x.c, k() {} } }`, []],
    ['computed keys and shorthand', `(x) => { 'use bpf'; return { [k]: x[a], b } }`, ['a', 'b', 'k']],
    ['assignment targets', `(x) => { 'use bpf'; changing++; [changing] = x; ({ c: changing } = x) }`, ['changing']],
    ['no globals', `() => { 'use bpf'; return Math.max(undefined!, Number(1), NaN, missing) }`, []],
    ['globals that the module shadows', `() => { 'use bpf'; return Date }`, ['Date']],
    ['no types', `(x: Type): Type => { 'use bpf'; const y: Type = x as Box<typeof a>; return <Type>y satisfies Type }`, []],
    ['the value under a type', `() => { 'use bpf'; return (a as Type)! + (b satisfies number) + generic<Type>(c) }`, ['a', 'b', 'c', 'generic']],
    ['template strings and optional chains', `(x) => { 'use bpf'; return \`\${a}\${x?.b?.[c]}\` }`, ['a', 'c']],
    ['enums', `() => { 'use bpf'; return Color.red }`, ['Color']],
    ['no own name of a function expression', `function own(n) { 'use bpf'; return n ? own(n - 1) : a }`, ['a']],
    ['classes inside', `() => { 'use bpf'; return class a extends other { [k] = b; static { void c } } }`, ['b', 'c', 'k', 'other']],
    ['awkward names', `() => { 'use bpf'; return __proto__ + $ }`, ['$', '__proto__']],
  ]
  const types = `type Type = any; interface Box<T> {}; enum Color { red }; const Date = 1, __proto__ = 1, $ = 2; function generic<T>(x: any) {}\n`
  test.each(cases)('%s', async (_, fn, expected) => {
    expect(await captures(`${outer}${types}declare const missing: any\nexport const f = ${fn}`)).toEqual(expected)
  })

  test('are thunks: later assignments are seen', async () => {
    const code = `let n = 1; export const set = (x) => { n = x }; export const f = () => { 'use bpf'; return n }`
    const exports = await runTransformed(code)
    const { n } = recordOf(exports['f'])!.captures
    expect(n!()).toBe(1)
    exports['set'](7)
    expect(n!()).toBe(7)
  })

  test('take imports, but not those of types', async () => {
    const code = `import { type Stats, cwd } from 'node:process'; import type { X } from 'nowhere'
      import * as os from 'node:os'; import path from 'node:path'
      export const f = (x: X, y: Stats) => { 'use bpf'; return [cwd, os, path] }`
    const { captures } = await record(code)
    expect(Object.keys(captures).toSorted()).toEqual(['cwd', 'os', 'path'])
    expect(captures['cwd']!()).toBe(process.cwd)
  })

  test('of a function made in a function are those of its own closure', async () => {
    const code = `const make = (n) => { const twice = n * 2; return (x) => { 'use bpf'; return x + twice + n } }
      export const f = make(1), g = make(10)`
    const exports = await runTransformed(code)
    const values = (name: string) => Object.fromEntries(Object.entries(recordOf(exports[name])!.captures).map(([key, get]) => [key, get()]))
    expect(values('f')).toEqual({ n: 1, twice: 2 })
    expect(values('g')).toEqual({ n: 10, twice: 20 })
  })

  test('of an arrow in a class have this', async () => {
    const code = `class Probe { constructor(n) { this.n = n } n; f = () => { 'use bpf'; return this.n } }
      export const probe = new Probe(3); export const f = probe.f`
    expect((await record(code)).captures['this']!()).toMatchObject({ n: 3 })
  })
})

describe('forms', () => {
  const forms: [string, string, { name: string; type: string; line?: number; column?: number }][] = [
    ['arrow', `export const f = (a) => { 'use bpf'; return a + 1 }`, { name: 'f', type: 'ArrowFunctionExpression', line: 1, column: 18 }],
    ['double quotes', `export const f = (a) => { "use bpf"; return a + 1 }`, { name: 'f', type: 'ArrowFunctionExpression' }],
    ['no semicolons', `export const f = (a) => {\n  'use bpf'\n  return a + 1\n}`, { name: 'f', type: 'ArrowFunctionExpression' }],
    ['function expression', `export const f = function (a) { 'use bpf'; return a + 1 }`, { name: 'f', type: 'FunctionExpression' }],
    ['its own name first', `export const f = function g(a) { 'use bpf'; return a + 1 }`, { name: 'g', type: 'FunctionExpression' }],
    ['parenthesised', `export const f = ((a) => { 'use bpf'; return a + 1 }) as (a: number) => number`, { name: 'f', type: 'ArrowFunctionExpression' }],
    ['exported declaration', `\n  export function f(a) { 'use bpf'; return a + 1 }`, { name: 'f', type: 'FunctionDeclaration', line: 2, column: 10 }],
    ['declaration used before it stands there', `export { f }; const early = f(1); function f(a) { 'use bpf'; return a + 1 }`,
      { name: 'f', type: 'FunctionDeclaration' }],
    ['overloads', `export function f(a: number): number\nexport function f(a: any) { 'use bpf'; return a + 1 }`, { name: 'f', type: 'FunctionDeclaration', line: 2 }],
    ['declaration in a function', `export const f = (() => { 'use strict'; return g; function g(a) { 'use bpf'; return a + 1 } })()`,
      { name: 'g', type: 'FunctionDeclaration' }],
    ['declaration in a block', `export let f; { f = g; function g(a) { 'use bpf'; return a + 1 } }`, { name: 'g', type: 'FunctionDeclaration' }],
    ['declaration in a static block', `export let f; class C { static { f = g; function g(a) { 'use bpf'; return a + 1 } } }`,
      { name: 'g', type: 'FunctionDeclaration' }],
    ['block that begins with an expression', `export let f; {(a => { 'use bpf'; return a })(1); function g(a) { 'use bpf'; return a + 1 } f = g }`,
      { name: 'g', type: 'FunctionDeclaration' }],
    ['argument of a call', `const wrap = (name, fn) => fn; export const f = wrap('x', (a) => { 'use bpf'; return a + 1 })`, { name: 'f', type: 'ArrowFunctionExpression' }],
    ['argument of nested calls', `const wrap = fn => fn; export const f = wrap(wrap(a => { 'use bpf'; return a + 1 }))`, { name: 'f', type: 'ArrowFunctionExpression' }],
    ['assignment', `export let f; f = (a) => { 'use bpf'; return a + 1 }`, { name: 'f', type: 'ArrowFunctionExpression' }],
    ['assignment to a property', `const o: any = {}; o.add = (a) => { 'use bpf'; return a + 1 }; export const f = o.add`, { name: 'add', type: 'ArrowFunctionExpression' }],
    ['property', `const o = { 'add': (a) => { 'use bpf'; return a + 1 } }; export const f = o.add`, { name: 'add', type: 'ArrowFunctionExpression' }],
    ['method of an object', `const o = { add(a) { 'use bpf'; return a + 1 } }; export const f = o.add`, { name: 'add', type: 'FunctionExpression' }],
    ['method with a computed name', `const k = 'x]'; const o = { [k + (')')](a) { 'use bpf'; return a + 1 } }; export const f = o['x])']`, { name: '', type: 'FunctionExpression' }],
    ['generic method', `const o = { 'add'<T>(a: T) { 'use bpf'; return a as any + 1 } }; export const f = o.add`, { name: 'add', type: 'FunctionExpression' }],
    ['method whose name is bound outside', `const add = 1; const o = { add(a) { 'use bpf'; return a + add } }; export const f = o.add`, { name: 'add', type: 'FunctionExpression' }],
    ['method of a class', `class C { add(a) { 'use bpf'; return a + 1 } other() {} }; export const f = C.prototype.add`, { name: 'add', type: 'FunctionExpression' }],
    ['static method of an anonymous class', `const D = class { static 'add-it'(a) { 'use bpf'; return a + 1 } }; export const f = D['add-it']`,
      { name: 'add-it', type: 'FunctionExpression' }],
    ['field of a class', `class C { add = (a) => { 'use bpf'; return a + 1 } }; export const f = new C().add`, { name: 'add', type: 'ArrowFunctionExpression' }],
    ['default value', `const { f = (a) => { 'use bpf'; return a + 1 } } = {} as any; export { f }`, { name: 'f', type: 'ArrowFunctionExpression' }],
    ['element of a list', `export const [f] = [(a) => { 'use bpf'; return a + 1 }]`, { name: '', type: 'ArrowFunctionExpression' }],
    ['hashbang', `#!/usr/bin/env skep\nexport const f = (a) => { 'use bpf'; return a + 1 }`, { name: 'f', type: 'ArrowFunctionExpression', line: 2 }],
    ['in a namespace', `namespace N { export function g(a) { 'use bpf'; return a + 1 } }; export const f = N.g`, { name: 'g', type: 'FunctionDeclaration' }],
  ]
  test.each(forms)('%s', async (_, code, { name, type, line, column }) => {
    const exports = await runTransformed(code)
    expect(exports['f'](1)).toBe(2)
    const found = recordOf(exports['f'])!
    expect(found).toMatchObject({ v: 1, name, file: 'probe.ts', ast: { type } })
    if (line !== undefined) expect(found.line).toBe(line)
    if (column !== undefined) expect(found.column).toBe(column)
    expect(code.split('\n')[found.line - 1]!.slice(found.column - 1)).toBe(found.source.split('\n')[0] + code.split('\n')[found.line - 1]!.slice(found.column - 1 + found.source.split('\n')[0]!.length))
  })

  test('export default, with and without a name', async () => {
    const anonymous = await runTransformed(`export default function <T>(a: T) { 'use bpf'; return a }`)
    expect(anonymous['default'](5)).toBe(5)
    expect(recordOf(anonymous['default'])).toMatchObject({ name: 'default', ast: { type: 'FunctionDeclaration' } })
    const named = await runTransformed(`export default function g(a) { 'use bpf'; return a }`)
    expect(recordOf(named['default'])!.name).toBe('g')
    const arrow = await runTransformed(`export default (a) => { 'use bpf'; return a }`)
    expect(recordOf(arrow['default'])!.name).toBe('default')
  })

  test('many in one file', () => {
    const code = `export function a() { 'use bpf' }\nconst list = [() => { 'use bpf' }, () => { 'use bpf' }]\nclass C { m() { 'use bpf' }n() { 'use bpf' } }`
    expect(transform(code)!.functions).toBe(5)
  })
})

describe('what is no kernel function stays as it is', () => {
  test.each([
    ['no directive', `export const f = () => 1`],
    ['the words in a string', `export const f = () => { const s = 'use bpf'; return s }`],
    ['not the first statement', `export const f = () => { f(); 'use bpf' }`],
    ['in parentheses', `export const f = () => { ('use bpf') }`],
    ['after another directive', `export const f = () => { 'use strict'; 'use bpf' }`],
    ['of the module', `'use bpf'\nexport const f = () => 1`],
    ['in a comment', `// 'use bpf'\nexport const f = () => 1`],
  ])('%s', (_, code) => {
    expect(transform(code)).toBeNull()
  })

  test('transformed code', () => {
    const once = transform(`export function g() { "use bpf"; return 'x' }\nexport const f = (a) => { 'use bpf'; return g() + a }`)!
    expect(transform(once.code)).toBeNull()
  })
})

describe('errors', () => {
  test.each([
    ['kernel function in a kernel function', `const f = () => { 'use bpf'; return [1].map((x) => { 'use bpf'; return x }) }`, /inside a kernel function/, 1, 54],
    ['async', `\n  const f = async () => { 'use bpf' }`, /async/, 2, 27],
    ['generator', `function* f() { 'use bpf' }`, /generator/, 1, 17],
    ['getter', `const o = { get f() { 'use bpf'; return 1 } }`, /getter/, 1, 23],
    ['setter', `class C { set f(x) { 'use bpf' } }`, /setter/, 1, 22],
    ['constructor', `class C { constructor() { 'use bpf' } }`, /constructor/, 1, 27],
    ['private method', `class C { #m() { 'use bpf' } }`, /private/, 1, 18],
    ['class method with a computed name', `class C { [k]() { 'use bpf' } }`, /computed/, 1, 19],
    ['super', `const o = { m() { 'use bpf'; return super.m() } }`, /super/, 1, 19],
    ['case of a switch', `switch (1) { case 1: function f() { 'use bpf' } }`, /switch/, 1, 37],
    ['syntax', `const f = () => { 'use bpf' }\nlet x = ;`, /Unexpected token/, 2, 9],
  ])('%s', (_, code, reason, line, column) => {
    let thrown: unknown
    try {
      transform(code, 'dir/probe.ts')
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(CaptureError)
    const error = thrown as CaptureError
    expect(error.reason).toMatch(reason)
    expect(error).toMatchObject({ file: 'dir/probe.ts', line, column })
    expect(error.message).toContain(`dir/probe.ts:${line}:${column}: ${error.reason}`)
    expect(error.frame.split('\n')[1]!.indexOf('^') - error.frame.split('\n')[0]!.indexOf('|') - 2).toBe(column - 1)
  })
})

describe('ast', () => {
  const code = [
    `import { hash } from 'node:crypto'; const é = '😀'; const table = new Map<number, bigint>()`,
    `export function f(this: void, task: { pid: number, name?: string }, { a, b: [c] = [1], ...rest }: any, d = 0x10, ...more: number[]) {`,
    `  'use bpf'`,
    `  const big: bigint = 5n, negative = -1, text = "it's \\"quoted\\" \\\\ \\u2028 😀", nothing = null, yes = true, no = false`,
    `  let found = table.get(task.pid)! as bigint, é2 = é; label: for (const i of [1, , 2]) { if (i! > d) continue label; else break }`,
    `  switch (task?.name) { case 'x': { found ??= big ** 2n; break } default: found += (1n) }`,
    `  const shape = { a, 'b-c': 1, [text]: 2, m() { return 1 }, get x() { return 2 }, ...rest } satisfies object`,
    `  return no ? \`t\${a}u\${c}\` : (x: number) => /re+/g.test(String(1e999 + x)) && !yes && typeof nothing && negative`,
    `}`,
  ].join('\n')

  const nodes = (root: unknown): EsNode[] => {
    if (typeof root !== 'object' || root === null) return []
    const below = Object.values(root).flatMap(nodes)
    return typeof (root as EsNode).type === 'string' ? [root as EsNode, ...below] : below
  }

  test('offsets point at the node in the source', async () => {
    const { source, ast } = await record(code)
    expect(code).toContain(source)
    expect([ast.start, ast.end]).toEqual([0, source.length])
    const all = nodes(ast)
    expect(all.length).toBeGreaterThan(150)
    for (const node of all) {
      const text = source.slice(node.start, node.end)
      if (node.type === 'Identifier') expect(text.replace(/[?]?:[^]*/, '')).toBe(node['name'])
      if (node.type === 'Literal' && 'value' in node) expect(evaluateLiteral(text)).toBe(node['value'])
      if (node.type === 'Literal' && 'bigint' in node) expect(text).toBe(`${node['bigint']}n`)
      if (node.type === 'TemplateElement') expect(text).toContain(node['value'].raw)
    }
  })

  const evaluateLiteral = (text: string): unknown => {
    // eslint-disable-next-line no-new-func
    return new Function(`return ${text}`)()
  }

  test('keeps what the compiler needs and drops defaults', async () => {
    const { ast } = await record(code)
    const all = nodes(ast)
    for (const node of all) {
      for (const [key, value] of Object.entries(node)) {
        if (node.type === 'Literal' && key === 'value') continue
        expect(value, `${node.type}.${key}`).not.toBeOneOf([null, undefined, false])
      }
    }
    expect(all.filter(node => node.type === 'Literal' && node['value'] === null)).toHaveLength(1)
    expect(all.filter(node => node.type === 'Literal' && node['value'] === false)).toHaveLength(1)
    expect(all.filter(node => node['bigint'] !== undefined).map(node => node['bigint'])).toEqual(['5', '2', '1'])
    expect(all.find(node => node['regex'] !== undefined)).not.toHaveProperty('value')
    expect(all.map(node => node.type)).toEqual(expect.arrayContaining(['TSTypeAnnotation', 'TSAsExpression', 'TSNonNullExpression', 'TSSatisfiesExpression']))
    expect(all.map(node => node.type)).not.toContain('ParenthesizedExpression')
    const holes = all.find(node => node.type === 'ArrayExpression' && node['elements'].length === 3)
    expect(holes!['elements'][1]).toBeNull()
  })

  test('is parsed once', async () => {
    const one = await record(`export const f = () => { 'use bpf' }`)
    expect(one.ast).toBe(one.ast)
    expect({ ...one }.ast).toBe(one.ast)
  })

  test('of a method begins after its name, and the source with it', async () => {
    const { source, ast } = await record(`const o = { m(x) { 'use bpf'; return x } }; export const f = o.m`)
    expect(source).toBe(`m(x) { 'use bpf'; return x }`)
    expect(source.slice(ast.start, ast.end)).toBe(`(x) { 'use bpf'; return x }`)
  })
})

describe('lines and source map', () => {
  const code = `import 'node:os'\nexport const f = (a) => {\n  'use bpf'\n  const b = a\n  return b.missing.field\n}\nexport function g() { 'use bpf' }\nexport const after = 1 // here\n`

  test('lines stay', () => {
    const lines = transform(code)!.code.split('\n')
    expect(lines).toHaveLength(code.split('\n').length)
    expect(lines[4]).toBe('  return b.missing.field')
    expect(lines[7]).toBe('export const after = 1 // here')
  })

  test('the map leads back to the original place', async () => {
    const { SourceMap } = await import('node:module')
    const { code: output, map } = transform(code)!
    expect(map.sourcesContent).toEqual([code])
    const lines = output.split('\n')
    for (const word of ['after', 'missing', 'return']) {
      const line = lines.findIndex(text => text.startsWith('  return') || text.startsWith('export const after') ? text.includes(word) : false)
      const at = new SourceMap(map as any).findEntry(line, lines[line]!.indexOf(word)) as { originalLine: number; originalColumn: number }
      const text = code.split('\n')[at.originalLine]!
      expect(text.slice(at.originalColumn).startsWith(word), `${word} → ${at.originalLine}:${at.originalColumn}`).toBe(true)
    }
  })
})

describe('the functions stay what they were', () => {
  const programs = [
    `const t = new Map(); function count(k, by = 1) { 'use bpf'; t.set(k, (t.get(k) ?? 0) + by) }
     export const result = () => { for (const k of 'abcab') count(k); return [...t] }`,
    `const gcd = (a, b) => { 'use bpf'; return b === 0 ? a : gcd(b, a % b) }; export const result = () => [gcd(12, 18), gcd(7, 3), gcd.length]`,
    `class Stack { #items = []; push(x) { 'use bpf'; this.#items.push(x); return this.#items.length } static of() { 'use bpf'; return new Stack() } }
     export const result = () => { const s = Stack.of(); return [s.push(1), s.push(2), Object.getOwnPropertyNames(Stack.prototype)] }`,
    `const o = { n: 2, times(x) { 'use bpf'; return x * this.n }, plus: function (x) { 'use bpf'; return x + this.n } }
     export const result = () => [o.times(4), o.plus(4), Object.keys(o)]`,
    `export const result = () => { const out = []; for (let i = 0; i < 3; i++) out.push(() => { 'use bpf'; return i }); return out.map(f => f()) }`,
    `const f = (a, { b = a, ...rest }, [c, ...d]) => { 'use bpf'; return { a, b, c, d, rest } }; export const result = () => f(1, { x: 2 } as any, [3, 4, 5])`,
    `export const result = () => (function () { 'use bpf'; return [...arguments, this === undefined] })(1, 2)`,
    `let log = []; const f = (x) => { 'use bpf'
      log.push(x)
      return x }
     export const result = () => [f(1), f(2), log]`,
    `export const result = () => { let x = 0
      ;(() => { "use bpf"; x++ })()
      return x }`,
  ]
  test.each(programs)('%s', async program => {
    const transformed = await runTransformed(program)
    expect(transformed['result']()).toEqual((await run(program))['result']())
  })
})
