import { describe, expect, test } from 'vitest'
import { checkAllocation } from './check-allocation.ts'
import { colour } from './colour.ts'
import { exchangeSides, markDeaths } from './deaths.ts'
import { machineLiveness } from './machine.ts'
import { place, type Placed, type PlacedFunction } from './place.ts'
import { randomFunction } from './random-function.ts'
import { insertReloads } from './reload.ts'
import { select } from './select.ts'
import { assignSpillSlots } from './spill-slots.ts'
import { chooseSpills } from './spill.ts'

function allocate(seed: number): { placed: PlacedFunction; standsFor: Map<number, number> } {
  const fn = select(randomFunction(seed, { statements: 12, variables: 8, sources: [5], contextWords: 8 }), 3)
  const plan = chooseSpills(fn)
  const { slotOf, count } = assignSpillSlots(fn, plan.liveness, plan.spilled)
  const standsFor = insertReloads(fn, plan.spilled, plan.passingAt)
  const liveness = machineLiveness(fn)
  markDeaths(fn, liveness)
  exchangeSides(fn)
  return { placed: place(fn, colour(fn, liveness, plan.surviving, plan.spilled), slotOf, count), standsFor }
}

function accepts({ placed, standsFor }: ReturnType<typeof allocate>): boolean {
  try {
    checkAllocation(placed, standsFor)
  } catch {
    return false
  }
  return true
}

/** Every place where a mistake of one kind can be made. */
function mistakes(placed: PlacedFunction, make: (item: Placed, code: Placed[], index: number) => (() => void) | null): (() => void)[] {
  return placed.blocks.flatMap((code) => code.map((item, index) => make(item, code, index)).filter((change) => change !== null))
}

describe('the allocation check', () => {
  test('accepts what the allocator does', () => {
    for (let seed = 0; seed < 50; seed++) expect(accepts(allocate(seed))).toBe(true)
  })

  const kinds: Record<string, Parameters<typeof mistakes>[1]> = {
    'a move left out': (item, code, index) => (item.kind === 'move' ? () => { code.splice(index, 1) } : null),
    'a move from elsewhere': (item) => (item.kind === 'move' && item.from >= 0 ? () => { item.from = (item.from + 1) % 10 } : null),
    'an operand in the wrong register': (item) => (item.kind === 'op' && item.op.kind !== 'jump' && item.uses.length > 0
      ? () => { item.uses[item.uses.length - 1] = (item.uses[item.uses.length - 1]! + 1) % 10 } : null),
    'two moves exchanged': (item, code, index) => {
      const next = code[index + 1]
      const matters = item.kind === 'move' && next?.kind === 'move' && (next.from === item.to || next.to === item.from)
      return matters ? () => { [code[index], code[index + 1]] = [next, item] } : null
    },
  }
  for (const [name, make] of Object.entries(kinds)) {
    test(`finds ${name}`, () => {
      let made = 0
      let found = 0
      for (let seed = 0; seed < 20; seed++) {
        const count = mistakes(allocate(seed).placed, make).length
        for (let one = 0; one < count; one += 3) {
          const allocation = allocate(seed)
          mistakes(allocation.placed, make)[one]!()
          made++
          if (!accepts(allocation)) found++
        }
      }
      expect(made).toBeGreaterThan(30)
      // A few mistakes are none: an argument that nobody reads, a value that is in two places.
      expect(found / made).toBeGreaterThan(0.9)
    })
  }
})
