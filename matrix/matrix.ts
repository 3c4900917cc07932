/**
 * npm run matrix [-- --kernel 6.12 …] [--json] [--keep]: boots Debian kernels under QEMU and runs the checks of checks.ts in them.
 * Status 0 when every check passed on every kernel, 1 when one failed, 2 when a kernel or QEMU could not be had.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { bootGuest, type GuestRun } from './guest.ts'
import { initramfs, repositoryOf } from './initramfs.ts'
import { kernels, type MatrixKernel } from './kernels.ts'
import { kernelFiles } from './packages.ts'

interface Row { check: string; result: 'pass' | 'FAIL' | 'absent'; detail: string }
interface Column { kernel: MatrixKernel; release: string; rows: Row[]; run: GuestRun | null; failure: string | null }

/** Boot and checks take one to two minutes; a machine that is busy otherwise may need several times that. */
const limitSeconds = 600

const { values } = parseArgs({ options: { kernel: { type: 'string', multiple: true }, json: { type: 'boolean' }, keep: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } })
if (values.help === true) {
  console.log(`npm run matrix [-- OPTIONS]\n  --kernel RELEASE  one of ${kernels.map(({ name }) => name).join(', ')}; may be given several times (default: all)\n  --json            results as one JSON object a kernel\n  --keep            keep the consoles of the guests`)
  process.exit(0)
}
const unknown = values.kernel?.filter((name) => !kernels.some((kernel) => kernel.name === name)) ?? []
if (unknown.length > 0) {
  console.error(`matrix: no kernel ${unknown.join(', ')}; there are ${kernels.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}
const chosen = kernels.filter(({ name }) => values.kernel === undefined || values.kernel.includes(name))

const root = repositoryOf(new URL(import.meta.url).pathname)
const folder = mkdtempSync(join(tmpdir(), 'skep-matrix-'))
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
process.once('exit', () => { if (values.keep !== true) rmSync(folder, { recursive: true, force: true }) })

const checks = join(folder, 'checks.js')
const bundled = spawnSync(process.execPath, [join(root, 'build/run.mjs'), '--out', checks, join(root, 'matrix/checks.ts')], { stdio: 'inherit' })
if (bundled.status !== 0) process.exit(2)

const columns: Column[] = []
for (const kernel of chosen) columns.push(await runKernel(kernel))
if (values.json === true) for (const { kernel, release, rows, failure, run } of columns) console.log(JSON.stringify({ kernel: kernel.name, release, rows, splats: run?.splats ?? [], failure }))
else printTable(columns)
const impossible = columns.some(({ run }) => run === null)
const failed = columns.some(({ rows, failure, run }) => failure !== null || (run?.splats.length ?? 0) > 0 || rows.some(({ result }) => result === 'FAIL'))
process.exitCode = impossible ? 2 : failed ? 1 : 0

async function runKernel(kernel: MatrixKernel): Promise<Column> {
  const note = (text: string) => console.error(`matrix: ${kernel.name}: ${text}`)
  try {
    const files = await kernelFiles(kernel, note)
    note(`booting ${files.release}`)
    const place = join(folder, kernel.name)
    mkdirSync(place)
    const run = await bootGuest(files, initramfs(files, { root, checks }), place, limitSeconds)
    if (values.keep === true) {
      writeFileSync(join(place, 'console'), run.console)
      note(`console in ${join(place, 'console')}`)
    }
    const lines = run.results.map((line) => JSON.parse(line) as Row & { exit?: number })
    const exit = lines.find((line) => line.exit !== undefined)?.exit
    const failure = run.failure ?? (exit === 0 ? null : `the checks ended with status ${exit ?? 'unknown'}: ${run.console.trim().split(/\r?\n/).slice(-12).join('\n')}`)
    note(`${failure === null ? 'done' : `failed: ${failure}`} after ${Math.round(run.seconds)} s${run.splats.length > 0 ? `; the kernel said: ${run.splats.join(' | ')}` : ''}`)
    return { kernel, release: files.release, rows: lines.filter(({ check }) => check !== undefined), run, failure }
  } catch (error) {
    note((error as Error).message)
    return { kernel, release: '-', rows: [], run: null, failure: (error as Error).message }
  }
}

/** Check × kernel; what failed is explained below. */
function printTable(all: readonly Column[]): void {
  const names = [...new Set(all.flatMap(({ rows }) => rows.map(({ check }) => check)))]
  const width = Math.max(...names.map((name) => name.length), 6) + 2
  console.log(`${'CHECK'.padEnd(width)}${all.map(({ release }) => release.replace(/-cloud-.*/, '').padEnd(18)).join('')}`)
  for (const name of names) {
    console.log(`${name.padEnd(width)}${all.map(({ rows }) => (rows.find(({ check }) => check === name)?.result ?? '-').padEnd(18)).join('')}`)
  }
  for (const { kernel, rows, failure } of all) {
    for (const { check, result, detail } of rows) if (result !== 'pass') console.log(`${kernel.name}: ${check}: ${result}: ${detail}`)
    if (failure !== null) console.log(`${kernel.name}: ${failure}`)
  }
}
