import { decoder } from '../spec/codec.ts'
import type { RecordView } from '../spec/codec.ts'
import type { Schema, ValueOf } from '../spec/schema.ts'
import type { PollHandle } from '../sys/backend.ts'
import { poll } from '../sys/syscall.ts'
import { ClosedError } from './descriptor.ts'
import { recordClosed, recordOpened } from './ledger.ts'
import type { OpenObject } from './ledger.ts'
import type { BpfMap } from './map.ts'
import { RingBuffer } from './ring-buffer.ts'
import type { RecordHandler } from './ring-buffer.ts'

export interface RingOptions {
  /** Milliseconds after which records are read that woke nobody. Default 20. */
  flushMs?: number
  /** The same while nothing comes: each look costs a timer. Default 100. */
  idleFlushMs?: number
}

/** Records of one ring, in place. Valid until the next batch is asked for. */
export interface RingBatch {
  /** Index of the ring's map in what the reader was opened with. */
  readonly ring: number
  readonly view: RecordView
  readonly count: number
  /** Where record i starts in `view`, and its bytes. */
  readonly offsets: Uint32Array
  readonly lengths: Uint32Array
}

const idleAfter = 16
const busyRetryMs = 1

/**
 * Reads one or several ring buffers without copying. Woken by the kernel when a producer asks for it, and by a
 * timer for the rest. One consumer at a time: either start(), or `for await`, or drain() by hand.
 */
export class RingReader {
  readonly #rings: RingBuffer[]
  readonly #polls: PollHandle[]
  readonly #entry: OpenObject
  readonly #flushMs: number
  readonly #idleFlushMs: number
  #polling = false
  #timer: NodeJS.Timeout | undefined
  #immediate: NodeJS.Immediate | undefined
  #referenced = true
  #handler: RecordHandler | undefined
  #emptyFlushes = 0
  #wakeUp: (() => void) | undefined
  #closed = false

  /** @throws MapSpecError if a map is no ring buffer; SysError if it cannot be mapped */
  static open(maps: BpfMap | readonly BpfMap[], options: RingOptions = {}): RingReader {
    const list: readonly BpfMap[] = Array.isArray(maps) ? maps : [maps as BpfMap]
    const rings: RingBuffer[] = []
    try {
      for (const map of list) rings.push(new RingBuffer(map))
      return new RingReader(rings, options)
    } catch (error) {
      for (const ring of rings) ring.close()
      throw error
    }
  }

  private constructor(rings: RingBuffer[], options: RingOptions) {
    this.#rings = rings
    this.#flushMs = options.flushMs ?? 20
    this.#idleFlushMs = Math.max(this.#flushMs, options.idleFlushMs ?? 100)
    this.#polls = rings.map((ring) => {
      const handle = poll(ring.map.fd, this.#onReadable)
      handle.stop()
      return handle
    })
    this.#entry = recordOpened('poll', rings.map((ring) => ring.map.spec.name).join(', '))
    // libuv aborts the process if a descriptor is closed before its poll handle.
    for (const ring of rings) ring.map.beforeClose(this.#close)
  }

  /** Bytes waiting in all rings. */
  get waitingBytes(): number {
    return this.#rings.reduce((sum, ring) => sum + ring.waitingBytes, 0)
  }

  /** Records that producers discarded, seen so far. */
  get discarded(): number {
    return this.#rings.reduce((sum, ring) => sum + ring.discarded, 0)
  }

  /**
   * Reads what is there now, at most one ring's size from each, and returns the number of records. What the handler
   * throws comes out here; its record counts as read.
   */
  drain(handler: RecordHandler): number {
    this.#checkOpen()
    let records = 0
    for (let index = 0; index < this.#rings.length; index++) {
      const ring = this.#rings[index]!
      records += ring.drain(handler, index, ring.map.spec.maxEntries)
    }
    return records
  }

  /** Reads from now on. What the handler throws becomes an uncaught exception, and reading goes on. */
  start(handler: RecordHandler): void {
    this.#checkIdle()
    this.#handler = handler
    this.#poll(true)
    this.#schedule(this.#flushMs)
  }

  /** Ends start(); records stay in the rings. */
  stop(): void {
    this.#handler = undefined
    this.#poll(false)
    this.#unschedule()
  }

