import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { command } from '../bpf/command.ts'
import { features, has } from '../bpf/features.ts'
import { allocate, release } from '../sys/memory.ts'
import { close } from '../sys/syscall.ts'
import {
  ADDR_SPACE_CAST, AluOp, AtomicOp, Class, decode, encode, FROM_REGISTER, JumpOp, LDDW, Mode, print, Size, slotsOf,
  type Instruction,
} from './asm.ts'

/* The kernel prints each instruction of a socket filter that it verifies; ours must be the same text. */

const loads = process.platform === 'linux' && has(features.rawTracepoint)
const bpftool = ['/usr/sbin/bpftool', '/usr/bin/bpftool', '/sbin/bpftool'].find((path) => existsSync(path))
const SOCKET_FILTER = 1
const MAP_TYPE_ARENA = 33
const BPF_F_MMAPABLE = 1 << 10

const of = (code: number, fields: Partial<Instruction> = {}): Instruction => ({ code, dst: 0, src: 0, off: 0, imm: 0, ...fields })
const exit = of(Class.jmp | JumpOp.exit)
const movImm = (dst: number, imm: number) => of(Class.alu64 | AluOp.mov, { dst, imm })
const mov = (dst: number, src: number) => of(Class.alu64 | AluOp.mov | FROM_REGISTER, { dst, src })
const unknown = (dst: number) => of(Class.ldx | Mode.mem | Size.w, { dst, src: 6, off: 0 })

/** Loads, and hands over the descriptor and the verifier's log. */
function load<T>(program: Instruction[], use: (fd: number, log: string) => T): T {
  const code = encode(program)
  const size = 1 << 20
  const block = allocate(size + code.length + 8)
  let fd = -1
  try {
    block.u8.set(code, size)
    block.u8.set([0x47, 0x50, 0x4c, 0], size + code.length)
    fd = command('BPF_PROG_LOAD', 48, (attr) => {
      attr.u32(0, SOCKET_FILTER)
      attr.u32(4, code.length / 8)
      attr.u64(8, block.address + size)
      attr.u64(16, block.address + size + code.length)
      attr.u32(24, 2)
      attr.u32(28, size)
      attr.u64(32, block.address)
    })
    const end = block.u8.indexOf(0)
    return use(fd, new TextDecoder().decode(block.u8.slice(0, end)))
  } finally {
    if (fd >= 0) close(fd)
    release(block)
  }
}

/** The text of each slot in a log of level 2, without the registers that follow it. */
function textsOf(log: string): Map<number, string> {
  const texts = new Map<number, string>()
  for (const [, slot, code, text] of log.matchAll(/^(\d+): \(([0-9a-f]{2})\) (.*?)\s*(?:;.*)?$/gm)) {
    texts.set(Number(slot), `(${code}) ${text}`)
  }
  return texts
}

const slotsOfProgram = (program: readonly Instruction[]) => {
  let slot = 0
  return program.map((instruction) => (slot += slotsOf(instruction)) - slotsOf(instruction))
}
const withCode = (instruction: Instruction) => `(${instruction.code.toString(16).padStart(2, '0')}) ${print(instruction)}`

/** What the kernel and what we print for a program that keeps the context in r6 and does `body` with the other registers. */
function printed(body: Instruction[]): { kernel: unknown[]; ours: string[] } {
  const program = decode(encode([mov(6, 1), ...body, movImm(0, 0), exit]))
  return load(program, (fd, log) => {
    if (fd < 0) throw new Error(log.slice(-2000))
    const texts = textsOf(log)
    return { kernel: slotsOfProgram(program).map((slot) => texts.get(slot)), ours: program.map(withCode) }
  })
}

const operations = [
  AluOp.add, AluOp.sub, AluOp.mul, AluOp.div, AluOp.or, AluOp.and, AluOp.lsh, AluOp.rsh, AluOp.mod,
  AluOp.xor, AluOp.mov, AluOp.arsh,
]
const comparisons = [
  JumpOp.eq, JumpOp.gt, JumpOp.ge, JumpOp.set, JumpOp.ne, JumpOp.sgt, JumpOp.sge, JumpOp.lt, JumpOp.le, JumpOp.slt, JumpOp.sle,
]
const sizes = [Size.b, Size.h, Size.w, Size.dw]

