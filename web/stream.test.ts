import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { emptyView, receive, recall } from './store.ts'
import { Stream } from './stream.ts'
import { tick } from './tick.test-support.ts'

class FakeSource extends EventTarget {
  static all: FakeSource[] = []
  closed = false
  readonly url: string
  constructor(url: string) {
    super()
    this.url = url
    FakeSource.all.push(this)
  }
  close() { this.closed = true }
  tell(type: string, data?: unknown) {
    this.dispatchEvent(Object.assign(new Event(type), { data: typeof data === 'string' ? data : JSON.stringify(data) }))
  }
}

const histogram = { buckets: [1], count: 1, sum: 1, p50: 1, p90: 1, p99: 1 }
const snapshot = (sequence: number, startedAt = 1): any => ({
  v: 1, sequence, at: sequence * 1000, intervalSeconds: 1,
  host: { name: 'h', kernel: 'k', architecture: 'x64', cpus: 2, bootAt: 0, startedAt },
  agent: { userCores: 0.1, kernelCores: null, kernelMeasuredAt: null, residentBytes: 1, mapBytes: 1, lost: 0, programs: [] },
  probes: [],
  totals: {
    cpu: { busyCores: 1, contextSwitchesPerSecond: 1 }, runQueueLatency: histogram,
    processes: { startsPerSecond: 1, endsPerSecond: 1, starts: 1, ends: 1, forks: 1 },
    syscalls: { perSecond: 1, errorsPerSecond: 0, total: 1, errors: [] },
    tcp: {
      openedPerSecond: 0, acceptedPerSecond: 0, closedPerSecond: 0, failedPerSecond: 0,
      opened: 0, accepted: 0, closed: 0, failed: 0,
    },
  },
  recording: null, workloads: [], processes: [{ name: `p${sequence}` }], connections: [], disks: [],
})
const history = { startedAt: 1, intervalSeconds: 1, snapshots: [tick(1, { buckets: [2], busyCores: 1, syscallsPerSecond: 1 })] }

let told: string[] = []
let fetched = 0
let answer: () => Promise<unknown>
const source = () => FakeSource.all.at(-1)!

function stream() {
  const made = new Stream({
    snapshot: ({ sequence }) => told.push(`tick ${sequence}`),
    history: (run) => told.push(`history ${run}`),
    state: (state) => told.push(state),
  })
  made.start()
  return made
}

beforeEach(() => {
  vi.useFakeTimers()
  FakeSource.all = []
  told = []
  fetched = 0
  answer = () => Promise.resolve({ ok: true, json: () => Promise.resolve(history) })
  vi.stubGlobal('EventSource', FakeSource)
  vi.stubGlobal('document', Object.assign(new EventTarget(), { hidden: false }))
  vi.stubGlobal('fetch', () => { fetched++; return answer() })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('Stream', () => {
  it('tells of ticks, and asks for the history once', async () => {
    const made = stream()
    source().tell('open')
    source().tell('message', snapshot(5))
    await vi.advanceTimersByTimeAsync(0)
    source().tell('message', snapshot(6))
    await vi.advanceTimersByTimeAsync(3000)
    expect(told).toEqual(['waiting', 'live', 'tick 5', 'history 1', 'tick 6'])
    expect([source().url, fetched]).toEqual(['/api/stream', 1])
    made.stop()
    expect(source().closed).toBe(true)
  })

  it('fills a gap in the sequence, and takes an agent that was started again', async () => {
    const made = stream()
    for (const one of [snapshot(5), snapshot(6), snapshot(9), snapshot(9), snapshot(1, 2)]) {
      source().tell('message', one)
      await vi.advanceTimersByTimeAsync(6000 / 4)
    }
    expect(told).toEqual(['live', 'tick 5', 'history 1', 'tick 6', 'tick 9', 'history 1', 'tick 1', 'history 2'])
    made.stop()
  })

  it('asks for the history again when that failed', async () => {
    const good = answer
    answer = () => fetched < 3 ? Promise.reject(new Error('refused')) : good()
    const made = stream()
    source().tell('message', snapshot(5))
    for (let sequence = 6; sequence < 20; sequence++) {
      await vi.advanceTimersByTimeAsync(1000)
      source().tell('message', snapshot(sequence))
    }
    await vi.advanceTimersByTimeAsync(0)
    expect([fetched, told.filter((one) => one.startsWith('history')).length]).toEqual([3, 1])
    made.stop()
  })

  it('reconnects with back-off, says that the agent stopped, and comes back', async () => {
    const made = stream()
    source().tell('message', snapshot(5))
    const opened: number[] = []
    const began = Date.now()
    for (let second = 0; second < 120; second++) {
      if (!source().closed) {
        opened.push(Date.now() - began)
        source().tell('error')
      }
      await vi.advanceTimersByTimeAsync(250)
    }
    const waits = opened.slice(1).map((at, index) => at - opened[index]!)
    expect(waits[0]).toBeLessThanOrEqual(1000)
    expect(Math.max(...waits)).toBeLessThanOrEqual(18_250)
    expect(waits.length).toBeLessThan(9)
    expect(told.slice(0, 2)).toEqual(['live', 'tick 5'])
    expect(told.filter((one) => one !== 'history 1').slice(2)).toEqual(['reconnecting', 'stopped'])
    made.retryNow()
    source().tell('message', snapshot(1, 2))
    expect(told.slice(-2)).toEqual(['live', 'tick 1'])
    made.stop()
  })

  it('gives up a stream that says nothing, half a message, and an agent that it does not know', async () => {
    const made = stream()
    source().tell('message', snapshot(5))
    await vi.advanceTimersByTimeAsync(12_000)
    expect(told.at(-1)).toBe('reconnecting')
    made.retryNow()
    source().tell('message', '{"v":1,"seq')
    expect(source().closed).toBe(true)
    made.retryNow()
    source().tell('message', { ...snapshot(6), v: 2 })
    expect(told.at(-1)).toBe('outdated')
    await vi.advanceTimersByTimeAsync(60_000)
    expect(source().closed).toBe(true)
    made.stop()
  })

  it('gives the connection back while no one looks', async () => {
    const made = stream()
    source().tell('message', snapshot(5))
    Object.assign(document, { hidden: true })
    document.dispatchEvent(new Event('visibilitychange'))
    for (let sequence = 6; sequence < 67; sequence++) {
      await vi.advanceTimersByTimeAsync(1000)
      source().tell('message', snapshot(sequence))
    }
    expect(source().closed).toBe(true)
    Object.assign(document, { hidden: false })
    document.dispatchEvent(new Event('visibilitychange'))
    expect(source().closed).toBe(false)
    made.stop()
  })
})

describe('receive', () => {
  it('grows the view without changing the one before, and marks what is missing', () => {
    const one = receive(emptyView, snapshot(1))
    const two = receive(one, snapshot(4))
    const three = receive(two, snapshot(1, 9))
    expect(one.processes.entries.length).toBe(1)
    expect(three.processes.entries.map(({ event, gap }) => event?.name ?? gap))
      .toEqual(['p1', '2 ticks not received here', 'p4', 'skep was started again here', 'p1'])
    expect(recall(two, 1, { ...history, startedAt: 8 })).toBe(two)
    expect(recall(two, 1, { startedAt: 1, intervalSeconds: 2, snapshots: [{ ...history.snapshots[0]!, sequence: 3, at: 3000 }] }))
      .toMatchObject({ intervalMs: 2000, points: [{ sequence: 1 }, { sequence: 3 }, { sequence: 4 }] })
  })
})
