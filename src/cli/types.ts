import { readFileSync, writeFileSync } from 'node:fs'
import { release } from 'node:os'
import { Btf, BtfError } from '../btf/btf.ts'
import { vmlinuxTypes } from '../btf/typescript.ts'
import type { Arguments } from './arguments.ts'

const runningKernel = '/sys/kernel/btf/vmlinux'

/** `skep types`: the structs and tracepoints of a kernel as TypeScript declarations. Needs no privileges. */
export function writeTypes({ values }: Arguments): number {
  const path = values.get('btf') ?? runningKernel
  const output = values.get('output')
  const text = declarations(path)
  if (text === null) return 2
  if (output === undefined || output === '-') {
    process.stdout.write(text)
    return 0
  }
  try {
    writeFileSync(output, text)
  } catch (error) {
    return failed(`cannot write ${output}: ${(error as Error).message}`)
  }
  process.stderr.write(`skep: wrote ${output}: ${text.split('\n').length} lines. Point 'skep/vmlinux' at it: "paths": { "skep/vmlinux": ["./${output}"] } in tsconfig.json\n`)
  return 0
}

function declarations(path: string): string | null {
  try {
    const btf = Btf.parse(readFileSync(path))
    const source = path === runningKernel ? `Linux ${release()}` : path
    return vmlinuxTypes(btf, { header: `// Kernel types of ${source}, written by \`skep types\`.` })
  } catch (error) {
    if (error instanceof BtfError) failed(`${path} is no BTF that can be read: ${error.message}`)
    else if (path === runningKernel && (error as NodeJS.ErrnoException).code === 'ENOENT') {
      failed(`the running kernel does not describe its types (${path} is missing); give a file with --btf`)
    } else if ((error as NodeJS.ErrnoException).code !== undefined) failed(`cannot read ${path}: ${(error as Error).message}`)
    else throw error
    return null
  }
}

function failed(message: string): number {
  process.stderr.write(`skep: ${message}\n`)
  return 2
}
