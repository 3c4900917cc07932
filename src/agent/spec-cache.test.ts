import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { compileModule } from '../compiler/compile.ts'
import { smallKernel } from '../compiler/testing/small-kernel.ts'
import { catalogue } from '../probes/catalogue.ts'
import { SpecCache } from './spec-cache.ts'

const folder = mkdtempSync(join(tmpdir(), 'skep-specs-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const btf = smallKernel()
const compile = (module: Record<string, unknown>, name: string) => () => compileModule(module, { btf, name })
const never = () => { throw new Error('it was compiled again') }

test.each(Object.entries(catalogue))('%s is what compiling gives, with its maps', (name, module) => {
  const first = new SpecCache(folder, `one-${name}`)
  const fresh = first.compiled(name, module, compile(module, name))
  first.save()
  const kept = new SpecCache(folder, `one-${name}`).compiled(name, module, never)
  expect(kept.spec).toEqual(fresh.spec)
  for (const [map, declaration] of kept.maps) expect(fresh.maps.get(map)).toBe(declaration)
  // Every map that a signal or an export has is found again.
  const exported = new Set(Object.values(module).flatMap((value: any) => [value, value?.map, value?.lost, value?.ring]))
  const wanted = [...fresh.maps].filter(([, declaration]) => exported.has(declaration)).map(([map]) => map)
  expect([...kept.maps.keys()].toSorted()).toEqual(wanted.toSorted())
})

test('another program or kernel has another file, and the old one goes', () => {
  const old = new SpecCache(folder, 'old')
  old.compiled('block', catalogue.block, compile(catalogue.block, 'block'))
  old.save()
  const next = new SpecCache(folder, 'new')
  let compiled = 0
  next.compiled('block', catalogue.block, () => { compiled++; return compile(catalogue.block, 'block')() })
  next.save()
  expect(compiled).toBe(1)
  expect(readdirSync(folder)).toEqual(['built-in-new.json'])
})

test.each([['cut off', (path: string) => truncateSync(path, 1000)], ['empty', (path: string) => writeFileSync(path, '')]])('a file that is %s is made anew', (_what, damage) => {
  const cache = new SpecCache(folder, 'damaged')
  const fresh = cache.compiled('block', catalogue.block, compile(catalogue.block, 'block'))
  cache.save()
  damage(join(folder, 'built-in-damaged.json'))
  expect(new SpecCache(folder, 'damaged').compiled('block', catalogue.block, () => fresh)).toBe(fresh)
})

test('a folder that cannot be written costs nothing', () => {
  const cache = new SpecCache('/proc/nowhere', 'x')
  const fresh = cache.compiled('block', catalogue.block, compile(catalogue.block, 'block'))
  expect(() => cache.save()).not.toThrow()
  expect(fresh.spec.programs.length).toBeGreaterThan(0)
})

test('without an identity there is no cache', () => {
  expect(SpecCache.open(folder, join(folder, 'no-such-program'))).toBeNull()
})