  /** Batches as they come, until close(). A batch's space is given back when the next is asked for, or the loop left. */
  async *[Symbol.asyncIterator](): AsyncGenerator<RingBatch, void, undefined> {
    this.#checkIdle()
    this.#handler = ignore
    try {
      while (!this.#closed) {
        let found = false
        for (let ring = 0; ring < this.#rings.length && !this.#closed; ring++) {
          const buffer = this.#rings[ring]!
          const count = buffer.lease()
          if (count > 0) {
            found = true
            try {
              yield { ring, view: buffer.view, count, offsets: buffer.offsets, lengths: buffer.lengths }
            } finally {
              if (!this.#closed) buffer.release()
            }
          } else {
            buffer.release()
          }
        }
        if (!found && !this.#closed) await this.#nextWake()
      }
    } finally {
      this.stop()
    }
  }

  /**
   * Records decoded, one by one, until close(). While the loop's body waits, nothing is read: programs then find the ring full,
   * and count what they lose. A record shorter than the schema is an error.
   */
  async *records<S extends Schema>(schema: S): AsyncGenerator<{ value: ValueOf<S>; ring: number }, void, undefined> {
    const decode = decoder(schema)
    for await (const { ring, view, count, offsets, lengths } of this) {
      for (let index = 0; index < count && !this.#closed; index++) {
        if (lengths[index]! < schema.size) throw new RangeError(
          `a record has ${lengths[index]} bytes, fewer than the schema's ${schema.size}`
        )
        yield { value: decode(view, offsets[index]!), ring }
      }
    }
  }

  /** Lets the process end although the reader is open. */
  unref(): this {
    this.#referenced = false
    for (const handle of this.#polls) handle.unref()
    this.#timer?.unref()
    return this
  }

  ref(): this {
    this.#referenced = true
    for (const handle of this.#polls) handle.ref()
    this.#timer?.ref()
    return this
  }

  /** Stops and unmaps. Records not read are lost to this reader, but stay in the map. */
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
    for (const ring of this.#rings) {
      ring.map.forgetBeforeClose(this.#close)
      ring.close()
    }
    recordClosed(this.#entry)
    this.#wakeUp?.()
  }

  readonly #onReadable = () => {
    if (this.#wakeUp !== undefined) this.#wakeUp()
    else this.#pump()
  }

  readonly #onTimer = () => {
    this.#timer = undefined
    if (this.#wakeUp !== undefined) this.#wakeUp()
    else this.#pump()
  }

  /** Reads, then decides when to look again. */
  #pump(): void {
    const handler = this.#handler
    if (handler === undefined || this.#closed) return
    let records = 0
    try {
      records = this.drain(handler)
    } catch (error) {
      records = 1
      process.nextTick(() => { throw error })
    }
    // The handler may have stopped or closed the reader.
    if (this.#handler === undefined || this.#closed) return
    this.#emptyFlushes = records > 0 ? 0 : this.#emptyFlushes + 1
    if (this.#rings.some((ring) => ring.busy)) {
      // An unfinished record keeps the descriptor readable: polling it would spin.
      this.#poll(false)
      this.#schedule(busyRetryMs)
      return
    }
    this.#poll(true)
    if (this.#rings.some((ring) => ring.waitingBytes > 0)) this.#continueSoon()
    this.#schedule(this.#flushDelay())
  }

  #flushDelay(): number {
    return this.#emptyFlushes > idleAfter ? this.#idleFlushMs : this.#flushMs
  }

  /** More came while reading: let the event loop breathe, then go on. */
  #continueSoon(): void {
    this.#immediate ??= setImmediate(() => {
      this.#immediate = undefined
      this.#pump()
    })
  }

  #nextWake(): Promise<void> {
    const busy = this.#rings.some((ring) => ring.busy)
    this.#emptyFlushes++
    return new Promise((resolve) => {
      this.#wakeUp = () => {
        this.#wakeUp = undefined
        this.#poll(false)
        this.#unschedule()
        if (this.#rings.some((ring) => ring.waitingBytes > 0)) this.#emptyFlushes = 0
        resolve()
      }
      if (!busy) this.#poll(true)
      this.#schedule(busy ? busyRetryMs : this.#flushDelay())
    })
  }

  #poll(on: boolean): void {
    if (this.#polling === on) return
    this.#polling = on
    for (const handle of this.#polls) {
      if (on) handle.start()
      else handle.stop()
    }
    if (on && !this.#referenced) this.unref()
  }

  #schedule(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#onTimer, ms)
    if (!this.#referenced) this.#timer.unref()
  }

  #unschedule(): void {
    clearTimeout(this.#timer)
    clearImmediate(this.#immediate)
    this.#timer = this.#immediate = undefined
  }

  #checkOpen(): void {
    if (this.#closed) throw new ClosedError('poll', this.#entry.name)
  }

  #checkIdle(): void {
    this.#checkOpen()
    if (this.#handler !== undefined) throw new Error('this ring reader is already being read')
  }
}

function ignore(): void {}