const groups: Record<string, Instruction[]> = {
  'arithmetic (base, divmul)': [Class.alu, Class.alu64].flatMap((width) => [
    ...operations.flatMap((operation) => [
      movImm(1, 7), movImm(2, 3), of(width | operation, { dst: 1, imm: 5 }),
      of(width | operation | FROM_REGISTER, { dst: 1, src: 2 }),
    ]),
    of(width | AluOp.mov, { dst: 1, imm: -5 }), of(width | AluOp.neg, { dst: 1 }),
  ]),
  'byte order': [16, 32, 64].flatMap((imm) => [
    movImm(1, 1), of(Class.alu | AluOp.end, { dst: 1, imm }), of(Class.alu | AluOp.end | FROM_REGISTER, { dst: 1, imm }),
  ]),
  'jumps': [Class.jmp, Class.jmp32].flatMap((width) => comparisons.flatMap((operation) => [
    unknown(1), unknown(2), of(width | operation, { dst: 1, imm: -9 }), of(width | operation | FROM_REGISTER, { dst: 1, src: 2 }),
  ])).concat(of(Class.jmp | JumpOp.ja)),
  'loads and stores': sizes.flatMap((size) => [
    movImm(1, 1), of(Class.st | Mode.mem | size, { dst: 10, off: -16, imm: -3 }),
    of(Class.stx | Mode.mem | size, { dst: 10, src: 1, off: -8 }), of(Class.ldx | Mode.mem | size, { dst: 2, src: 10, off: -8 }),
  ]),
  '64-bit constants': [of(LDDW, { dst: 3, imm64: 0xfeed_0000_ffff_0001n }), of(LDDW, { dst: 3, imm64: 0n })],
  'packet access': [Size.b, Size.h, Size.w].flatMap((size) => [
    movImm(7, 4), of(Class.ld | Mode.abs | size, { imm: 12 }), of(Class.ld | Mode.ind | size, { src: 7, imm: 2 }),
  ]),
  'atomic': [Size.w, Size.dw].flatMap((size) => [
    of(Class.st | Mode.mem | Size.dw, { dst: 10, off: -8, imm: 1 }), movImm(0, 1), movImm(1, 2),
    ...[AtomicOp.add, AtomicOp.or, AtomicOp.and, AtomicOp.xor].flatMap((imm) => [
      of(Class.stx | Mode.atomic | size, { dst: 10, src: 1, off: -8, imm }),
      of(Class.stx | Mode.atomic | size, { dst: 10, src: 1, off: -8, imm: imm | AtomicOp.fetch }),
    ]),
    of(Class.stx | Mode.atomic | size, { dst: 10, src: 1, off: -8, imm: AtomicOp.xchg }),
    of(Class.stx | Mode.atomic | size, { dst: 10, src: 1, off: -8, imm: AtomicOp.cmpxchg }),
  ]),
  'calls': [of(Class.jmp | JumpOp.call, { imm: 5 }), of(Class.jmp | JumpOp.call, { imm: 7 })],
  'v4: signed division, sign extension, bswap, gotol': [
    ...[Class.alu, Class.alu64].flatMap((width) => [
      movImm(1, 9), movImm(2, 2),
      ...[AluOp.div, AluOp.mod].flatMap((operation) => [
        of(width | operation, { dst: 1, imm: -2, off: 1 }), of(width | operation | FROM_REGISTER, { dst: 1, src: 2, off: 1 }),
      ]),
      ...[8, 16].map((off) => of(width | AluOp.mov | FROM_REGISTER, { dst: 1, src: 2, off })),
    ]),
    of(Class.alu64 | AluOp.mov | FROM_REGISTER, { dst: 1, src: 2, off: 32 }),
    ...[16, 32, 64].map((imm) => of(Class.alu64 | AluOp.end, { dst: 1, imm })),
    of(Class.st | Mode.mem | Size.dw, { dst: 10, off: -8, imm: 1 }),
    ...[Size.b, Size.h, Size.w].map((size) => of(Class.ldx | Mode.memsx | size, { dst: 3, src: 10, off: -8 })),
    of(Class.jmp32 | JumpOp.ja, { imm: 0 }),
  ],
}

