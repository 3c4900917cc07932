import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const programs = fileURLToPath(new URL('programs', import.meta.url))

/** Whether a C compiler is there: the feature 'cc'. */
export function hasCompiler(): boolean {
  return spawnSync('cc', ['--version'], { stdio: 'ignore' }).status === 0
}

/** A folder with the programs that tests trace, and the executable beside it. */
export function buildBench(): { folder: string; executable: string; close(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'skep-bpftrace-'))
  for (const name of ['testprogs', 'testlibs']) mkdirSync(join(folder, name))
  for (const file of readdirSync(programs).filter((one) => one.endsWith('.c'))) {
    const name = file.slice(0, -2)
    const source = join(programs, file)
    if (name.startsWith('lib')) compile(['-shared', '-fPIC', '-o', join(folder, 'testlibs', `${name}.so`), source])
    else compile(['-g', '-O0', '-fno-omit-frame-pointer', '-no-pie', '-pthread', '-Wl,--build-id', '-o', join(folder, 'testprogs', name), source])
  }
  compile(['-g', '-O0', '-pie', '-fPIE', '-o', join(folder, 'testprogs', 'uprobe_test-pie'), join(programs, 'uprobe_test.c')])
  // Below dist, so that the packages are found as in the product.
  const executable = join(root, 'dist', `test-bpftrace-${process.pid}.js`)
  const built = spawnSync(process.execPath, ['build/run.mjs', '--out', executable, 'src/cli/bpftrace/start.ts'], { cwd: root, encoding: 'utf8' })
  if (built.status !== 0 || !existsSync(executable)) throw new Error(`bpftrace was not built: ${built.stderr}`)
  return {
    folder, executable,
    close() {
      rmSync(folder, { recursive: true, force: true })
      rmSync(executable, { force: true })
    },
  }
}

function compile(args: readonly string[]): void {
  const { status, stderr } = spawnSync('cc', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`cc ${args.join(' ')}: ${stderr}`)
}
