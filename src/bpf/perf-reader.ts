import { decoder } from '../spec/codec.ts'
import type { Schema, ValueOf } from '../spec/schema.ts'
import type { PollHandle } from '../sys/backend.ts'
import { availableCpus } from '../sys/machine.ts'
import { poll } from '../sys/syscall.ts'
import { ClosedError } from './descriptor.ts'
import { recordClosed, recordOpened } from './ledger.ts'
import type { OpenObject } from './ledger.ts'
import type { BpfMap } from './map.ts'
import { MapSpecError } from './map-layout.ts'
import { PerfBuffer } from './perf-buffer.ts'
import type { RecordHandler } from './ring-buffer.ts'

export interface PerfReaderOptions {
  /** Memory of each CPU's buffer: a power of two. Default 16 (64 KB on x86-64). */
  pages?: number
  /** Records after which the reader is woken; fewer wait for the timer. Default 64. */
  wakeUp?: number
  /** Milliseconds after which records are read that woke nobody. Default 20. */
  flushMs?: number
}

/**
 * Reads what programs send by bpf_perf_event_output: a buffer for each CPU, so records of several CPUs come in no common order.
 * Kernel 4.4; ring buffers (5.8) are better where they are. One consumer at a time: start(), `for await`, or drain() by hand.
 */
export class PerfReader {
  readonly map: BpfMap
  readonly #buffers: PerfBuffer[]
  readonly #polls: PollHandle[]
  readonly #entry: OpenObject
  readonly #flushMs: number
  #handler: RecordHandler | undefined
  #timer: NodeJS.Timeout | undefined
  #polling = false
  #referenced = true
  #wakeUp: (() => void) | undefined
  #closed = false

  /** @throws MapSpecError if the map is no perf event array; PolicyError, SysError */
  static open(map: BpfMap, options: PerfReaderOptions = {}): PerfReader {
    if (map.spec.type !== 'perfEventArray') throw new MapSpecError(map.spec.name, `is a ${map.spec.type}, not a perf event array`)
    const buffers: PerfBuffer[] = []
    try {
      for (const cpu of availableCpus()) {
        const buffer = new PerfBuffer(cpu, options.pages ?? 16, options.wakeUp ?? 64)
        buffers.push(buffer)
        map.setRaw(bytesOf(cpu), bytesOf(buffer.fd))
      }
      return new PerfReader(map, buffers, options)
    } catch (error) {
      for (const buffer of buffers) buffer.close()
      throw error
    }
  }

  private constructor(map: BpfMap, buffers: PerfBuffer[], options: PerfReaderOptions) {
    this.map = map
    this.#buffers = buffers
    this.#flushMs = options.flushMs ?? 20
    this.#polls = buffers.map((buffer) => {
      const handle = poll(buffer.fd, this.#onWake)
      handle.stop()
      return handle
    })
    this.#entry = recordOpened('poll', map.spec.name)
    map.beforeClose(this.#close)
  }

  /** Records that found no room, on all CPUs. The kernel tells of them with the next record that fits. */
  get lost(): number {
    return this.#buffers.reduce((sum, { lost }) => sum + lost, 0)
  }

  /** Bytes waiting in all buffers. */
  get waitingBytes(): number {
    return this.#buffers.reduce((sum, buffer) => sum + buffer.waitingBytes, 0)
  }

  /** Reads what is there now, and returns the number of records. The handler's last argument is the CPU. */
  drain(handler: RecordHandler): number {
    this.#checkOpen()
    let records = 0
    for (const buffer of this.#buffers) if (!this.#closed) records += buffer.drain(handler)
    return records
  }

  /** Reads from now on. What the handler throws becomes an uncaught exception, and reading goes on. */
  start(handler: RecordHandler): void {
    this.#checkIdle()
    this.#handler = handler
    this.#watch(true)
  }

  /** Ends start(); records stay in the buffers. */
  stop(): void {
    this.#handler = undefined
    this.#watch(false)
  }

  /** Records decoded, one by one. While the loop's body waits, nothing is read: what then finds no room is counted in `lost`. */
  async *records<S extends Schema>(schema: S): AsyncGenerator<{ value: ValueOf<S>; cpu: number }, void, undefined> {
    this.#checkIdle()
    this.#handler = () => {}
    const decode = decoder(schema)
    const read: { value: ValueOf<S>; cpu: number }[] = []
    try {
      while (!this.#closed) {
        this.drain((view, offset, length, cpu) => {
          // The kernel pads records, so they may be longer than what was sent.
          if (length >= schema.size) read.push({ value: decode(view, offset), cpu })
        })
        if (read.length > 0) yield* read.splice(0)
        else await this.#nextWake()
      }
    } finally {
      this.stop()
    }
  }

  /** Lets the process end although the reader is open. */
  unref(): this {
    this.#referenced = false
    for (const handle of this.#polls) handle.unref()
    this.#timer?.unref()
    return this
  }

  /** Stops, and takes the buffers away from the map. */
  close(): void {
    this.#close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  readonly #close = () => {
    if (this.#closed) return
    this.stop()
    this.#closed = true
    for (const handle of this.#polls) handle.close()
    for (const buffer of this.#buffers) {
      if (!this.map.closed) this.map.deleteRaw(bytesOf(buffer.cpu))
      buffer.close()
    }
    this.map.forgetBeforeClose(this.#close)
    recordClosed(this.#entry)
    this.#wakeUp?.()
  }

  readonly #onWake = () => {
    if (this.#wakeUp !== undefined) return this.#wakeUp()
    const handler = this.#handler
    if (handler === undefined || this.#closed) return
    try {
      this.drain(handler)
    } catch (error) {
      process.nextTick(() => { throw error })
    }
    if (this.#handler !== undefined && !this.#closed) this.#watch(true)
  }

  #nextWake(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeUp = () => {
        this.#wakeUp = undefined
        this.#watch(false)
        resolve()
      }
      this.#watch(true)
    })
  }

  #watch(on: boolean): void {
    clearTimeout(this.#timer)
    this.#timer = on ? setTimeout(this.#onWake, this.#flushMs) : undefined
    if (on !== this.#polling) {
      for (const handle of this.#polls) {
        if (on) handle.start()
        else handle.stop()
      }
      this.#polling = on
    }
    if (on && !this.#referenced) this.unref()
  }

  #checkOpen(): void {
    if (this.#closed) throw new ClosedError('poll', this.#entry.name)
  }

  #checkIdle(): void {
    this.#checkOpen()
    if (this.#handler !== undefined) throw new Error('this perf reader is already being read')
  }
}

function bytesOf(value: number): Uint8Array {
  return new Uint8Array(new Uint32Array([value]).buffer)
}
