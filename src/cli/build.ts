import { writeFileSync } from 'node:fs'
import { basename, extname } from 'node:path'
import { ObjectError } from '../spec/elf/error.ts'
import { writeObject } from '../spec/elf/write.ts'
import { firstKernel, requirementsOf } from '../spec/requirements.ts'
import type { Arguments } from './arguments.ts'
import { compileProbe, importProbe, ProbeFileError } from './probe-file.ts'

/** `skep build file.ts -o file.bpf.o`: a portable object that libbpf and bpftool load. Needs the types of the running kernel, no privileges. */
export async function buildObject({ values, positional }: Arguments): Promise<number> {
  const path = positional[0]!
  const output = values.get('output') ?? `${basename(path, extname(path))}.bpf.o`
  try {
    const { spec } = compileProbe(path, await importProbe(path))
    writeFileSync(output, writeObject(spec))
    process.stderr.write(`skep: wrote ${output}: ${spec.programs.length} programs, ${spec.maps.length} maps; needs Linux ${firstKernel(requirementsOf(spec))}\n`)
    return 0
  } catch (error) {
    const known = error instanceof ProbeFileError || error instanceof ObjectError || (error as NodeJS.ErrnoException).code !== undefined
    if (!known) throw error
    process.stderr.write(`skep: ${(error as Error).message}\n`)
    return 2
  }
}
