import { transformSync } from 'oxc-transform'
import { CaptureError } from '../compiler/capture/capture-error.ts'
import { mayHaveKernelFunctions, transformKernelFunctions } from '../compiler/capture/visitor.ts'
import { composeMaps, type RawMap } from './source-map.ts'

/** Source that Node runs: kernel functions captured, types stripped, with its source map inside. */
export function transformSource(code: string, path: string, file: string): string {
  const captured = mayHaveKernelFunctions(code) ? transformKernelFunctions(code, { file }) : null
  if (captured !== null && path.endsWith('.cts')) {
    throw new CaptureError({ file, code, start: 0, end: 0 }, 'kernel functions need an ECMAScript module', 'rename the file to end in .ts or .mts')
  }
  const javaScript = /\.[cm]?js$/.test(path)
  if (javaScript) return captured === null ? code : withMap(captured.code, captured.map, path)
  const stripped = transformSync(path, captured?.code ?? code, {
    lang: 'ts',
    sourceType: path.endsWith('.cts') ? 'commonjs' : 'module',
    sourcemap: true,
    target: `node${process.versions.node.split('.')[0]}`,
    // A const enum of a declaration file, which isolated modules cannot read.
    helpers: { mode: 'Runtime' as never },
  })
  const error = stripped.errors.find(one => one.severity === 'Error')
  if (error !== undefined) {
    const label = error.labels[0]
    throw new CaptureError({ file, code: captured?.code ?? code, start: label?.start ?? 0, end: label?.end ?? 0 }, error.message, error.helpMessage ?? '')
  }
  const map = stripped.map as RawMap
  return withMap(stripped.code, captured === null ? map : composeMaps(map, captured.map as RawMap), path)
}

function withMap(code: string, map: object, path: string): string {
  const json = JSON.stringify({ ...map, version: 3, sources: [path] })
  return `${code}\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(json).toString('base64')}\n`
}
