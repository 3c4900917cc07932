import { SourceMap } from 'node:module'
import { expect, test } from 'vitest'
import { decodeMappings } from './source-map.ts'
import { transformSource } from './transform.ts'

const code = `import { ktime } from 'skep'
interface Row { id: number }
const first = (row: Row): number => { 'use bpf'; const second: number = row.id; return second + ktime() }
export function third<T extends Row>(fourth: T): T {
  'use bpf'
  return fourth as T
}
type Gone = {
  a: 1
}
export const fifth: Gone | undefined = undefined, sixth = first({ id: 1 })
`

test('after two steps every name still leads to its place in the original', () => {
  const output = transformSource(code, '/app/probe.ts', 'probe.ts')
  const [javaScript, comment] = output.split('//# sourceMappingURL=data:application/json;base64,')
  const payload = JSON.parse(Buffer.from(comment!, 'base64').toString())
  expect(payload).toMatchObject({ version: 3, sources: ['/app/probe.ts'], sourcesContent: [code] })
  const map = new SourceMap(payload)
  for (const name of ['first =', 'second =', 'third', 'fourth', 'fifth', 'sixth', 'return fourth', 'first({']) {
    // Records hold the source text too: the last occurrence in the output is the code itself.
    const at = javaScript!.lastIndexOf(name)
    const line = javaScript!.slice(0, at).split('\n').length - 1
    const column = at - javaScript!.lastIndexOf('\n', at) - 1
    const entry = map.findEntry(line, column) as { originalLine: number; originalColumn: number }
    const original = code.split('\n')[entry.originalLine]!.slice(entry.originalColumn)
    expect(original.startsWith(name.split(/[ ({]/)[0]!), `${name} → ${original}`).toBe(true)
  }
})

test('VLQ: signs, continuation and empty lines', () => {
  expect(decodeMappings('AAAA,gBACD;;2HwDD')).toEqual([[[0, 0, 0, 0], [16, 0, 1, -1]], [], [[123, 56, 0]]])
  expect(() => decodeMappings('A!')).toThrow(RangeError)
})
