import { evaluate, holds } from '../passes/fold.ts'
import type { CoreReference, Edge, IrFunction, Op, StackSlot, Value } from './ir.ts'

/** What a function runs against. */
export interface InterpretEnvironment {
  memory: Memory
  /** Address of the context, mapped in `memory`. */
  context: bigint
  /** Helpers by id: they get registers as unsigned numbers and may use the memory. */
  helpers: Readonly<Record<number, Helper>>
  mapAddress?: (map: string) => bigint
  /** What the loader would patch in; what the compiler wrote if not given. */
  relocate?: (reference: CoreReference, written: bigint) => bigint
  /** Operations and jumps before it gives up; a million if not given. */
  maxSteps?: number
}
export type Helper = (args: bigint[], memory: Memory) => bigint

/** Runs IR on unsigned 64-bit registers: the meaning that passes and back end must keep. Gives what is returned. */
export function interpret(fn: IrFunction, environment: InterpretEnvironment): bigint {
  return new Interpretation(fn, environment).run()
}

/** Where the stack slots of an interpreted function lie. */
const stackBase = 0x7fff_0000_0000n

class Interpretation {
  readonly #fn: IrFunction
  readonly #environment: InterpretEnvironment
  readonly #memory: Memory
  readonly #values: bigint[] = []
  readonly #slots = new Map<StackSlot, bigint>()

  constructor(fn: IrFunction, environment: InterpretEnvironment) {
    this.#fn = fn
    this.#environment = environment
    this.#memory = environment.memory
    fn.slots.forEach((slot, index) => {
      const address = stackBase + BigInt(index) * 4096n
      this.#slots.set(slot, address)
      this.#memory.map(address, new Uint8Array(slot.size).fill(0xa5))
    })
  }

  run(): bigint {
    let steps = this.#environment.maxSteps ?? 1_000_000
    for (let block = this.#fn.blocks[0]!; ;) {
      for (const op of block.ops) {
        if (steps-- <= 0) throw new Error(`${this.#fn.name}: runs too long`)
        const result = this.#op(op)
        if ('out' in op && op.out !== null) this.#values[op.out.id] = BigInt.asUintN(64, result)
      }
      if (steps-- <= 0) throw new Error(`${this.#fn.name}: runs too long`)
      const { terminator } = block
      if (terminator.op === 'return') return this.#value(terminator.value)
      if (terminator.op === 'jump') block = this.#follow(terminator.edge)
      else {
        const { operator, width, left, right } = terminator.condition
        block = this.#follow(holds(operator, width, this.#value(left), this.#value(right)) ? terminator.then : terminator.else)
      }
    }
  }

  #follow({ target, args }: Edge): Edge['target'] {
    const values = args.map((arg) => this.#value(arg))
    target.params.forEach((param, index) => { this.#values[param.id] = values[index]! })
    return target
  }

  #value(value: Value): bigint {
    const found = this.#values[value.id]
    if (found === undefined) throw new Error(`${this.#fn.name}: v${value.id} is read before it is set`)
    return found
  }

  #op(op: Op): bigint {
    switch (op.op) {
      case 'const': return this.#relocated(op.core, op.value)
      case 'mapAddress': return this.#mapAddress(op.map)
      case 'functionAddress': throw new Error('functions that helpers call back are not interpreted')
      case 'stackAddress': return this.#slots.get(op.slot)! + BigInt(op.offset)
      case 'context': return this.#environment.context
      case 'binary': return evaluate(op.operator, op.width, this.#value(op.left), this.#value(op.right))
      case 'negate': return BigInt.asUintN(op.width, -this.#value(op.value))
      case 'byteSwap': return swapBytes(this.#value(op.value), op.bits)
      case 'extend': return op.signed ? BigInt.asIntN(op.bits, this.#value(op.value)) : BigInt.asUintN(op.bits, this.#value(op.value))
      case 'load': {
        const loaded = this.#memory.load(this.#address(op), op.size)
        return op.signed ? BigInt.asIntN(op.size * 8, loaded) : loaded
      }
      case 'store': this.#memory.store(this.#address(op), op.size, this.#value(op.value)); return 0n
      case 'atomicAdd': {
        const address = this.#address(op)
        this.#memory.store(address, op.size, this.#memory.load(address, op.size) + this.#value(op.value))
        return 0n
      }
      case 'offset': return this.#address(op)
      case 'call': return this.#call(op)
      case 'refine': return this.#value(op.value)
    }
  }

  #relocated(reference: CoreReference | undefined, written: bigint): bigint {
    return reference === undefined ? written : this.#environment.relocate?.(reference, written) ?? written
  }

  #address(op: { pointer: Value; offset: number; core?: CoreReference }): bigint {
    return BigInt.asUintN(64, this.#value(op.pointer) + this.#relocated(op.core, BigInt(op.offset)))
  }

  #mapAddress(map: string): bigint {
    if (this.#environment.mapAddress === undefined) throw new Error(`${this.#fn.name}: map ${map}: the environment has no maps`)
    return this.#environment.mapAddress(map)
  }

  #call(op: Op & { op: 'call' }): bigint {
    const helper = this.#environment.helpers[op.helper]
    if (helper === undefined) throw new Error(`${this.#fn.name}: the environment has no helper ${op.name} (${op.helper})`)
    return helper(op.args.map((arg) => this.#value(arg)), this.#memory)
  }
}

export function swapBytes(value: bigint, bits: number): bigint {
  let result = 0n
  for (let at = 0; at < bits; at += 8) result = (result << 8n) | (value >> BigInt(at) & 0xffn)
  return result
}

/** Little-endian memory in separate regions; an access outside of them throws. */
export class Memory {
  readonly #regions: { base: bigint; bytes: Uint8Array }[] = []

  map(base: bigint, bytes: Uint8Array): void {
    this.#regions.push({ base, bytes })
  }

  load(address: bigint, size: number): bigint {
    const { bytes, at } = this.#find(address, size)
    let value = 0n
    for (let index = size - 1; index >= 0; index--) value = (value << 8n) | BigInt(bytes[at + index]!)
    return value
  }

  store(address: bigint, size: number, value: bigint): void {
    const { bytes, at } = this.#find(address, size)
    for (let index = 0; index < size; index++) bytes[at + index] = Number(value >> BigInt(index * 8) & 0xffn)
  }

  #find(address: bigint, size: number): { bytes: Uint8Array; at: number } {
    for (const { base, bytes } of this.#regions) {
      if (address >= base && address + BigInt(size) <= base + BigInt(bytes.length)) return { bytes, at: Number(address - base) }
    }
    throw new Error(`${size} bytes at 0x${address.toString(16)} are not mapped`)
  }
}
