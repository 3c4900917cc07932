import type { Value } from '../../compiler/ir/ir.ts'
import type { MapInfo } from '../check/context.ts'
import type { Expression } from '../syntax/ast.ts'
import type { Type } from '../types/type.ts'
import { change } from './aggregate.ts'
import { keyPlace } from './map-access.ts'
import type { ProgramWriter } from './program-writer.ts'

/**
 * A time series: a bucket an interval, reused after so many of them. Three words: the interval's number, the value,
 * and how many values (for the average) or when (for the last one).
 */
export function series(p: ProgramWriter, info: MapInfo, key: Expression | null, value: Value): void {
  const { f } = p
  const { options, merge = 'last', signed } = info.value as Type & { kind: 'aggregate' }
  const [interval, count] = options as [bigint, bigint]
  const now = f.call('ktime_get_boot_ns', [])
  const epoch = f.binary('div', now, f.number(interval))
  const bucket = f.binary('mod', epoch, f.number(count))
  const extra = merge === 'last' ? now : f.number(1)
  const place = keyPlace(p, info, key, bucket)
  change(p, info, place, [epoch, value, extra], (entry) => {
    const fresh = () => {
      f.store(entry, 0, 8, epoch)
      f.store(entry, 8, 8, value)
      f.store(entry, 16, 8, extra)
    }
    f.when('ne', f.load(entry, 0, 8), epoch, fresh, () => {
      const old = f.load(entry, 8, 8)
      switch (merge) {
        case 'min': return f.when(signed ? 'slt' : 'lt', value, old, () => f.store(entry, 8, 8, value))
        case 'max': return f.when(signed ? 'sgt' : 'gt', value, old, () => f.store(entry, 8, 8, value))
        case 'avg': case 'sum':
          f.store(entry, 8, 8, f.binary('add', old, value))
          return f.store(entry, 16, 8, f.binary('add', f.load(entry, 16, 8), f.number(1)))
        default: return fresh()
      }
    })
  })
}
