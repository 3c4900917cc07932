import { decoder, encoder, recordView } from '../../spec/codec.ts'
import type { MapTypeName } from '../../spec/spec.ts'
import { Errno } from '../../sys/errno.ts'
import { allocate, release, writeU64 } from '../../sys/memory.ts'
import type { Block } from '../../sys/memory.ts'
import { bpf } from '../../sys/syscall.ts'
import { Command, commandError } from '../command.ts'
import type { CommandName } from '../command.ts'
import type { BpfMap } from '../map.ts'
import { MapSpecError } from '../map-layout.ts'

const valueOffset = 64

/** Calls on the elements of a map without keys: the kernel insists that none is given. Memory is freed with the map. */
export class KeylessElements<V> {
  readonly map: BpfMap
  #io: Block | undefined

  constructor(map: BpfMap, types: readonly MapTypeName[], what: string) {
    if (!types.includes(map.spec.type)) throw new MapSpecError(map.spec.name, `is a ${map.spec.type}, not a ${what}`)
    this.map = map
  }

  /** Sends `value`. @returns false if the kernel answers `quiet` */
  put(name: CommandName, value: V, flags: number, quiet: number): boolean {
    const io = this.#block()
    encoder(this.#schema())(value as never, io.u8, valueOffset)
    return this.#call(name, io, flags, quiet)
  }

  /** Receives a value; undefined if the kernel answers ENOENT. */
  take(name: CommandName): V | undefined {
    const io = this.#block()
    if (!this.#call(name, io, 0, Errno.ENOENT)) return undefined
    return decoder(this.#schema())(recordView(io.u8.buffer as ArrayBuffer, io.u8.byteOffset, io.size), valueOffset) as V
  }

  #call(name: CommandName, io: Block, flags: number, quiet: number): boolean {
    io.u32[0] = this.map.fd
    writeU64(io.u32, 16, io.address + valueOffset)
    writeU64(io.u32, 24, flags)
    const result = bpf(Command[name], io.address, 32)
    if (result >= 0) return true
    if (result === -quiet) return false
    throw commandError(name, result, `map '${this.map.spec.name}'`)
  }

  #schema() {
    const { name, value } = this.map.spec
    if (value === undefined) throw new MapSpecError(name, 'has no value schema: give it one, such as u64')
    return value
  }

  #block(): Block {
    if (this.#io !== undefined) return this.#io
    const io = allocate(valueOffset + this.map.spec.valueSize)
    this.map.beforeClose(() => {
      release(io)
      this.#io = undefined
    })
    return this.#io = io
  }
}
