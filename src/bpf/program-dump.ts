import { allocate, readU64, release, writeU64 } from '../sys/memory.ts'
import { objectInfo } from './command.ts'
import { PolicyError } from './load-error.ts'
import { programInfoSize } from './program-info.ts'
import { Errno } from '../sys/errno.ts'

/** Native instructions of one function of a program, at the address where the kernel runs them (0n: hidden). */
export interface MachineFunction { address: bigint; bytes: Uint8Array }
export interface MachineCode { functions: MachineFunction[] }

/** A program's instructions after the verifier's rewriting. @throws PolicyError when the kernel hides them */
export function translatedCode(fd: number): Uint8Array {
  const length = objectInfo(fd, programInfoSize, ({ u32 }) => u32[5]!)
  const memory = allocate(Math.max(8, length))
  try {
    const got = objectInfo(fd, programInfoSize, ({ u32 }) => (readU64(u32, 32) === 0 ? 0 : u32[5]!), ({ u32 }) => {
      u32[5] = length
      writeU64(u32, 32, memory.address)
    })
    if (got === 0 && length !== 0) throw hidden('instructions')
    return memory.u8.slice(0, got)
  } finally {
    release(memory)
  }
}

/** A program's native instructions. @throws PolicyError when the kernel hides them */
export function machineCode(fd: number): MachineCode {
  const sizes = objectInfo(fd, programInfoSize, ({ u32 }) => ({ bytes: u32[4]!, functions: u32[27]! }))
  if (sizes.bytes === 0) return { functions: [] }
  const lengthsAt = Math.ceil(sizes.bytes / 8) * 8
  const addressesAt = lengthsAt + Math.ceil(sizes.functions * 4 / 8) * 8
  const memory = allocate(addressesAt + sizes.functions * 8)
  try {
    const visible = objectInfo(fd, programInfoSize, ({ u32 }) => readU64(u32, 24) !== 0, ({ u32 }) => {
      u32[4] = sizes.bytes
      writeU64(u32, 24, memory.address)
      u32[26] = sizes.functions
      u32[27] = sizes.functions
      writeU64(u32, 112, memory.address + addressesAt)
      writeU64(u32, 120, memory.address + lengthsAt)
    })
    if (!visible) throw hidden('machine code')
    const addresses = new BigUint64Array(memory.u8.buffer, memory.u8.byteOffset + addressesAt, sizes.functions)
    let at = 0
    const functions = Array.from(memory.u32.subarray(lengthsAt / 4, lengthsAt / 4 + sizes.functions), (length, index) => {
      const bytes = memory.u8.slice(at, at + length)
      at += length
      return { address: addresses[index]!, bytes }
    })
    return { functions: functions.length > 0 ? functions : [{ address: 0n, bytes: memory.u8.slice(0, sizes.bytes) }] }
  } finally {
    release(memory)
  }
}

function hidden(what: string): PolicyError {
  return new PolicyError('bpf(BPF_OBJ_GET_INFO_BY_FD)', Errno.EPERM, `reading a program's ${what}`)
}
