import { existsSync } from 'node:fs'
import { Errno } from '../../sys/errno.ts'
import { allocate, release } from '../../sys/memory.ts'
import { close } from '../../sys/syscall.ts'
import { command } from '../command.ts'
import { createMap } from '../map-create.ts'
import { hasAttachCookie } from '../memlock.ts'
import { loadBytes, Op } from '../tiny-program.ts'
import { feature, verdictOf } from './feature.ts'
import type { Feature, Verdict } from './feature.ts'

const returnZero = [Op.mov(0, 0), Op.exit]
const array = { name: 'probe', type: 'array', keySize: 4, valueSize: 8, maxEntries: 1, flags: 0 } as const

/** A program that stores into the value of an array by its address. */
function globalData(): Verdict {
  const map = createMap(array)
  const address = Op.mapFd(1, map)
  // BPF_PSEUDO_MAP_VALUE
  address[1] = 1 | 2 << 4
  const result = loadBytes('socket_filter', [address, [0x7a, 1, 0, 0, 42, 0, 0, 0], ...returnZero])
  close(map)
  return result === -Errno.EACCES ? 'no' : verdictOf('BPF_PROG_LOAD', result, 'a program with global data')
}

function named(): Verdict {
  const result = loadBytes('socket_filter', returnZero, (attr) => attr.name(48, 'probe'))
  return result === -Errno.E2BIG ? 'no' : verdictOf('BPF_PROG_LOAD', result, 'a program with a name')
}

/** An unknown attribute is E2BIG or EINVAL; a known one is looked at: the descriptor is bad. */
function looksAt(
  name: 'BPF_TOKEN_CREATE' | 'BPF_PROG_BIND_MAP' | 'BPF_LINK_DETACH', size: number, what: string, offsets: readonly number[]
): Verdict {
  const result = command(name, size, (attr) => { for (const offset of offsets) attr.u32(offset, 0xffff_ffff) })
  return result === -Errno.EBADF ? 'yes' : verdictOf(name, result, what)
}

function frozen(): Verdict {
  const map = createMap(array)
  const result = command('BPF_MAP_FREEZE', 4, (attr) => attr.u32(0, map))
  close(map)
  return result === 0 ? 'yes' : verdictOf('BPF_MAP_FREEZE', result, 'freezing a map')
}

/** Runs a raw tracepoint program on data of ours. */
function rawTestRun(): Verdict {
  const program = loadBytes('raw_tracepoint', returnZero)
  if (program < 0) return verdictOf('BPF_PROG_LOAD', program, 'a raw tracepoint program')
  const memory = allocate(16)
  try {
    const result = command('BPF_PROG_TEST_RUN', 80, (attr) => {
      attr.u32(0, program)
      attr.u32(40, 16)
      attr.u64(48, memory.address)
    })
    return result === 0 ? 'yes' : verdictOf('BPF_PROG_TEST_RUN', result, 'running a raw tracepoint program')
  } finally {
    release(memory)
    close(program)
  }
}

function probeRead(): Verdict {
  const PROBE_READ_KERNEL = 113
  const result = loadBytes('tracepoint', [
    Op.movReg(1, 10), Op.addImm(1, -8), Op.mov(2, 8), Op.mov(3, 0), Op.call(PROBE_READ_KERNEL), ...returnZero,
  ])
  // The verifier does not know the helper, or holds the number for none.
  return result === -Errno.EACCES ? 'no' : verdictOf('BPF_PROG_LOAD', result, 'a tracing program')
}

function streams(): Verdict {
  const program = loadBytes('syscall', returnZero, (attr) => attr.u32(44, 1 << 4))
  if (program < 0) return verdictOf('BPF_PROG_LOAD', program, 'a syscall program')
  const memory = allocate(16)
  try {
    const result = command('BPF_PROG_STREAM_READ_BY_FD', 20, (attr) => {
      attr.u64(0, memory.address)
      attr.u32(8, 16)
      attr.u32(12, 1)
      attr.u32(16, program)
    })
    return result >= 0 ? 'yes' : verdictOf('BPF_PROG_STREAM_READ_BY_FD', result, "reading a program's stream")
  } finally {
    release(memory)
    close(program)
  }
}

export const loadFeatures = {
  programNames: feature('names of programs', '4.15', named),
  globalData: feature('global variables', '5.2', globalData),
  freeze: feature('freezing maps', '5.2', frozen),
  probeReadKernel: feature('reading kernel memory by bpf_probe_read_kernel', '5.5', probeRead),
  linkDetach: feature('detaching links', '5.9', () => looksAt('BPF_LINK_DETACH', 4, 'detaching links', [0])),
  bindMap: feature('binding maps to programs', '5.10', () => looksAt('BPF_PROG_BIND_MAP', 12, 'binding maps', [0, 4])),
  rawTestRun: feature('test runs of raw tracepoints', '5.10', rawTestRun),
  moduleBtf: feature("modules' BTF", '5.11', () => (existsSync('/sys/kernel/btf') ? 'yes' : 'no')),
  attachCookie: feature('cookies of attachments', '5.15', () => (hasAttachCookie() ? 'yes' : 'no')),
  token: feature('BPF tokens', '6.9', () => looksAt('BPF_TOKEN_CREATE', 8, 'creating a token', [4])),
  streams: feature('streams of programs', '6.17', streams),
} as const satisfies Record<string, Feature>
