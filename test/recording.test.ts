import { lstatSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { LoadedProbe } from '../src/agent/loaded-probe.ts'
import { compileRecorder, Recorder, type RecorderOptions } from '../src/agent/recorder.ts'
import { openReplayedRings, ReplayedMap } from '../src/agent/replayed-map.ts'
import { SignalSession } from '../src/agent/signal-session.ts'
import { closeKernelBtf, kernelBtf } from '../src/bpf/kernel-btf.ts'
import { compileModule } from '../src/compiler/compile.ts'
import { RingDeclaration, type MapDeclaration } from '../src/compiler/language/maps.ts'
import { catalogue } from '../src/probes/catalogue.ts'
import { signalsOf } from '../src/cli/signals.ts'
import { parseRecording, type Recording } from '../src/vm/recording.ts'
import { Replay } from '../src/vm/replay.ts'
import { Cgroup, cgroupMount } from './generator.ts'
import { until } from './until.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

/** Begin and end of a recording are at rest: the load waits for a line, however late it is given a CPU to do so. */
async function asleep(pid: number): Promise<void> {
  await until('sleep of the load', () => readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') S ') || null, 60_000, 5)
  await sleep(100)
}

type Module = Record<string, unknown>
type MapOf = (declaration: MapDeclaration | RingDeclaration) => any

/** What a module counts of one cgroup, and its events of it. */
class Tally {
  readonly #session: SignalSession
  readonly events: string[] = []

  constructor(module: Module, mapOf: MapOf, cgroup: number, openRings?: typeof openReplayedRings) {
    this.#session = new SignalSession(signalsOf(module), mapOf, (signal, { at: _at, startedAt: _startedAt, ...record }) => {
      if ((record['workload'] as { cgroup?: number } | undefined)?.cgroup === cgroup) this.events.push(JSON.stringify([signal.name, record]))
    }, openRings)
  }

  drain(): void { this.#session.drain() }

  /** Signal → counts of the cgroup: counters in order, the number of values of a histogram. */
  counts(cgroup: number, now: number): Record<string, number[]> {
    return Object.fromEntries(this.#session.read(now).flatMap(({ signal, rows }) => {
      const mine = rows.filter(({ key }) => key?.cgroup === cgroup).map((row) => (signal.kind === 'histogram'
        ? [row.total.subarray(1).reduce((sum, one) => sum + one, 0)]
        : [...row.total]))
      return mine.length === 0 ? [] : [[signal.name, mine[0]!]]
    }))
  }

  close(): void { this.#session.close() }
}

function replayed(recording: Recording, module: Module, cgroup: number): { tally: Tally; counts: Record<string, number[]> } {
  const replay = new Replay(recording)
  const compiled = compileModule(module, { btf: replay.types.btf, name: 'replayed' })
  const simulation = replay.attach(compiled)
  const maps = new Map([...compiled.maps.values()].map((declaration) => [declaration, new ReplayedMap(simulation, declaration, declaration instanceof RingDeclaration)]))
  const tally = new Tally(module, (declaration) => maps.get(declaration), cgroup, openReplayedRings)
  replay.advanceTo(replay.end, () => tally.drain())
  const counts = tally.counts(cgroup, 1)
  tally.close()
  return { tally, counts }
}

describe.skipIf(cgroupMount === null)('a recording of the kernel (needs root and a cgroup v2 hierarchy)', () => {
  afterAll(closeKernelBtf)

  /** Runs a load in a cgroup of its own, recorded, while the live probes count too. */
  async function both(script: string, more: Partial<RecorderOptions> = {}) {
    const cgroup = new Cgroup('record')
    const id = lstatSync(cgroup.path).ino
    const options: RecorderOptions = { btf: kernelBtf(), scope: { kind: 'cgroup', ids: [id], name: 'one cgroup' }, keepText: false, version: 'test', ...more }
    const lines: string[] = []
    const modules: Module[] = [catalogue.process, catalogue.scheduler, catalogue.syscalls]
    const load = cgroup.perl(script)
    let recorder: Recorder | null = null
    const probes = modules.map((module) => LoadedProbe.load(catalogue.process.probe, () => compileModule(module, { btf: kernelBtf(), name: 'live' })))
    const tallies: Tally[] = []
    try {
      await load.line()
      await asleep(load.process.pid!)
      recorder = Recorder.start(compileRecorder(Object.values(catalogue), options), options, (line) => lines.push(line))
      for (const probe of probes) probe.attach()
      tallies.push(...modules.map((module, index) => new Tally(module, (declaration) => probes[index]!.map(declaration), id)))
      while (await load.ask() !== 'done');
      await asleep(load.process.pid!)
      const end = recorder.stop('test')
      const live = tallies.map((tally) => tally.counts(id, 1))
      const text = [JSON.stringify(recorder.header), ...lines, JSON.stringify(end), ''].join('\n')
      return { text, end, live, id, modules, events: tallies.map(({ events }) => events) }
    } finally {
      for (const tally of tallies) tally.close()
      for (const probe of probes) probe.close()
      recorder?.close()
      await load.stop()
      await cgroup.remove()
    }
  }

  test('replayed through the process, scheduler and system call probes gives what they counted live', async () => {
    const { text, end, live, id, modules, events } = await both(
      `say('up'); for my $n (1..4) { step(); my $child = fork(); if (!$child) { burn(0.05); exec('/bin/true') } wait; -e '/nonexistent'; say($n < 4 ? 'more' : 'done') } step()`,
    )
    expect(end.lost).toBe(0)
    const again = modules.map((module) => replayed(parseRecording(text), module, id))
    expect(again[0]!.tally.events.length).toBe(12)
    expect(again[0]!.tally.events.map((one) => one.replace(/text-\d+/, '/bin/true'))).toEqual(events[0])
    const { cpu: [time, switches] = [], ...waits } = again[1]!.counts as { cpu?: number[] }
    const { cpu: [liveTime, liveSwitches] = [], ...liveWaits } = live[1]! as { cpu?: number[] }
    expect(switches).toBeGreaterThan(8)
    expect({ switches, ...waits }).toEqual({ switches: liveSwitches, ...liveWaits })
    // Two programs on one hook read the clock one after the other.
    expect(Math.abs(time! / liveTime! - 1)).toBeLessThan(0.02)
    expect(again[2]!.counts).toEqual(live[2])
  })

  test('holds no text but names of its own processes, and no kernel address', async () => {
    const secret = 'swordfish'
    const { text, id } = await both(`say('up'); step(); my $child = fork(); if (!$child) { exec('/bin/sh', '-c', 'exec /bin/${secret} ${secret}') } wait; `
      + `$0 = 'renamed'; system('/bin/true', '${secret}'); say('done'); step()`)
    expect(text).not.toContain(secret)
    expect(text).not.toContain('/bin')
    expect(text).toContain('"text-1"')
    expect(text).toContain('perl')
    // 64-bit addresses of the kernel as decimal or hexadecimal numbers.
    expect(text).not.toMatch(/\b1844674\d{13}\b|ffff[89a-f][0-9a-f]{11}/)
    const replay = replayed(parseRecording(text), catalogue.process, id)
    expect(replay.tally.events.length).toBeGreaterThan(3)
  })
})
