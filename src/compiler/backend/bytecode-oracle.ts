import type { Instruction } from '../../asm/instruction.ts'
import { swapBytes, type Helper, type Memory } from '../ir/interpret.ts'

/**
 * Runs encoded eBPF, for tests of the back end only: written from RFC 9669, sharing nothing with
 * what it checks. Reading a register that was never written, or that a call destroyed, throws.
 */
export interface OracleEnvironment { memory: Memory; context: bigint; helpers: Readonly<Record<number, Helper>>; maxSteps?: number }

export function encodeInstructions(instructions: readonly Instruction[]): Uint8Array {
  const words: [Instruction, number, number][] = []
  for (const instruction of instructions) {
    const wide = instruction.code === 0x18
    words.push([instruction, instruction.code, wide ? Number(BigInt.asIntN(32, instruction.imm64!)) : instruction.imm])
    if (wide) words.push([{ code: 0, dst: 0, src: 0, off: 0, imm: 0 }, 0, Number(BigInt.asIntN(32, instruction.imm64! >> 32n))])
  }
  const bytes = new Uint8Array(words.length * 8)
  const view = new DataView(bytes.buffer)
  words.forEach(([{ dst, src, off }, code, imm], index) => {
    view.setUint8(index * 8, code)
    view.setUint8(index * 8 + 1, src << 4 | dst)
    view.setInt16(index * 8 + 2, off, true)
    view.setInt32(index * 8 + 4, imm, true)
  })
  return bytes
}

const stackTop = 0x6fff_0000_0200n

export function runBytecode(code: Uint8Array, environment: OracleEnvironment): bigint {
  environment.memory.map(stackTop - 512n, new Uint8Array(512).fill(0x5a))
  return new Machine(code, environment).run()
}

class Machine {
  readonly #view: DataView
  readonly #environment: OracleEnvironment
  readonly #registers: (bigint | undefined)[] = []
  #at = 0

  constructor(code: Uint8Array, environment: OracleEnvironment) {
    this.#view = new DataView(code.buffer, code.byteOffset, code.byteLength)
    this.#environment = environment
    this.#registers[1] = environment.context
    this.#registers[10] = stackTop
  }

  run(): bigint {
    for (let steps = this.#environment.maxSteps ?? 1_000_000; steps > 0; steps--) {
      const slot = this.#at++ * 8
      const code = this.#view.getUint8(slot)
      const registers = this.#view.getUint8(slot + 1)
      const [dst, src] = [registers & 15, registers >> 4]
      const [off, imm] = [this.#view.getInt16(slot + 2, true), this.#view.getInt32(slot + 4, true)]
      if (code === 0x95) return this.#read(0)
      switch (code & 7) {
        case 0: this.#write(dst, BigInt(this.#view.getUint32(slot + 4, true)) | BigInt(this.#view.getUint32(this.#at++ * 8 + 4, true)) << 32n); break
        case 1: this.#load(code, dst, src, off); break
        case 2: case 3: this.#store(code, dst, src, off, imm); break
        case 4: case 7: this.#arithmetic(code, dst, src, off, imm); break
        default: this.#jump(code, dst, src, off, imm)
      }
    }
    throw new Error('bytecode runs too long')
  }

  #read(register: number): bigint {
    const value = this.#registers[register]
    if (value === undefined) throw new Error(`slot ${this.#at - 1}: r${register} was never written`)
    return value
  }

