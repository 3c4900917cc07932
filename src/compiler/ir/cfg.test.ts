import { describe, expect, test } from 'vitest'
import { BitRows, dominates, graphOf, immediateDominators, loopDepths, reversePostorder, solveLiveness } from './cfg.ts'

/** entry → loop header ⇄ body (with a diamond) → exit; 6 cannot be reached. */
const successors = [[1], [2, 5], [3, 4], [1], [1], [], [5]]

describe('graphs', () => {
  test('reverse postorder puts blocks before their successors and the first successor next', () => {
    expect(reversePostorder(successors)).toEqual([0, 1, 2, 3, 4, 5])
    expect(reversePostorder([[1, 2], [3], [3], []])).toEqual([0, 1, 2, 3])
    expect(reversePostorder([[2, 1], [3], [3], []])).toEqual([0, 2, 1, 3])
  })

  test('dominators', () => {
    const graph = graphOf(successors)
    const dominator = immediateDominators(graph)
    expect([...dominator]).toEqual([0, 0, 1, 2, 2, 1, -1])
    expect(dominates(1, 4, dominator)).toBe(true)
    expect(dominates(3, 1, dominator)).toBe(false)
    expect(dominates(4, 4, dominator)).toBe(true)
  })

  test('dominators are those that removing shows, on random graphs', () => {
    let state = 7
    const random = (below: number) => (state = Math.imul(state, 48271) >>> 0) % below
    for (let round = 0; round < 200; round++) {
      const size = 2 + random(9)
      const edges = Array.from({ length: size }, () => Array.from({ length: random(3) }, () => 1 + random(size - 1)))
      const dominator = immediateDominators(graphOf(edges))
      const reached = (without: number) => {
        const seen = new Set(without === 0 ? [] : [0])
        for (const block of seen) for (const next of edges[block]!) if (next !== without) seen.add(next)
        return seen
      }
      const all = reached(-1)
      for (let above = 0; above < size; above++) {
        for (const block of all) expect(dominates(above, block, dominator)).toBe(above === block || (all.has(above) && !reached(above).has(block)))
      }
    }
  })

  test('loop depths', () => {
    const nested = [[1], [2, 5], [3], [2, 4], [1], []]
    const graph = graphOf(nested)
    const order = reversePostorder(nested)
    expect([...loopDepths(graph, order, immediateDominators(graph, order))]).toEqual([0, 1, 2, 2, 1, 0])
  })

  test('liveness goes round loops', () => {
    const graph = graphOf([[1], [2, 3], [1], []])
    const used = new BitRows(4, 40)
    const defined = new BitRows(4, 40)
    defined.add(0, 33)
    used.add(2, 33)
    defined.add(1, 5)
    used.add(3, 5)
    const { liveIn, liveOut } = solveLiveness(graph, 40, used, defined)
    expect([0, 1, 2, 3].map((block) => liveIn.has(block, 33))).toEqual([false, true, true, false])
    expect([0, 1, 2, 3].map((block) => liveOut.has(block, 5))).toEqual([false, true, false, false])
    const members: number[] = []
    liveOut.each(1, (column) => members.push(column))
    expect(members).toEqual([5, 33])
  })
})
