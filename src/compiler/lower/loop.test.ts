import { describe, expect, test } from 'vitest'
import { loadBytes, Op } from '../../bpf/tiny-program.ts'
import { array, chars, struct, u16, u32, u64, u8 } from '../../spec/schema.ts'
import { close } from '../../sys/syscall.ts'
import { local, min, range } from '../language/intrinsics.ts'
import { arrayMap, hash, percpuArray } from '../language/maps.ts'
import { raw_tp, tp_btf } from '../language/programs.ts'
import { agreed, disagreements, entriesOf } from '../testing/agree.ts'
import { kernelRuns } from '../testing/engines.ts'
import { kernelObject } from '../testing/kernel-object.ts'
import { smallKernel } from '../testing/small-kernel.ts'

const pairs: [number, number][] = [[0, 0], [1, 5], [3, 2], [9, 4], [20, 1]]

/** Whether this kernel has may_goto (6.9): the instruction that leaves a loop when its budget is used up. */
const mayGoto = kernelRuns && (() => {
  const program = loadBytes('raw_tracepoint', [Op.mov(0, 0), [0xe5, 0, 1, 0, 0, 0, 0, 0], [0x05, 0, 0xfe, 0xff, 0, 0, 0, 0], Op.exit])
  if (program >= 0) close(program)
  return program >= 0
})()

describe('loops with a known number of steps', () => {
  test('for: sums, breaks, continues, nested', () => {
    expect(disagreements('two_u64', (a, b) => {
      'use bpf'
      let sum = 0
      for (let i = 0; i < 10; i++) {
        if (i === b) continue
        if (i > a) break
        sum += i * a
      }
      return sum
    }, pairs)).toEqual([])
    expect(disagreements('two_u64', (a, b) => {
      'use bpf'
      let sum = a
      for (let i = 0; i < 5; i += 2) {
        for (let j = 1; j <= 4; j++) sum += i * j + b
      }
      return sum
    }, pairs)).toEqual([])
  })

  test('for … of range()', () => {
    expect(disagreements('two_u64', (a, b) => {
      'use bpf'
      let sum = 0
      for (const i of range(8)) if (i !== a) sum += i
      for (const i of range(3, 6)) sum = sum * 2 + i + b
      return sum
    }, pairs)).toEqual([])
  })

  test('labels', () => {
    expect(disagreements('two_u64', (a, b) => {
      'use bpf'
      let found = 100
      outer: for (let i = 0; i < 6; i++) {
        for (let j = 0; j < 6; j++) {
          if (j > i) continue outer
          if (i * j === a + b) {
            found = i * 10 + j
            break outer
          }
        }
      }
      return found
    }, [[0, 0], [1, 1], [3, 3], [10, 10], [20, 5], [100, 1]])).toEqual([])
  })

  test('while and do … while that the verifier can follow', () => {
    expect(disagreements('two_u64', (a, _b) => {
      'use bpf'
      let i = 0
      let sum = a
      while (i < 7) {
        i += 1
        sum += i
      }
      do {
        i -= 2
        sum *= 2
      } while (i > 1)
      return sum
    }, pairs)).toEqual([])
  })

  test('a bound that min() gives', () => {
    expect(disagreements('two_u64', (a, b) => {
      'use bpf'
      let sum = 0
      for (let i = 0; i < min(a, 12); i++) sum += b + i
      return sum
    }, pairs)).toEqual([])
  })

  test('returns out of loops, loops in functions', () => {
    function firstDivisor(n: number): number {
      'use bpf'
      for (let i = 2; i < 12; i++) if (n % i === 0) return i
      return 1
    }
    expect(disagreements('two_u64', (a, b) => { 'use bpf'; return firstDivisor(a + 1) * 100 + firstDivisor(b + 35) }, pairs)).toEqual([])
  })

  test('map operations in a loop: keys are written anew each time', () => {
    const counts = hash(struct({ id: u32, step: u8 }, 'key'), u64, { name: 'counts' })
    const program = raw_tp('two_u64', (a) => {
      'use bpf'
      for (let i = 0; i < 4; i++) counts.add({ id: a, step: i }, i + 1)
    })
    const outcome = agreed({ counts, program }, [[7n], [7n]])
    expect(entriesOf(outcome, 'counts', u64, counts.key)).toEqual([0, 1, 2, 3].map((step) => [{ id: 7, step }, (step + 1) * 2]))
  })
})

