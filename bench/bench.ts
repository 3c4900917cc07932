import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cpus, loadavg, release } from 'node:os'
import { join, resolve } from 'node:path'
import { children } from './child.ts'
import { measurements, type Options } from './measurements.ts'
import { root } from './places.ts'
import { render, type Result } from './table.ts'

const usage = `npm run bench [-- OPTION… NAME…]: measures skep beside peers, in interleaved rounds.

${Object.entries(measurements).map(([name, { summary }]) => `  ${name.padEnd(10)}${summary}`).join('\n')}

  --quick      fewer and shorter rounds
  --json       one JSON object with every sample
  --peer DIR   another checkout of skep, built: measured in the same rounds
  --no-build   measure dist/ as it is

SKEP_BENCH_NODES   further Node executables, separated by ':'
Ratios are medians of the ratios of each round. Absolute figures are those of a machine that others may be using.
`

async function main(args: string[]): Promise<number> {
  const flags = new Set<string>()
  const names: string[] = []
  let peer: string | null = null
  for (let arg = args.shift(); arg !== undefined; arg = args.shift()) {
    if (arg === '--peer') peer = resolve(args.shift() ?? '.')
    else if (arg.startsWith('-')) flags.add(arg)
    else names.push(arg)
  }
  const unknown = [...names.filter((name) => !(name in measurements)), ...[...flags].filter((flag) => !['--quick', '--json', '--no-build', '--help'].includes(flag))]
  if (unknown.length > 0 || flags.has('--help')) {
    process.stdout.write(unknown.length > 0 ? `unknown: ${unknown.join(', ')}\n\n${usage}` : usage)
    return unknown.length > 0 ? 2 : 0
  }
  if (peer !== null && !existsSync(join(peer, 'dist/skep.js'))) throw new Error(`--peer: ${peer} has no dist/skep.js: build it first`)
  const json = flags.has('--json')
  if (!flags.has('--no-build')) execFileSync(process.execPath, ['build/build.mjs'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  const options: Options = { quick: flags.has('--quick'), peer }
  const results: Result[] = []
  if (!json) console.log(`Linux ${release()} ${process.arch}, ${cpus().length} CPUs, Node ${process.version}, load ${loadavg()[0]!.toFixed(1)}`)
  for (const [name, { run }] of Object.entries(measurements)) {
    if (names.length > 0 && !names.includes(name)) continue
    for (const result of await run(options)) {
      results.push(result)
      if (!json) console.log(`\n${render(result)}`)
    }
  }
  if (json) console.log(JSON.stringify({ kernel: release(), node: process.version, cpus: cpus().length, load: loadavg(), results }))
  else console.log(`\nload ${loadavg()[0]!.toFixed(1)} at the end`)
  return 0
}

const [first, name, ...rest] = process.argv.slice(2)
if (first === '--child') await children[name!]!(rest)
else process.exitCode = await main(process.argv.slice(2))
