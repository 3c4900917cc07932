import { afterEach, expect, test, vi } from 'vitest'
import { parseArguments, UsageError } from './arguments.ts'
import { vmCommand } from './vm-command.ts'
import { runVm } from './vm.ts'

afterEach(() => { vi.restoreAllMocks() })

/** Status and what was written to standard output and standard error. */
async function run(...args: string[]): Promise<[status: number, out: string, errors: string]> {
  const written = { out: '', errors: '' }
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => { written.out += String(text); return true })
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => { written.errors += String(text); return true })
  const status = await runVm(parseArguments(vmCommand, args))
  return [status, written.out, written.errors]
}

/** r0 = the second byte of the memory; exit. */
const second = '71 10 01 00 00 00 00 00 95 00 00 00 00 00 00 00'

test('r0 in hex and status 0, by interpreter and compiled', async () => {
  expect(await run('--conformance', '--program', second, 'aa bb')).toEqual([0, 'bb\n', ''])
  expect(await run('--conformance', '--compiled', '--program', second, 'aabb')).toEqual([0, 'bb\n', ''])
})

test('the reason on standard error and status 1', async () => {
  expect(await run('--conformance', '--program', '8d 00 00 00 00 00 00 00')).toEqual(
    [1, '', "program 'program': instruction slot 0: the opcode 0x8d is not known\n"],
  )
  const [status, out, errors] = await run('--conformance', '--program', second, 'aa')
  expect([status, out]).toEqual([1, ''])
  expect(errors).toMatch(/^out-of-bounds: 1 bytes are read at offset 1 of the memory, which has 1 bytes\n/)
  expect((await run('--conformance', '--elf', '--program', second))[0]).toBe(1)
})

test('without --conformance it says what to do', async () => {
  await expect(run()).rejects.toThrow(UsageError)
})
