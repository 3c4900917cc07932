import { runConformance } from '../vm/conformance.ts'
import { UsageError, type Arguments } from './arguments.ts'

/** `skep vm --conformance`: r0 on standard output and 0, or the reason on standard error and 1. */
export async function runVm({ flags, values, positional }: Arguments): Promise<number> {
  if (!flags.has('conformance')) {
    throw new UsageError(
      'skep vm runs byte code from standard input: give --conformance; probes are run by simulate() in a test, see docs/vm.md',
    )
  }
  try {
    const input = values.get('program') ?? await standardInput()
    const memory = positional[0] ?? ''
    process.stdout.write(`${runConformance(input, { memory, elf: flags.has('elf'), compiled: flags.has('compiled') })}\n`)
    return 0
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`)
    return 1
  }
}

async function standardInput(): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('latin1')
}
