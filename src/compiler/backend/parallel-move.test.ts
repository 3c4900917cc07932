import { expect, test } from 'vitest'
import { firstSlot, orderMoves, type Location, type Move } from './parallel-move.ts'

/** Carries out the ordered moves on named contents. */
function run(moves: readonly Move[], places: readonly Location[]): Map<Location, string> {
  const state = new Map<Location, string>(places.map((place) => [place, `old ${place}`]))
  for (const { to, from } of moves) {
    if (to >= firstSlot && from >= firstSlot) throw new Error('no instruction moves memory to memory')
    const content = from < 0 ? `constant ${~from}` : state.get(from)
    if (content === undefined) throw new Error(`reads ${from}, which holds nothing`)
    state.set(to, content)
  }
  return state
}

/** The first place that does not hold what it should afterwards, or null. */
function mistake(moves: readonly Move[], free: number): string | null {
  const ordered = orderMoves(moves, { free, scratch: (index) => 90 + index, isStorable: (constant) => constant === ~0 })
  const places = [...Array(10).keys(), 16, 17, 18, 19]
  const state = run(ordered, places)
  const targets = new Map(moves.map(({ to, from }) => [to, from]))
  for (const place of places) {
    const from = targets.get(place)
    const isFree = place < firstSlot && (free >>> place & 1) === 1
    if (from === undefined && isFree) continue
    const wanted = from === undefined ? `old ${place}` : from < 0 ? `constant ${~from}` : `old ${from}`
    if (state.get(place) !== wanted) return `${place} holds ${state.get(place)}, not ${wanted}: ${JSON.stringify(moves)} by ${JSON.stringify(ordered)}`
  }
  return null
}

test('swaps and longer cycles, with and without a free register', () => {
  for (const free of [0, 1 << 9]) {
    expect(mistake([{ to: 1, from: 2 }, { to: 2, from: 1 }], free)).toBeNull()
    expect(mistake([{ to: 1, from: 2 }, { to: 2, from: 3 }, { to: 3, from: 1 }, { to: 4, from: 1 }], free)).toBeNull()
    expect(mistake([{ to: 16, from: 17 }, { to: 17, from: 16 }], free)).toBeNull()
    expect(mistake([{ to: 16, from: 1 }, { to: 1, from: 16 }], free)).toBeNull()
    expect(mistake([{ to: 16, from: ~1 }, { to: 17, from: ~0 }, { to: 0, from: 16 }], free)).toBeNull()
  }
})

test('arguments of a call need no memory', () => {
  const ordered = orderMoves([{ to: 1, from: 2 }, { to: 2, from: 1 }, { to: 3, from: 0 }], {
    free: 0b111111, scratch: () => { throw new Error('memory') }, isStorable: () => false,
  })
  expect(ordered).toEqual([{ to: 3, from: 0 }, { to: 0, from: 2 }, { to: 2, from: 1 }, { to: 1, from: 0 }])
})

test('random moves arrive, and nothing else changes', () => {
  let state = 1
  const random = (below: number) => (state = Math.imul(state, 48271) >>> 0) % below
  const places = [...Array(10).keys(), 16, 17, 18, 19]
  for (let round = 0; round < 5000; round++) {
    const targets = places.filter(() => random(2) === 0)
    const moves = targets.map((to) => ({ to, from: random(6) === 0 ? ~random(3) : places[random(places.length)]! }))
    expect(mistake(moves, random(3) === 0 ? 0 : random(1 << 10))).toBeNull()
  }
})
