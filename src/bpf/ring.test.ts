import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeSync, ftruncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, afterAll, describe, expect, test } from 'vitest'
import { decoder } from '../spec/codec.ts'
import { chars, struct, u64 } from '../spec/schema.ts'
import type { MapSpec } from '../spec/spec.ts'
import { pageSize } from '../sys/machine.ts'
import { features, has } from './features.ts'
import { counters, produceRecords, Wake } from './hand-assembled.ts'
import { kernelBtf } from './kernel-btf.ts'
import { openObjects } from './ledger.ts'
import { attach } from './link.ts'
import { BpfMap } from './map.ts'
import { Program } from './program.ts'
import { RingReader } from './ring.ts'
import { RingBuffer } from './ring-buffer.ts'

const decodeRecord = decoder(struct({ seq: u64, at: u64, comm: chars(16) }))

/** A process of ours that makes as many getppid calls as it is told, and says when it has. */
class Producer {
  readonly #child: ChildProcess
  readonly pid: number
  #done: (() => void) | undefined
  #comm = ''

  constructor() {
    const script = `
      process.stdin.on('data', (text) => {
        for (const line of String(text).trim().split('\\n')) {
          for (let left = Number(line); left > 0; left--) process.ppid
          process.stdout.write('.')
        }
      }).on('end', () => process.exit())`
    this.#child = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.pid = this.#child.pid!
    this.#child.stdout!.on('data', () => this.#done?.())
  }

  calls(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#done = resolve
      this.#child.stdin!.write(`${count}\n`)
    })
  }

  /** The kernel's name of its thread: 'node', or another one on later releases of Node. */
  get comm(): string {
    return this.#comm ||= readFileSync(`/proc/${this.pid}/comm`, 'latin1').trim()
  }

  end(): Promise<void> {
    return new Promise((resolve) => {
      this.#child.once('exit', () => resolve())
      this.#child.stdin!.end()
    })
  }
}

const ringSpec = (maxEntries: number, name = 'ring'): MapSpec => ({ name, type: 'ringbuf', keySize: 0, valueSize: 0, maxEntries, flags: 0 })

const granted = process.platform === 'linux' && has(features.ringBuffer) && has(features.rawTracepoint)

