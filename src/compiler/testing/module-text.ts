import { transformSync } from 'oxc-transform'
import { kernelAst, kernelFunction } from '../capture/kernel-function.ts'
import { transformKernelFunctions } from '../capture/visitor.ts'

/**
 * Runs a module given as text, kernel functions captured as everywhere, and gives its exports. What it imports comes
 * from `names`, whatever the specifiers say; `early` is called with the exports so far where the text says `compileNow()`.
 * Lines are one further down than in the text, since the imports stand on a line of their own.
 */
export function evaluateModule(code: string, file: string, names: Record<string, unknown>, early: (module: Record<string, unknown>) => void = () => {}): Record<string, unknown> {
  const imports = /^import [^\n]*\n/gm
  const declared = new Set([...code.replace(imports, '').matchAll(/^(?:export )?(?:const|let|function|async function) (\w+)/gm)].map((match) => match[1]!))
  const known = Object.fromEntries(Object.entries({ ...names, compileNow: () => {} }).filter(([name]) => !declared.has(name)))
  // On the first line, so that the others keep their distances.
  const prologue = `import { ${Object.keys(known).join(', ')} } from 'surroundings'`
  const captured = transformKernelFunctions(`${prologue}\n${code.replace(imports, '\n')}`, { file })
  const script = transformSync(file, (captured?.code ?? code).replace(/import \{[^}]*\} from ["'][^"']*["'];?/g, ''), { lang: 'ts' }).code
  const exported = [...code.matchAll(/^export (?:const|function) (\w+)/gm)].map((match) => match[1]!)
  const result = `{ ${exported.join(', ')} }`
  const scope = { ...known, __skepKernel: kernelFunction, __skepAst: kernelAst, __early: early }
  const body = script.replace(/^export (?!\{)/gm, '').replace(/^export \{.*$/gm, '').replace('compileNow()', `__early(${result})`)
  // oxlint-disable-next-line no-new-func
  return new Function(...Object.keys(scope), `${body}\n;return ${result}`)(...Object.values(scope))
}