describe('loops over arrays', () => {
  test('of module scope: written out', () => {
    const ports = [22, 80, 443]
    const weights = [{ at: 1, by: 10 }, { at: 5, by: 100 }]
    expect(disagreements('two_u64', (a, b) => {
      'use bpf'
      for (const port of ports) if (port === a) return 1
      let sum = 0
      for (const weight of weights) {
        if (weight.at > b) continue
        sum += weight.by
      }
      return sum
    }, [[80, 0], [1, 5], [2, 1]])).toEqual([])
  })

  test('of map values, by element and by index', () => {
    const table = struct({ sum: u64, buckets: array(u16, 6), name: chars(8) }, 'table')
    const tables = percpuArray(table, { name: 'tables' })
    const program = raw_tp('two_u64', (a) => {
      'use bpf'
      const entry = tables.get(0)
      if (entry === undefined) return
      for (let i = 0; i < 6; i++) entry.buckets[i] += i + a
      entry.sum = 0
      for (const bucket of entry.buckets) entry.sum += bucket
    })
    const outcome = agreed({ tables, program }, [[10n], [1n]])
    expect(entriesOf(outcome, 'tables', table, u32)).toEqual([[0, { sum: 2 * 15 + 6 * 11, buckets: [11, 13, 15, 17, 19, 21], name: '' }]])
  })

  test('of a local struct, characters of a string', () => {
    const names = struct({ name: chars(16) }, 'names')
    const out = arrayMap(u64, { name: 'out' })
    const program = raw_tp('two_u64', (wanted) => {
      'use bpf'
      let letters = 0
      for (const letter of local(names, { name: 'banana' }).name) if (letter === wanted) letters++
      out.set(0, letters)
    })
    expect(entriesOf(agreed({ out, program }, [[97n]]), 'out', u64, u32)).toEqual([[0, 3]])
  })

  test("of the kernel's objects: constant and variable index, pointers", () => {
    const out = arrayMap(u64, { name: 'out', maxEntries: 3 })
    for (const attach of [tp_btf, raw_tp]) {
      const program = attach('sched_process_fork', (_parent, task: any) => {
        'use bpf'
        let sum = 0
        for (const count of task.counts) sum = sum * 10 + count
        out.set(0, sum)
        let pids = 0
        for (let i = 0; i < 2; i++) pids += task.parents[i].pid
        out.set(1, pids)
        let walked = 0
        let at = task
        for (let i = 0; i < 3; i++) {
          if (at.pid === 1) break
          walked += at.pid
          at = at.real_parent
        }
        out.set(2, walked)
      })
      const btf = smallKernel()
      const outcome = agreed({ out, program }, [], {
        contexts: (kernel) => {
          const init = kernelObject(kernel, btf, 'task_struct', { pid: 1 })
          const shell = kernelObject(kernel, btf, 'task_struct', { pid: 40, real_parent: init })
          const parents = new Uint8Array(new BigUint64Array([init, shell]).buffer)
          const counts = new Uint8Array(new Uint32Array([1, 2, 3, 4, 5, 6, 7, 8]).buffer)
          return [[0n, kernelObject(kernel, btf, 'task_struct', { pid: 500, real_parent: shell, counts, parents })]]
        },
      })
      expect(entriesOf(outcome, 'out', u64, u32).map(([, value]) => value)).toEqual([12_345_678, 41, 540])
    }
  })
})

describe.runIf(mayGoto)('loops with the bound of the kernel (feature: may_goto)', () => {
  const features = { mayGoto: true }

  test('as many steps as an argument says', () => {
    expect(disagreements('two_u32', (a, b) => {
      'use bpf'
      let sum = 0
      for (let i = 0; i < a; i++) sum += i ^ b
      return sum
    }, [[0, 1], [5, 3], [1000, 7]], { features })).toEqual([])
  })

  test('while: greatest common divisor, Collatz', () => {
    expect(disagreements('two_u64', (a, b) => {
      'use bpf'
      let x = a
      let y = b
      while (y !== 0) {
        const rest = x % y
        x = y
        y = rest
      }
      let steps = 0
      let n = x + 26
      while (n !== 1) {
        n = (n & 1) === 0 ? n >> 1 : 3 * n + 1
        steps++
      }
      return x * 1000 + steps
    }, [[12, 18], [17, 5], [0, 4], [1_000_000, 48]], { features })).toEqual([])
  })
})

describe('switch', () => {
  test('cases, several labels, falling through, default in the middle', () => {
    expect(disagreements('two_u64', (a, b) => {
      'use bpf'
      let x = 0
      switch (a) {
        case 1:
          x += 1
          break
        case 2:
        // @ts-expect-error: that it goes on is what is tested
        case 3:
          x += 10
        // @ts-expect-error: the same
        default:
          x += 100
        case 4: {
          x += 1000
          break
        }
        case 5:
          return 7
      }
      return x + b
    }, [[1, 1], [2, 0], [3, 0], [4, 2], [5, 1], [6, 1]])).toEqual([])
  })

  test('in a loop: break leaves the switch, continue the step', () => {
    expect(disagreements('two_u64', (a, _b) => {
      'use bpf'
      let sum = 0
      for (let i = 0; i < 6; i++) {
        switch (i) {
          case 2: continue
          case 4: break
          default: sum += i * a
        }
        sum += 1
      }
      return sum
    }, pairs)).toEqual([])
  })

  test('of what is known while compiling', () => {
    const mode = 'fast' as string
    expect(disagreements('two_u64', (a, b) => {
      'use bpf'
      switch (mode === 'fast' ? 1 : 2) {
        case 1: return a
        default: return b
      }
    }, pairs)).toEqual([])
  })
})
