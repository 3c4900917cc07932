import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { counter, tp_btf } from 'skep'
import { compileModule } from '../compiler/compile.ts'
import * as scheduler from '../probes/scheduler.ts'
import * as tcp from '../probes/tcp.ts'
import { parseRecording, RecordingError } from './recording.ts'
import { Replay } from './replay.ts'

const shipped = gunzipSync(readFileSync(new URL('../../demo/demo.skeprec.gz', import.meta.url))).toString('utf8')
const lines = shipped.trimEnd().split('\n')
/** The beginning of it, which is enough for most. */
const short = (count: number, change: (header: any) => void = () => {}): string => {
  const header = JSON.parse(lines[0]!)
  change(header)
  return [JSON.stringify(header), ...lines.slice(1, count + 1), JSON.stringify({ ...JSON.parse(lines.at(-1)!), events: count })].join('\n')
}

function played(text: string, module: Record<string, unknown>, compiled = true) {
  const replay = new Replay(parseRecording(text))
  const m = replay.attach(compileModule(module, { btf: replay.types.btf, name: 'probe' }), { compiled })
  replay.advanceTo(replay.end)
  return m
}

describe('replay', () => {
  test('the same recording gives the same, interpreted and compiled, in one step and in many', () => {
    const text = short(3000)
    const once = played(text, scheduler)
    const again = played(text, scheduler, false)
    expect(again.map(scheduler.cpu.map).entries()).toEqual(once.map(scheduler.cpu.map).entries())
    const replay = new Replay(parseRecording(text))
    const m = replay.attach(compileModule(scheduler, { btf: replay.types.btf, name: 'probe' }))
    for (let at = replay.now; !replay.isDone; at += 7_777_777) replay.advanceTo(Math.min(at, replay.end))
    for (const map of [scheduler.cpu.map, scheduler.latency.map]) expect(m.map(map).entries()).toEqual(once.map(map).entries())
    expect(once.map(scheduler.cpu.map).size).toBeGreaterThan(2)
  })

  test('a socket is one object, whatever it is cast to', () => {
    const m = played(shipped, tcp)
    const [[, count]] = m.map(tcp.connections.map).sums() as [[number, { opened: number; accepted: number; failed: number; closed: number }]]
    expect(count.opened).toBeGreaterThan(100)
    expect(count.accepted).toBe(count.opened)
    expect(count.failed).toBeGreaterThan(10)
    const closed = m.ring(tcp.ring).events(tcp).filter(({ event }) => event === 'closed')
    expect(closed.every(({ endpoints }) => endpoints.local4 === 0 || (endpoints.local4 & 0xff) === 192)).toBe(true)
    expect(closed.some(({ received }) => received > 200)).toBe(true)
  })

  test('what was not recorded is an error at the line that reads it', () => {
    const seen = counter('seen', { unit: '1' })
    const module = { seen, p: tp_btf('sched_switch', (_preempt, prev) => { 'use bpf'; seen.add(prev.prio) }) }
    expect(() => played(short(10), module)).toThrow(/recording\.test\.ts:\d+:\d+: SKEP-C05: this kernel's struct task_struct has no field 'prio'/)
  })
})

describe('a file that is no whole recording is refused with its line', () => {
  const event = lines.findIndex((line, index) => index > 0 && JSON.parse(line).length === 6)
  const withEvent = (change: (value: any[]) => void): string => {
    const value = JSON.parse(lines[event]!)
    change(value)
    return [lines[0], JSON.stringify(value), JSON.stringify({ end: true, events: 1, lost: 0, duration: 1, stopped: 'time' })].join('\n')
  }
  test.each<[string, string, string]>([
    ['nothing', '', 'line 1: this is no recording'],
    ['something else', '\x7fELF\0\0\0', 'line 1: this is no recording'],
    ['other JSON', '{}\n{}', 'line 1: this is no recording'],
    ['another version', short(1, (header) => { header.v = 99 }), 'version 99, this skep reads version 1'],
    ['cut between lines', lines.slice(0, 5).join('\n'), 'cut off: its last line is missing'],
    ['cut inside of a line', shipped.slice(0, 20_000), 'the line is no JSON'],
    ['events that are missing', [lines[0], lines.at(-1)].join('\n'), 'events and has 0'],
    ['a struct of absurd size', short(1, (header) => { header.structs.task_struct.size = 1e12 }), "size of struct 'task_struct'"],
    ['a field outside of its struct', short(1, (header) => { header.structs.task_struct.fields.pid[1] = 1e7 }), 'task_struct.pid lies outside'],
    ['a type that is none', short(1, (header) => { header.structs.task_struct.fields.pid[0] = 'f64' }), "'f64' is no type"],
    ['a field of a prototype', short(1, (header) => { header.structs.task_struct.fields['a.b c'] = ['u32', 0] }), "no field of struct 'task_struct'"],
    ['no CPUs', short(1, (header) => { header.cpus = 1e9 }), 'is no number of CPUs'],
    ['a hook that is not there', withEvent((value) => { value[0] = 77 }), 'line 2: there is no hook 77'],
    ['time that runs backwards', withEvent((value) => { value[1] = -1 }), 'is no time between two events'],
    ['ages', withEvent((value) => { value[1] = 1e18 }), 'is no time between two events'],
    ['a CPU that is not there', withEvent((value) => { value[2] = 4096 }), 'there is no CPU 4096'],
    ['too few arguments', withEvent((value) => { value[4] = [] }), 'the arguments are not those of'],
    ['a field that the header lacks', withEvent((value) => { value[5] = [[1, 'task_struct', { constructor: 1 }]] }), 'task_struct.constructor is not recorded'],
    ['text for a number', withEvent((value) => { value[5] = [[1, 'task_struct', { pid: 'x' }]] }), 'task_struct.pid is not recorded'],
  ])('%s', (_what, text, problem) => {
    expect(() => parseRecording(text)).toThrow(RecordingError)
    expect(() => parseRecording(text)).toThrow(problem)
  })

  test('lines that were changed at random are refused or played, never more', () => {
    let seed = 7
    const random = (below: number) => (seed = Math.imul(seed, 1_103_515_245) + 12_345 >>> 0) % below
    for (let round = 0; round < 200; round++) {
      const bytes = Buffer.from(short(20))
      for (let change = 0; change < 3; change++) bytes[random(bytes.length)] = 32 + random(95)
      try {
        played(bytes.toString('latin1'), scheduler)
      } catch (error) {
        expect((error as Error).name).toMatch(/^(RecordingError|CompileError|VmFault|FixtureError|BtfError|CoreError)$/)
      }
    }
  })
})
