import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
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
  // Libraries first: programs are linked with them.
  const files = readdirSync(programs).filter((one) => one.endsWith('.c')).sort(
    (a, b) => Number(b.startsWith('lib')) - Number(a.startsWith('lib')),
  )
  for (const file of files) {
    const name = file.slice(0, -2)
    const source = join(programs, file)
    if (name.startsWith('lib')) compile(['-shared', '-fPIC', '-o', join(folder, 'testlibs', `${name}.so`), source])
    else compile(['-g', '-O0', '-fno-omit-frame-pointer', '-no-pie', '-pthread', '-Wl,--build-id', '-o', join(folder, 'testprogs', name), source,
      ...(name === 'usdt_lib' ? [`-L${folder}/testlibs`, '-lusdt_tp', `-Wl,-rpath,${folder}/testlibs`] : [])])
  }
  compile(['-g', '-O0', '-o', join(folder, 'testprogs', 'usdt_test-two'), join(programs, 'usdt_test.c')])
  // xor eax, eax; ret
  writeFileSync(join(folder, 'testprogs', 'false.bin'), Buffer.concat([Buffer.from([0x31, 0xc0, 0xc3]), Buffer.alloc(4093)]))
  compile(['-g', '-O0', '-pie', '-fPIE', '-o', join(folder, 'testprogs', 'uprobe_test-pie'), join(programs, 'uprobe_test.c')])
  // Where packages are found, and no build tidies up.
  const executable = join(root, 'node_modules/.cache/skep', `test-bpftrace-${process.pid}.js`)
  const built = spawnSync(
    process.execPath, ['build/run.mjs', '--out', executable, 'src/cli/bpftrace/start.ts'], { cwd: root, encoding: 'utf8' },
  )
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
