import { closeSync, openSync, readFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { describe, expect, test } from 'vitest'
import { Errno, errnoName, SysError } from './errno.ts'
import { allocate, heldBytes, readU64, release, writeU64 } from './memory.ts'
import { Mapping } from './mapping.ts'
import { bpf, check, close, system } from './syscall.ts'
import { pageSize, pageSizeOf, parseCpuCount, possibleCpus, processStatus } from './machine.ts'

describe('errno', () => {
  test('numbers have their kernel names', () => {
    expect(errnoName(1)).toBe('EPERM')
    expect(errnoName(-28)).toBe('ENOSPC')
    expect(errnoName(524)).toBe('ENOTSUPP')
    expect(errnoName(133)).toBe('EHWPOISON')
    expect(errnoName(9999)).toBe('E9999')
    expect(new Set(Object.values(Errno)).size).toBe(Object.keys(Errno).length)
  })

  test('an error names call, code and detail', () => {
    const error = new SysError('bpf(BPF_MAP_CREATE)', 22, 'map counts')
    expect(error).toMatchObject({ errno: 22, code: 'EINVAL', call: 'bpf(BPF_MAP_CREATE)' })
    expect(error.message).toBe('bpf(BPF_MAP_CREATE): EINVAL: map counts')
  })
})

describe('machine', () => {
  test('possible CPUs are counted without holes', () => {
    expect(parseCpuCount('0\n')).toBe(1)
    expect(parseCpuCount('0-3\n')).toBe(4)
    expect(parseCpuCount('0,2-3,8-11\n')).toBe(7)
    expect(() => parseCpuCount('none')).toThrow('not a CPU list')
  })

  test('the page size is found in any auxiliary vector', () => {
    const auxv = new BigUint64Array([33n, 1n, 6n, 65536n, 0n, 0n])
    expect(pageSizeOf(new Uint8Array(auxv.buffer))).toBe(65536)
    expect(() => pageSizeOf(new Uint8Array(16))).toThrow('AT_PAGESZ')
  })

  test.runIf(process.platform === 'linux')('this machine agrees with other sources', () => {
    expect(pageSize()).toBe(Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'latin1' })))
    expect(possibleCpus()).toBeGreaterThanOrEqual(availableParallelism())
    expect(processStatus().euid).toBe(process.geteuid!())
  })
})

test('64-bit numbers survive in word pairs', () => {
  const words = new Uint32Array(4)
  for (const value of [0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 47 + 12345, Number.MAX_SAFE_INTEGER]) {
    writeU64(words, 8, value)
    expect(readU64(words, 8)).toBe(value)
  }
})

describe.runIf(process.platform === 'linux')('system calls', () => {
  test('a failing call gives its own errno', () => {
    expect(close(-1)).toBe(-Errno.EBADF)
    expect(bpf(9999, allocateOnce(), 128)).toBe(-Errno.EINVAL)
    expect(() => check(close(-1), 'close')).toThrow('close: EBADF')
  })

  test('blocks are distinct, zero, reused and accounted', () => {
    const before = heldBytes()
    const small = allocate(100)
    const other = allocate(100)
    expect(other.address).not.toBe(small.address)
    small.u8.fill(7)
    expect(other.u8.every((byte) => byte === 0)).toBe(true)
    const address = small.address
    release(small)
    const again = allocate(128)
    expect(again.address).toBe(address)
    expect(again.u8.every((byte) => byte === 0)).toBe(true)
    expect(() => { release(other); release(other) }).toThrow('twice')
    release(again)
    const large = allocate(300_000)
    large.u8.fill(1)
    release(large)
    const largeAgain = allocate(300_000)
    expect(largeAgain.address).toBe(large.address)
    expect(largeAgain.u8[299_999]).toBe(0)
    release(largeAgain)
    expect(heldBytes()).toBe(before)
    expect(() => allocate(-1)).toThrow(RangeError)
  })

  test('a mapped file is its bytes, and a view kept after close cannot crash', () => {
    const path = new URL(import.meta.url).pathname
    const fd = openSync(path, 'r')
    const text = readFileSync(path)
    const mapping = Mapping.open(fd, { length: text.length, private: true })
    closeSync(fd)
    const bytes = new Uint8Array(mapping.buffer, 0, text.length)
    expect(Buffer.from(bytes).equals(text)).toBe(true)
    mapping.close()
    mapping.close()
    expect(bytes[0] ?? 0).toBe(0)
  })

  test('mapping what cannot be mapped is an error', () => {
    expect(() => Mapping.open(-1, { length: 4096 })).toThrow('mmap: EBADF')
  })

  test('a poll callback runs, and its exception reaches the process', async () => {
    const fd = openSync('/proc/self/mounts', 'r')
    const seen = new Promise<unknown>((resolve) => {
      const before = process.rawListeners('uncaughtException') as ((error: Error) => void)[]
      process.removeAllListeners('uncaughtException')
      process.once('uncaughtException', (error) => {
        for (const listener of before) process.on('uncaughtException', listener)
        resolve(error)
      })
    })
    let calls = 0
    const handle = system().poll(fd, () => {
      calls++
      handle.stop()
      throw new Error('from the callback')
    })
    expect(await seen).toMatchObject({ message: 'from the callback' })
    expect(calls).toBe(1)
    handle.close()
    closeSync(fd)
  })
})

test.runIf(process.platform !== 'linux')('elsewhere, importing works and using says why not', () => {
  expect(() => system()).toThrow('needs Linux')
})

function allocateOnce(): number {
  const block = allocate(128)
  release(block)
  return block.address
}