describe.runIf(granted)('ring buffers (features: ring buffers, raw tracepoints)', () => {
  let producer: Producer
  beforeAll(() => { producer = new Producer() })
  afterAll(() => producer.end())

  const closeables: { close(): void }[] = []
  const keep = <T extends { close(): void }>(object: T): T => {
    closeables.push(object)
    return object
  }
  afterEach(() => {
    for (const object of closeables.splice(0).reverse()) object.close()
    expect(openObjects()).toEqual([])
  })

  function setUp(bytes: number, wake: number = Wake.adaptive, discardEighth = false, name = 'ring') {
    const ring = keep(BpfMap.create(ringSpec(bytes, name)))
    const sums = keep(BpfMap.create(counters))
    const program = keep(Program.load(produceRecords(producer.pid, name, wake, discardEighth), {
      license: 'GPL', btf: undefined, btfFd: undefined, kernelBtf, relocate: (spec) => spec.code,
      mapFd: (map) => (map === name ? ring : sums).fd,
    }))
    keep(attach(program))
    const counter = (index: number) => Buffer.from(sums.getRaw(new Uint8Array([index, 0, 0, 0]))!).readUInt32LE(0)
    return { ring, sent: () => counter(0), dropped: () => counter(1) }
  }

  /** Checks every record against its predecessor; what it collects can only come from an intact ring. */
  class Inspector {
    received = 0
    straddled = 0
    faults: string[] = []
    #at = 0
    readonly #size: number
    constructor(size: number) { this.#size = size }
    readonly check = (view: Parameters<typeof decodeRecord>[0], offset: number, length: number) => {
      const record = decodeRecord(view, offset)
      if (record.seq !== this.received) this.faults.push(`record ${this.received} has number ${record.seq}`)
      if (record.comm !== producer.comm) this.faults.push(`record ${record.seq} is of '${record.comm}'`)
      if (record.at < this.#at) this.faults.push(`record ${record.seq} is older than the one before`)
      if (length !== 32) this.faults.push(`record ${record.seq} has ${length} bytes`)
      if (offset + length > this.#size) this.straddled++
      this.#at = record.at
      this.received++
    }
  }

  test('no gap and no damage while the producer runs', async () => {
    const size = 4 * 1024 * 1024
    const { ring, sent, dropped } = setUp(size)
    const inspector = new Inspector(size)
    const reader = keep(RingReader.open(ring))
    let during = 0
    let running = true
    reader.start((view, offset, length) => {
      inspector.check(view, offset, length)
      if (running) during++
    })
    // All of them fit, so that even a reader kept off the CPU loses none.
    await producer.calls(100_000)
    running = false
    await expect.poll(() => inspector.received, { timeout: 20_000 }).toBe(100_000)
    expect(inspector.faults.slice(0, 5)).toEqual([])
    expect([sent(), dropped()]).toEqual([100_000, 0])
    expect(during, 'records read while the producer ran').toBeGreaterThan(0)
  })

  test('records that wrap around the end are whole, over many rounds', async () => {
    const size = pageSize()
    const { ring, sent, dropped } = setUp(size)
    const inspector = new Inspector(size)
    const reader = keep(RingReader.open(ring))
    const fits = Math.floor(size / 40)
    for (let round = 0; round < 100; round++) {
      await producer.calls(fits)
      expect(reader.drain(inspector.check)).toBe(fits)
    }
    expect(inspector.faults).toEqual([])
    expect(inspector.straddled).toBeGreaterThan(10)
    expect([sent(), dropped()]).toEqual([fits * 100, 0])
    expect(reader.waitingBytes).toBe(0)
  })

  test('a full ring drops, and received + dropped = sent', async () => {
    const size = pageSize()
    const { ring, sent, dropped } = setUp(size)
    const reader = keep(RingReader.open(ring))
    await producer.calls(size)
    const inspector = new Inspector(size)
    expect(reader.waitingBytes).toBeGreaterThan(size - 80)
    reader.drain(inspector.check)
    expect(inspector.faults).toEqual([])
    expect(dropped()).toBeGreaterThan(0)
    expect(inspector.received + dropped()).toBe(sent())
    expect(sent()).toBe(size)
  })

  test('discarded records are skipped and counted', async () => {
    const { ring } = setUp(65_536, Wake.never, true)
    const reader = keep(RingReader.open(ring))
    await producer.calls(800)
    const numbers: number[] = []
    expect(reader.drain((view, offset) => numbers.push(decodeRecord(view, offset).seq))).toBe(700)
    expect(numbers).toEqual(Array.from({ length: 800 }, (_, index) => index).filter((index) => index % 8 !== 7))
    expect(reader.discarded).toBe(100)
    expect(reader.waitingBytes).toBe(0)
  })

  test('the kernel wakes the reader: no timer is needed', async () => {
    const { ring } = setUp(65_536, Wake.adaptive)
    const reader = keep(RingReader.open(ring, { flushMs: 2 ** 30 }))
    let received = 0
    reader.start(() => { received++ })
    await producer.calls(10)
    await expect.poll(() => received, { timeout: 10_000 }).toBe(10)
    await producer.calls(10)
    await expect.poll(() => received, { timeout: 10_000 }).toBe(20)
  })

  test('the timer reads what woke nobody', async () => {
    const { ring } = setUp(65_536, Wake.never)
    const reader = keep(RingReader.open(ring, { flushMs: 5, idleFlushMs: 10 }))
    let received = 0
    reader.start(() => { received++ })
    await producer.calls(10)
    await expect.poll(() => received, { timeout: 10_000 }).toBe(10)
  })

  test('stop and start again lose nothing', async () => {
    const { ring } = setUp(65_536)
    const reader = keep(RingReader.open(ring))
    const inspector = new Inspector(65_536)
    reader.start(inspector.check)
    await producer.calls(100)
    reader.stop()
    await producer.calls(100)
    reader.start(inspector.check)
    expect(() => reader.start(inspector.check)).toThrow('already being read')
    await expect.poll(() => inspector.received).toBe(200)
    expect(inspector.faults).toEqual([])
  })

  test('one reader, two rings', async () => {
    const one = setUp(65_536, Wake.adaptive, false, 'one')
    const two = setUp(65_536, Wake.never, false, 'two')
    const reader = keep(RingReader.open([one.ring, two.ring], { flushMs: 5 }))
    const numbers: number[][] = [[], []]
    reader.start((view, offset, _, ring) => { numbers[ring]!.push(decodeRecord(view, offset).seq) })
    await producer.calls(50)
    await expect.poll(() => numbers.map((list) => list.length)).toEqual([50, 50])
    expect(numbers[0]).toEqual(Array.from({ length: 50 }, (_, index) => index))
    expect(numbers[1]).toEqual(numbers[0])
  })

  test('for await gives batches, and what was not taken stays', async () => {
    const { ring } = setUp(65_536)
    const reader = keep(RingReader.open(ring, { flushMs: 5 }))
    const inspector = new Inspector(65_536)
    const sending = producer.calls(600)
    for await (const batch of reader) {
      // The batch must survive a wait in the loop's body.
      await new Promise((resolve) => setImmediate(resolve))
      for (let index = 0; index < batch.count; index++) inspector.check(batch.view, batch.offsets[index]!, batch.lengths[index]!)
      if (inspector.received >= 600) break
    }
    await sending
    expect(inspector.received).toBe(600)
    expect(inspector.faults).toEqual([])
    await producer.calls(5)
    expect(reader.drain(inspector.check)).toBe(5)
    expect(inspector.faults).toEqual([])
  })

  test('close ends a loop that waits', async () => {
    const { ring } = setUp(65_536)
    const reader = keep(RingReader.open(ring))
    const loop = (async () => {
      let batches = 0
      for await (const _ of reader) batches++
      return batches
    })()
    await new Promise((resolve) => setImmediate(resolve))
    reader.close()
    expect(await loop).toBe(0)
    expect(() => reader.drain(() => {})).toThrow('is closed')
  })

  test('an exception in the handler reaches the process, and reading goes on after that record', async () => {
    const { ring } = setUp(65_536)
    const reader = keep(RingReader.open(ring, { flushMs: 5 }))
    const listeners = process.rawListeners('uncaughtException') as ((error: Error) => void)[]
    process.removeAllListeners('uncaughtException')
    const errors: string[] = []
    process.on('uncaughtException', (error) => { errors.push(error.message) })
    try {
      const numbers: number[] = []
      reader.start((view, offset) => {
        const { seq } = decodeRecord(view, offset)
        numbers.push(seq)
        if (seq === 3) throw new Error(`record ${seq}`)
      })
      await producer.calls(10)
      await expect.poll(() => numbers.length).toBe(10)
      expect(numbers).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
      expect(errors).toEqual(['record 3'])
    } finally {
      process.removeAllListeners('uncaughtException')
      for (const listener of listeners) process.on('uncaughtException', listener)
    }
  })

  test('an exception in drain comes out of it; its record counts as read', async () => {
    const { ring } = setUp(65_536)
    const reader = keep(RingReader.open(ring))
    await producer.calls(5)
    expect(() => reader.drain((view, offset) => {
      if (decodeRecord(view, offset).seq === 1) throw new Error('here')
    })).toThrow('here')
    const rest: number[] = []
    reader.drain((view, offset) => { rest.push(decodeRecord(view, offset).seq) })
    expect(rest).toEqual([2, 3, 4])
  })

  test('closing inside the handler, the map before the reader, and reading a view kept: no crash', async () => {
    const first = setUp(65_536, Wake.never, false, 'first')
    const reader = keep(RingReader.open(first.ring))
    await producer.calls(600)
    let received = 0
    let view: Parameters<typeof decodeRecord>[0] | undefined
    reader.drain((records) => {
      view = records
      if (++received === 300) reader.close()
    })
    expect(received).toBe(300)
    expect(view!.u32[2] ?? 0).toBe(0)
    const second = setUp(65_536, Wake.adaptive, false, 'second')
    const other = keep(RingReader.open(second.ring))
    other.start(() => {})
    second.ring.close()
    expect(() => other.drain(() => {})).toThrow('is closed')
    await producer.calls(10)
  })

  test('only ring buffers can be read', () => {
    const map = keep(BpfMap.create(counters))
    expect(() => RingReader.open(map)).toThrow("map 'counters': is a array, not a ring buffer")
  })
})

/** States that a producer shows for nanoseconds only are set up in a file with the layout of a ring buffer. */
describe.runIf(process.platform === 'linux')('the layout of ring buffers', () => {
  const size = 65_536
  let folder: string
  let fd: number
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'skep-ring-'))
    fd = openSync(join(folder, 'ring'), 'w+')
    ftruncateSync(fd, 2 * pageSize() + 2 * size)
  })
  afterAll(() => {
    closeSync(fd)
    rmSync(folder, { recursive: true })
  })

  const write64 = (offset: number, value: bigint) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64LE(value)
    writeSync(fd, bytes, 0, 8, offset)
  }
  /** A record at `position`, in both copies of the data. */
  const record = (position: bigint, length: number, flags: number, content: number) => {
    const bytes = Buffer.alloc(8 + length, content)
    bytes.writeUInt32LE((length | flags) >>> 0)
    const place = Number(position % BigInt(size))
    writeSync(fd, bytes, 0, bytes.length, 2 * pageSize() + place)
    if (place + bytes.length > size) writeSync(fd, bytes, size - place, place + bytes.length - size, 2 * pageSize())
  }
  const open = (consumer: bigint, producer: bigint) => {
    write64(0, consumer)
    write64(pageSize(), producer)
    return new RingBuffer({ fd, spec: ringSpec(size) } as BpfMap)
  }
  /** Through the file, as the kernel would see it. */
  const consumerPosition = () => {
    const bytes = Buffer.alloc(8)
    readSync(fd, bytes, 0, 8, 0)
    return bytes.readBigUInt64LE()
  }

  test('a record still being written stops the reader, which finds it once it is finished', () => {
    record(0n, 16, 0, 1)
    record(24n, 16, 0x8000_0000, 2)
    record(48n, 16, 0, 3)
    const ring = open(0n, 72n)
    expect(ring.lease()).toBe(1)
    expect(ring.busy).toBe(true)
    ring.release()
    expect(ring.lease()).toBe(0)
    expect(ring.busy).toBe(true)
    ring.release()
    expect(consumerPosition()).toBe(24n)
    record(24n, 16, 0, 2)
    expect(ring.lease()).toBe(2)
    expect(ring.busy).toBe(false)
    expect([...ring.offsets.subarray(0, 2)].map((offset) => ring.view.u8[offset])).toEqual([2, 3])
    ring.release()
    expect(consumerPosition()).toBe(72n)
    ring.close()
  })

  test('positions beyond 32 bits, and a record across the wrap', () => {
    const start = 2n ** 40n + BigInt(size) - 16n
    record(start, 40, 0, 9)
    const ring = open(start, start + 48n)
    expect(ring.lease()).toBe(1)
    const offset = ring.offsets[0]!
    expect(offset).toBe(size - 8)
    expect([...ring.view.u8.subarray(offset, offset + 8)]).toEqual(new Array(8).fill(9))
    ring.release()
    expect(consumerPosition()).toBe(start + 48n)
    expect(ring.waitingBytes).toBe(0)
    ring.close()
  })

  test('only discards: nothing is handed out, their space is given back', () => {
    record(0n, 100, 0x4000_0000, 0)
    const ring = open(0n, 112n)
    expect(ring.drain(() => { throw new Error('handed out') }, 0, size)).toBe(0)
    expect(ring.discarded).toBe(1)
    expect(consumerPosition()).toBe(112n)
    ring.close()
  })
})