  #write(register: number, value: bigint): void {
    if (register > 9) throw new Error(`slot ${this.#at - 1}: r${register} cannot be written`)
    this.#registers[register] = BigInt.asUintN(64, value)
  }

  #load(code: number, dst: number, src: number, off: number): void {
    const size = [4, 2, 1, 8][code >> 3 & 3]!
    const value = this.#environment.memory.load(this.#read(src) + BigInt(off), size)
    const mode = code & 0xe0
    if (mode !== 0x60 && mode !== 0x80) throw new Error(`unknown load 0x${code.toString(16)}`)
    this.#write(dst, mode === 0x80 ? BigInt.asIntN(size * 8, value) : value)
  }

  #store(code: number, dst: number, src: number, off: number, imm: number): void {
    const { memory } = this.#environment
    const size = [4, 2, 1, 8][code >> 3 & 3]!
    const address = this.#read(dst) + BigInt(off)
    const value = (code & 7) === 2 ? BigInt(imm) : this.#read(src)
    const mode = code & 0xe0
    if (mode === 0x60) memory.store(address, size, value)
    else if (mode === 0xc0 && imm === 0 && size >= 4) memory.store(address, size, memory.load(address, size) + value)
    else throw new Error(`unknown store 0x${code.toString(16)}`)
  }

  #arithmetic(code: number, dst: number, src: number, off: number, imm: number): void {
    const wide = (code & 7) === 7
    const bits = wide ? 64 : 32
    const operation = code >> 4
    if (operation === 0xd) {
      const swaps = wide || (code & 8) !== 0
      return this.#write(dst, swaps ? swapBytes(this.#read(dst), imm) : BigInt.asUintN(imm, this.#read(dst)))
    }
    const operand = (code & 8) !== 0 ? this.#read(src) : BigInt(imm)
    const right = BigInt.asUintN(bits, operand)
    if (operation === 0xb) {
      const extended = off === 0 ? right : BigInt.asUintN(bits, BigInt.asIntN(off, right))
      return this.#write(dst, extended)
    }
    const left = BigInt.asUintN(bits, this.#read(dst))
    this.#write(dst, BigInt.asUintN(bits, compute(operation, left, right, bits, off)))
  }

  #jump(code: number, dst: number, src: number, off: number, imm: number): void {
    if (code === 0x85) return this.#call(imm)
    if (code === 0x05 || code === 0x06) {
      this.#at += code === 0x05 ? off : imm
      return
    }
    const bits = (code & 7) === 5 ? 64 : 32
    const left = BigInt.asUintN(bits, this.#read(dst))
    const right = BigInt.asUintN(bits, (code & 8) !== 0 ? this.#read(src) : BigInt(imm))
    if (taken(code >> 4, left, right, bits)) this.#at += off
  }

  #call(id: number): void {
    const helper = this.#environment.helpers[id]
    if (helper === undefined) throw new Error(`no helper ${id}`)
    const args = [1, 2, 3, 4, 5].map((register) => this.#registers[register] ?? 0n)
    const result = helper(args, this.#environment.memory)
    this.#registers.fill(undefined, 0, 6)
    this.#write(0, result)
  }
}

function compute(operation: number, left: bigint, right: bigint, bits: number, off: number): bigint {
  const signed = (value: bigint) => BigInt.asIntN(bits, value)
  const count = right & BigInt(bits - 1)
  switch (operation) {
    case 0x0: return left + right
    case 0x1: return left - right
    case 0x2: return left * right
    case 0x3: return right === 0n ? 0n : off === 1 ? signed(left) / signed(right) : left / right
    case 0x4: return left | right
    case 0x5: return left & right
    case 0x6: return left << count
    case 0x7: return left >> count
    case 0x8: return -left
    case 0x9: return right === 0n ? left : off === 1 ? signed(left) % signed(right) : left % right
    case 0xa: return left ^ right
    case 0xc: return signed(left) >> count
    default: throw new Error(`unknown arithmetic ${operation}`)
  }
}

function taken(operation: number, left: bigint, right: bigint, bits: number): boolean {
  const [sl, sr] = [BigInt.asIntN(bits, left), BigInt.asIntN(bits, right)]
  switch (operation) {
    case 0x1: return left === right
    case 0x2: return left > right
    case 0x3: return left >= right
    case 0x4: return (left & right) !== 0n
    case 0x5: return left !== right
    case 0x6: return sl > sr
    case 0x7: return sl >= sr
    case 0xa: return left < right
    case 0xb: return left <= right
    case 0xc: return sl < sr
    case 0xd: return sl <= sr
    // may_goto: the budget lasts.
    case 0xe: return false
    default: throw new Error(`unknown jump ${operation}`)
  }
}
