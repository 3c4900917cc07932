import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { compileText, clang } from '../spec/elf/testing/toolchain.ts'
import { features, has } from './features.ts'
import type { Feature } from './features.ts'
import { closeKernelBtf } from './kernel-btf.ts'
import { openObjects } from './ledger.ts'
import { cgroup, cgroupRoot, directory } from './testing/places.ts'

const pages = fileURLToPath(new URL('../../docs/library', import.meta.url))
const examples = join(pages, 'examples')
const ready = process.platform === 'linux' && process.getuid?.() === 0 && clang !== undefined && cgroupRoot() !== undefined && has(features.tracepoint)

/** What an example needs beyond root, clang, tracepoints and cgroups. */
const needs: Record<string, Feature> = {
  'bloom-filter': features.bloomFilter, storage: features.taskStorage, arena: features.arena, 'user-ring': features.userRing, tcx: features.tcx,
  network: features.netfilter, xdp: features.xdpLink, token: features.token, 'ring-reader': features.ringBuffer, link: features.attachCookie,
}

/** The examples of a page: `<!-- examples/queue.ts -->`, the file, and what it prints. */
const shown = /<!-- examples\/([\w-]+)\.ts -->\n```ts\n([^]*?)```\n(?:\n```text\n([^]*?)```\n)?/g

describe.runIf(ready)('every example of the documentation runs and prints what it says (features: root, clang, tracepoints, cgroups)', () => {
  const home = process.cwd()
  const place = ready ? directory() : undefined
  const group = ready ? cgroup() : undefined
  beforeAll(() => {
    for (const name of readdirSync(examples).filter((file) => file.endsWith('.bpf.c'))) {
      const object = compileText(readFileSync(join(examples, name), 'utf8'), ['-O2', '-g', '-mcpu=v3'])
      writeFileSync(join(place!.path, name.replace('.c', '.o')), object.bytes)
    }
    execFileSync('ip', ['netns', 'add', 'skep-demo'])
    execFileSync('ip', ['-n', 'skep-demo', 'link', 'set', 'lo', 'up'])
    process.chdir(place!.path)
    process.env['DEMO_CGROUP'] = group!.path
  })
  afterAll(() => {
    process.chdir(home)
    execFileSync('ip', ['netns', 'delete', 'skep-demo'])
    place!.close()
    group!.close()
  })

  test.each(readdirSync(pages).filter((name) => name.endsWith('.md')))('%s', async (page) => {
    const text = readFileSync(join(pages, page), 'utf8')
    expect([...text.matchAll(shown)].length).toBeGreaterThan(0)
    let rendered = text
    for (const [whole, name] of text.matchAll(shown)) {
      // On kernels without the feature the page stays as it is.
      if (needs[name!] !== undefined && !has(needs[name!]!)) continue
      const code = readFileSync(join(examples, `${name}.ts`), 'utf8')
      const output = await run(name!)
      rendered = rendered.replace(whole, () => `<!-- examples/${name}.ts -->\n\`\`\`ts\n${code}\`\`\`\n\n\`\`\`text\n${output}\`\`\`\n`)
    }
    await expect(rendered).toMatchFileSnapshot(join(pages, page))
  })

  test('every example is on a page', () => {
    const used = readdirSync(pages).filter((name) => name.endsWith('.md')).flatMap((page) =>
      Array.from(readFileSync(join(pages, page), 'utf8').matchAll(shown), ([, name]) => `${name}.ts`))
    expect(used.sort()).toEqual(readdirSync(examples).filter((name) => name.endsWith('.ts')).sort())
  })
})

/** Runs an example: what it prints. It must leave nothing open. */
async function run(name: string): Promise<string> {
  const lines: string[] = []
  const { formatWithOptions } = await import('node:util')
  const log = vi.spyOn(console, 'log').mockImplementation((...values) => { lines.push(formatWithOptions({ breakLength: 120 }, ...values)) })
  try {
    await import(join(examples, `${name}.ts`))
  } finally {
    log.mockRestore()
  }
  closeKernelBtf()
  expect(openObjects().map(({ kind, name }) => `${kind} ${name}`)).toEqual([])
  return lines.map((line) => `${line}\n`).join('')
}
