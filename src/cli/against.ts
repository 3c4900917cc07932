import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Btf, BtfError } from '../btf/btf.ts'
import { kernelBtf } from '../bpf/kernel-btf.ts'
import { portability, type Obstacle, type ProgramPortability } from '../spec/portability.ts'
import type { Spec } from '../spec/spec.ts'
import { paint, span, wantsColor, type Line } from './paint.ts'
import { ProbeFileError } from './probe-file.ts'
import { left } from './text.ts'

/** A kernel whose types were given as a file. */
interface Kernel { name: string; btf: Btf }

/**
 * `--against`: holds the Spec against the types of other kernels, given as files or folders of them, separated by commas.
 * Status 0 when nothing is in the way on any of them. @throws ProbeFileError for files that hold no types
 */
export function checkAgainst(spec: Spec, places: string, flags: ReadonlySet<string>): number {
  const local = spec.btf === null ? null : Btf.parse(spec.btf)
  const results = places.split(',').flatMap(filesOf).map(readKernel).map(({ name, btf }) => ({ kernel: name, programs: portability(spec, local, btf, kernelBtf()) }))
  if (flags.has('json')) {
    for (const result of results) process.stdout.write(`${JSON.stringify(result)}\n`)
  } else {
    const color = wantsColor(process.stdout.isTTY === true, process.env, flags.has('no-color'))
    const lines = [...table(results), ...results.flatMap(({ kernel, programs }) => explained(kernel, programs, spec, local))]
    process.stdout.write(`${lines.map((line) => paint(line, Infinity, color)).join('\n')}\n`)
  }
  return results.every(({ programs }) => programs.every(({ obstacles }) => obstacles.length === 0)) ? 0 : 1
}

function filesOf(place: string): string[] {
  try {
    if (!statSync(place).isDirectory()) return [place]
    const files = readdirSync(place).toSorted().map((name) => join(place, name)).filter((path) => statSync(path).isFile())
    if (files.length === 0) throw new ProbeFileError(`--against: ${place} holds no files`)
    return files
  } catch (error) {
    if (error instanceof ProbeFileError) throw error
    throw new ProbeFileError(`--against: cannot read ${place}: ${(error as Error).message}`, { cause: error })
  }
}

/** Raw BTF, as /sys/kernel/btf/vmlinux is. */
function readKernel(path: string): Kernel {
  try {
    const bytes = new Uint8Array(readFileSync(path))
    if (bytes[0] === 0x7f) throw new ProbeFileError(`--against: ${path} is an ELF file: take its types out with objcopy -O binary --only-section=.BTF ${path} ${basename(path)}.btf`)
    const btf = Btf.parse(bytes)
    if (btf.find('task_struct', 'struct') === 0) throw new ProbeFileError(`--against: ${path} holds types, but not those of a kernel: there is no struct task_struct`)
    return { name: basename(path), btf }
  } catch (error) {
    if (error instanceof BtfError) throw new ProbeFileError(`--against: ${path} holds no types of a kernel: ${error.message}`, { cause: error })
    if ((error as NodeJS.ErrnoException).code !== undefined) throw new ProbeFileError(`--against: cannot read ${path}: ${(error as Error).message}`, { cause: error })
    throw error
  }
}

/** One line a kernel, one column a program. */
function table(results: readonly { kernel: string; programs: ProgramPortability[] }[]): Line[] {
  const names = results[0]?.programs.map(({ program }) => program) ?? []
  const kernels = Math.max(6, ...results.map(({ kernel }) => kernel.length)) + 2
  const columns = names.map((name) => Math.max(name.length, 12) + 2)
  return [
    [span(`${left('KERNEL', kernels)}${names.map((name, index) => left(name, columns[index]!)).join('')}`, 'dim')],
    ...results.map(({ kernel, programs }): Line => [span(left(kernel, kernels)),
      ...programs.map(({ obstacles }, index) => span(left(obstacles.length === 0 ? 'ok' : `${obstacles.length} ${obstacles.length === 1 ? 'obstacle' : 'obstacles'}`, columns[index]!), obstacles.length === 0 ? 'green' : 'red'))]),
  ]
}

function explained(kernel: string, programs: readonly ProgramPortability[], spec: Spec, local: Btf | null): Line[] {
  return programs.flatMap(({ program, obstacles }) => obstacles.map((one): Line => [
    span(`${kernel}: ${program}${placeText(program, one, spec, local)}: `), span(`${one.what} ${one.reason}`, 'red'),
  ]))
}

function placeText(program: string, { slot }: Obstacle, spec: Spec, local: Btf | null): string {
  const found = spec.programs.find(({ name }) => name === program)
  const line = slot === null ? undefined : found?.lines.findLast((one) => one.slot <= slot)
  return line === undefined || local === null ? '' : ` at ${local.string(line.file)}:${line.line}`
}