describe.runIf(loads)('the kernel prints the same (feature: loading programs)', () => {
  test.each(Object.entries(groups))('%s', (_, body) => {
    const { kernel, ours } = printed(body)
    expect(ours).toEqual(kernel)
  })

  const works = (body: Instruction[]) => loads && load([mov(6, 1), ...body, movImm(0, 0), exit], (fd) => fd >= 0)
  const mayGoto = [of(Class.jmp | JumpOp.cond, { off: 1 }), of(Class.jmp | JumpOp.ja, { off: -2 })]
  test.runIf(works(mayGoto))('may_goto (feature: 6.9)', () => {
    const { kernel, ours } = printed(mayGoto)
    expect(ours).toEqual(kernel)
  })

  const ordered = [
    of(Class.st | Mode.mem | Size.dw, { dst: 10, off: -8, imm: 1 }), mov(2, 10), movImm(3, 1),
    ...sizes.flatMap((size) => [
      of(Class.stx | Mode.atomic | size, { dst: 4, src: 2, off: -8, imm: AtomicOp.loadAcquire }),
      of(Class.stx | Mode.atomic | size, { dst: 2, src: 3, off: -8, imm: AtomicOp.storeRelease }),
    ]),
  ]
  test.runIf(works(ordered))('load_acquire and store_release (feature: 6.15)', () => {
    const { kernel, ours } = printed(ordered)
    expect(ours).toEqual(kernel)
  })

  test('functions of the program, and addr_space_cast (feature: arena maps, 6.9)', ({ skip }) => {
    const map = command('BPF_MAP_CREATE', 72, (attr) => {
      [MAP_TYPE_ARENA, 0, 0, 1, BPF_F_MMAPABLE].forEach((word, index) => attr.u32(index * 4, word))
      // map_extra: where it is to lie in the process.
      attr.u64(64, 2 ** 44)
    })
    if (map < 0) skip('this kernel has no arena maps')
    const program = [
      of(LDDW, { dst: 1, src: 1, imm64: BigInt(map) }), of(Class.jmp | JumpOp.call, { src: 1, imm: 2 }), movImm(0, 0), exit,
      mov(2, 1), of(Class.alu64 | AluOp.mov | FROM_REGISTER, { dst: 3, src: 2, off: ADDR_SPACE_CAST, imm: 1 << 16 }),
      movImm(2, 5),
      of(Class.alu64 | AluOp.mov | FROM_REGISTER, { dst: 3, src: 2, off: ADDR_SPACE_CAST, imm: 1 }), movImm(0, 0), exit,
    ]
    try {
      load(program, (fd, log) => {
        expect(log).toContain('processed')
        expect(fd).toBeGreaterThanOrEqual(0)
        const texts = textsOf(log)
        expect(texts.get(2)).toBe(`(85) ${print(program[1]!)}`)
        for (const slot of [6, 8]) expect(texts.get(slot)).toBe(`(bf) ${print(program[slot - 1]!)}`)
      })
    } finally {
      close(map)
    }
  })

  test.skipIf(bpftool === undefined)('bpftool dumps what we dump (feature: bpftool)', () => {
    const names = ['arithmetic (base, divmul)', 'jumps', 'atomic', 'loads and stores', '64-bit constants']
    const program = [mov(6, 1), ...names.flatMap((name) => groups[name]!), movImm(0, 0), exit]
    load(program, (fd) => {
      const { id, xlated } = xlatedOf(fd)
      const dumped = execFileSync(bpftool!, ['prog', 'dump', 'xlated', 'id', String(id)], { encoding: 'utf8' })
      const texts = textsOf(dumped.replace(/^ +/gm, ''))
      const dump = decode(xlated)
      expect(dump.map(withCode)).toEqual(slotsOfProgram(dump).map((slot) => texts.get(slot)))
      expect(texts.size).toBe(dump.length)
    })
  })
})

/** The id of a loaded program, and its instructions as the kernel keeps them. */
function xlatedOf(fd: number): { id: number; xlated: Uint8Array } {
  const info = allocate(232)
  const code = allocate(1 << 16)
  try {
    info.u32[5] = 1 << 16
    info.u32[8] = code.address % 2 ** 32
    info.u32[9] = Math.floor(code.address / 2 ** 32)
    const result = command('BPF_OBJ_GET_INFO_BY_FD', 16, (attr) => {
      attr.u32(0, fd)
      attr.u32(4, 232)
      attr.u64(8, info.address)
    })
    expect(result).toBe(0)
    return { id: info.u32[1]!, xlated: code.u8.slice(0, info.u32[5]) }
  } finally {
    release(info)
    release(code)
  }
}
