import type { Value } from '../../compiler/ir/ir.ts'
import { lostName, ringName } from './generation.ts'
import type { ProgramWriter } from './program-writer.ts'
import { pointerType } from './writer.ts'

const noWakeup = 1
const forceWakeup = 2
const availableData = 0
/** The reader looks every few milliseconds; it is woken only where this much waits. */
const wakeAt = 256 * 1024

/** Reserves a record, lets `fill` write into it, and hands it over; a record that finds no room is counted. */
export function record(p: ProgramWriter, event: number, size: number, fill: (to: Value) => void, urgent = false): void {
  const { f } = p
  const found = f.call(
    'ringbuf_reserve', [f.map(ringName), f.number(Math.ceil(size / 8) * 8), f.number(0)], pointerType('ring', true),
  )
  f.when('ne', found, f.number(0), () => {
    const to = f.value(pointerType('ring'))
    f.add({ op: 'refine', out: to, value: found, span: f.span })
    f.store(to, 0, 8, f.number(event))
    fill(to)
    const flags = urgent ? f.number(forceWakeup)
      : f.choose(
        'gt', f.call(
          'ringbuf_query', [f.map(ringName), f.number(availableData)],
        ), f.number(wakeAt), () => f.number(forceWakeup), () => f.number(noWakeup),
      )
    f.call('ringbuf_submit', [to, flags], null)
  }, () => countLost(p))
}

function countLost(p: ProgramWriter): void {
  const { f } = p
  const slot = f.slot(8, 'lost')
  f.store(f.stack(slot), 0, 8, f.number(0))
  const found = f.call('map_lookup_elem', [f.map(lostName), f.stack(slot)], pointerType('mapValue', true))
  f.when('ne', found, f.number(0), () => {
    const entry = f.value(pointerType('mapValue'))
    f.add({ op: 'refine', out: entry, value: found, span: f.span })
    f.atomicAdd(entry, 0, f.number(1))
  })
}
