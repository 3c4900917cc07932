import { describe, expect, test } from 'vitest'
import { encode } from '../asm/encode.ts'
import { helperNameOf, helperNumberOf } from '../asm/helper-names.ts'
import type { Instruction } from '../asm/instruction.ts'
import { helpers } from '../compiler/helpers.ts'
import { chars, struct, u32, u64, type Schema } from '../spec/schema.ts'
import type { MapSpec, Spec } from '../spec/spec.ts'
import { VmFault, VmRefusal } from './fault.ts'
import { modelledHelpers } from './helpers.ts'
import { exit, ins, lddw } from './instruction-cases.test-support.ts'
import { simulate, type SimulateOptions, type Simulation } from './simulate.ts'

const mov = (dst: number, imm: number) => ins(0xb7, dst, 0, 0, imm)
const movReg = (dst: number, src: number) => ins(0xbf, dst, src)
const add = (dst: number, imm: number) => ins(0x07, dst, 0, 0, imm)
const store = (off: number, imm: number) => ins(0x7a, 10, 0, off, imm)
const load = (dst: number, src: number, off = 0) => ins(0x79, dst, src, off)
const call = (helper: string) => ins(0x85, 0, 0, 0, helperNumberOf(helper)!)
/** r = address of the stack at `off`. */
const stack = (dst: number, off: number) => [movReg(dst, 10), add(dst, off)]
/** A map by name, found by the marks that `spec` collects. */
const mapOf = (dst: number, map: string): Instruction & { map: string } => ({ ...lddw(dst, 0n), map })
const functionAt = (dst: number, distance: number) => ({ ...lddw(dst, 0n, 4), imm64: BigInt.asUintN(32, BigInt(distance)) })

const map = (name: string, type: MapSpec['type'], key: Schema | null, value: Schema | null, maxEntries: number, more: Partial<MapSpec> = {}): MapSpec => ({
  name, type, keySize: key?.size ?? 0, valueSize: value?.size ?? 0, maxEntries, flags: 0, ...(key && { key }), ...(value
    && { value }), ...more,
})

function spec(programs: Record<string, Instruction[]>, maps: MapSpec[] = []): Spec {
  return {
    name: 'test', license: 'GPL', maps, btf: null,
    programs: Object.entries(programs).map(([name, instructions]) => {
      let slot = 0
      const references = instructions.flatMap((one) => {
        const at = slot
        slot += one.code === 0x18 ? 2 : 1
        return 'map' in one ? [{ slot: at, map: one.map as string }] : []
      })
      return {
        name, type: 'raw_tracepoint', attach: { kind: 'raw_tp', name: 'x' }, code: encode(instructions), maps: references, relocations: [], functions: [], lines: [],
      }
    }),
  }
}

/** Runs one program, interpreted and compiled, and gives what both give. */
function run(instructions: Instruction[], maps: MapSpec[] = [], options: SimulateOptions = {}, prepare: (m: Simulation) => void = () => {}): { result: bigint; m: Simulation } {
  const [interpreted, compiled] = [false, true].map((mode) => {
    const m = simulate(spec({ p: instructions }, maps), { ...options, compiled: mode })
    prepare(m)
    return { result: m.fire('p', new Uint8Array(16)).result, m }
  })
  expect(compiled!.result).toBe(interpreted!.result)
  return compiled!
}

function fault(instructions: Instruction[], maps: MapSpec[] = [], options: SimulateOptions = {}): string {
  const [a, b] = [false, true].map((compiled) => {
    try {
      simulate(spec({ p: instructions }, maps), { ...options, compiled }).fire('p', new Uint8Array(16))
    } catch (error) {
      if (error instanceof VmFault) return `${error.kind}: ${error.problem}`
      throw error
    }
    return 'it ran'
  })
  expect(b).toBe(a)
  return a!
}
const ENOENT = -2n
const u = (value: bigint) => BigInt.asUintN(64, value)

test('every model has the number of a helper of the kernel, and says how many arguments it reads', () => {
  for (const { name, args } of modelledHelpers) {
    expect(helperNameOf(helperNumberOf(name)!)).toBe(name)
    expect(args).toBeLessThanOrEqual(5)
  }
  expect(new Set(modelledHelpers.map(({ name }) => name)).size).toBe(modelledHelpers.length)
})

test('every helper that the compiler calls has a model', () => {
  const modelled = new Set(modelledHelpers.map(({ name }) => name))
  expect(Object.keys(helpers).filter((name) => !modelled.has(name))).toEqual([])
})

describe('maps', () => {
  const key = [store(-8, 7), ...stack(2, -8)]
  const value = [store(-16, 40), ...stack(3, -16)]

  test('hash: a look-up is null until an update, and points at the value in place', () => {
    const maps = [map('h', 'hash', u64, u64, 2)]
    expect(run([...key, mapOf(1, 'h'), call('map_lookup_elem'), exit], maps).result).toBe(0n)
    const { result, m } = run([
      ...key, ...value, mapOf(1, 'h'), mov(4, 0), call('map_update_elem'), movReg(6, 0),
      ...stack(2, -8), mapOf(1, 'h'), call('map_lookup_elem'), ins(0x15, 0, 0, 2), ins(0xb7, 1, 0, 0, 2), ins(0xdb, 0, 1, 0), movReg(0, 6), exit,
    ], maps)
    expect(result).toBe(0n)
    expect(m.map('h').entries()).toEqual([[7, 42]])
    expect(m.map('h').get(7)).toBe(42)
    expect(m.map('h').delete(7)).toBe(true)
    expect(m.map('h').delete(7)).toBe(false)
  })

  test('hash: what does not fit, may not be replaced, or is not there', () => {
    const maps = [map('h', 'hash', u64, u64, 1)]
    const update = (flags: number) => [...key, ...value, mapOf(1, 'h'), mov(4, flags), call('map_update_elem'), exit]
    const full = (m: Simulation) => { m.map('h').set(1, 1) }
    expect(run(update(0), maps, {}, full).result).toBe(u(-7n))
    expect(run(update(2), maps).result).toBe(u(ENOENT))
    expect(run(update(1), maps, {}, (m) => { m.map('h').set(7, 1) }).result).toBe(u(-17n))
    expect(run(update(9), maps).result).toBe(u(-22n))
    expect(run([...key, mapOf(1, 'h'), call('map_delete_elem'), exit], maps).result).toBe(u(ENOENT))
    const { m } = run(update(0), maps)
    expect(m.map('h').set(7, 5, 'create')).toBe(false)
    expect(m.map('h').set(8, 5, 'exists')).toBe(false)
    expect(() => m.map('h').set(8, 5)).toThrow("map 'h': the update gives -7")
  })

  test('a pointer to a deleted value stays good until the run ends, and past the value is out of bounds', () => {
    const maps = [map('h', 'hash', u64, struct({ a: u64, b: u32 }), 4)]
    const found = [...key, mapOf(1, 'h'), call('map_lookup_elem'), ins(0x55, 0, 0, 1), exit, movReg(6, 0)]
    const gone = [...found, ...stack(2, -8), mapOf(1, 'h'), call('map_delete_elem'), load(0, 6), exit]
    expect(run(gone, maps, {}, (m) => { m.map('h').set(7, { a: 5, b: 6 }) }).result).toBe(5n)
    const beyond = simulate(spec({ p: [...found, ins(0x71, 0, 6, 16), exit] }, maps))
    beyond.map('h').set(7, { a: 5, b: 6 })
    beyond.map('h').set(8, { a: 5, b: 6 })
    expect(() => beyond.fire('p', new Uint8Array(16))).not.toThrow()
    const across = simulate(spec({ p: [...found, load(0, 6, 12), exit] }, maps))
    across.map('h').set(7, { a: 5, b: 6 })
    across.map('h').set(8, { a: 5, b: 6 })
    expect(() => across.fire('p', new Uint8Array(16))).toThrow("8 bytes at offset 12 of a value of map 'h', which has 16 bytes")
  })

  test('a null that is not checked', () => {
    expect(fault([...key, mapOf(1, 'h'), call('map_lookup_elem'), load(0, 0), exit], [map('h', 'hash', u64, u64, 2)])).toBe(
      'null-dereference: 8 bytes are read at null + 0',
    )
  })

  test('keys that were not written, maps that are none', () => {
    const maps = [map('h', 'hash', u64, u64, 2)]
    expect(fault([...stack(2, -8), mapOf(1, 'h'), call('map_lookup_elem'), exit], maps)).toBe(
      'uninitialised-memory: 8 bytes are read at r10-8, which was never written',
    )
    expect(fault([store(-8, 1), ...stack(2, -8), mov(1, 5), call('map_lookup_elem'), exit], maps)).toBe('bad-argument: 0x5 is no map')
    expect(fault([mapOf(1, 'h'), load(0, 1), exit], maps)).toBe(
      "out-of-bounds: 8 bytes are read at offset 0 of map 'h', which has 0 bytes",
    )
  })

  test('lruHash forgets what was not used for longest', () => {
    const maps = [map('l', 'lruHash', u64, u64, 2)]
    const program = [
      ...key, mapOf(1, 'l'), call('map_lookup_elem'), store(-8, 9), ...stack(2, -8), ...value, mapOf(1, 'l'), mov(4, 0),
      call('map_update_elem'), exit,
    ]
    const { m } = run(program, maps, {}, (fresh) => {
      fresh.map('l').set(7, 1)
      fresh.map('l').set(8, 2)
    })
    expect(m.map('l').entries().map(([k]) => k).toSorted()).toEqual([7, 9])
  })

  test('array: indexes beyond, deletion, values of all CPUs', () => {
    const program = (index: number) => [
      ins(0x62, 10, 0, -8, index), ...stack(2, -8), mapOf(1, 'a'), call('map_lookup_elem'), ins(0x15, 0, 0, 2),
      ins(0xb7, 1, 0, 0, 3), ins(0x7b, 0, 1), mov(0, 1), exit,
    ]
    const array = [map('a', 'array', u32, u64, 3)]
    expect(run(program(2), array).m.map('a').entries()).toEqual([[0, 0], [1, 0], [2, 3]])
    expect(run([ins(0x62, 10, 0, -8, 3), ...stack(2, -8), mapOf(1, 'a'), call('map_lookup_elem'), exit], array).result).toBe(0n)
    expect(run([ins(0x62, 10, 0, -8, 1), ...stack(2, -8), mapOf(1, 'a'), call('map_delete_elem'), exit], array).result).toBe(u(-22n))
    const { m } = run(program(0), [map('a', 'percpuArray', u32, u64, 1)], { cpus: 3 }, (fresh) => { fresh.cpu = 1 })
    expect(m.map('a').get(0)).toEqual([0, 3, 0])
    expect(m.map('a').sums()).toEqual([[0, 3]])
    expect(run([ins(0x62, 10, 0, -8, 0), ...stack(2, -8), mapOf(1, 'a'), mov(3, 2), call('map_lookup_percpu_elem'), load(0, 0), exit], [map('a', 'percpuArray', u32, u64, 1)],
      { cpus: 3 }, (fresh) => { fresh.map('a').set(0, [4, 5, 6]) }).result).toBe(6n)
  })

  test('lpmTrie finds the longest prefix', () => {
    const trie = map('t', 'lpmTrie', null, u32, 8, { keySize: 8 })
    const prefix = (bits: number, ...address: number[]) => Uint8Array.from([bits, 0, 0, 0, ...address])
    const m = simulate(spec({ p: [exit] }, [trie]))
    for (const [bits, address, value] of [[8, [10, 0, 0, 0], 8], [16, [10, 1, 0, 0], 16], [24, [10, 1, 2, 0], 24]] as const) m.map('t').set(prefix(bits, ...address), value)
    const find = (...address: number[]) => m.map('t').get(prefix(32, ...address))
    expect([find(10, 1, 2, 3), find(10, 1, 9, 9), find(10, 9, 9, 9), find(11, 0, 0, 0)]).toEqual([24, 16, 8, undefined])
    m.map('t').delete(prefix(24, 10, 1, 2, 0))
    expect(find(10, 1, 2, 3)).toBe(16)
  })

  test('queue, stack, bloom filter', () => {
    const pop = (name: string) => [
      ...stack(2, -8), mapOf(1, name), call('map_pop_elem'), ins(0x55, 0, 0, 1), load(0, 10, -8), exit,
    ]
    const fill = (name: string) => (m: Simulation) => { for (const one of [1, 2, 3]) m.map(name).push(one) }
    const { result, m } = run(pop('q'), [map('q', 'queue', null, u64, 3)], {}, fill('q'))
    expect(result).toBe(1n)
    expect(m.map('q').items()).toEqual([2, 3])
    expect(run(pop('s'), [map('s', 'stack', null, u64, 3)], {}, fill('s')).result).toBe(3n)
    expect(run(pop('q'), [map('q', 'queue', null, u64, 3)]).result).toBe(u(ENOENT))
    const push = [...value, movReg(2, 3), mapOf(1, 'q'), mov(3, 0), call('map_push_elem'), exit]
    expect(run(push, [map('q', 'queue', null, u64, 1)]).m.map('q').items()).toEqual([40])
    expect(run(push, [map('q', 'queue', null, u64, 1)], {}, (fresh) => { fresh.map('q').push(1) }).result).toBe(u(-7n))
    const peek = [...value, movReg(2, 3), mapOf(1, 'b'), call('map_peek_elem'), exit]
    expect(run(peek, [map('b', 'bloomFilter', null, u64, 3)]).result).toBe(u(ENOENT))
    expect(run(peek, [map('b', 'bloomFilter', null, u64, 3)], {}, (fresh) => { fresh.map('b').push(40) }).result).toBe(0n)
  })

  test('for_each_map_elem calls a function for each entry, which may end it', () => {
    // f(map, key, value, context): adds the value to the context's word; ends at a value of 0.
    const f = [load(2, 3), load(5, 4), ins(0x0f, 5, 2), ins(0x7b, 4, 5), mov(0, 0), ins(0x55, 2, 0, 1), mov(0, 1), exit]
    const program = [
      store(-8, 0), ...stack(3, -8), mapOf(1, 'h'), functionAt(2, 5), mov(4, 0), call('for_each_map_elem'),
      ins(0x67, 0, 0, 0, 32), load(1, 10, -8), ins(0x0f, 0, 1), exit, ...f,
    ]
    // The distance counts from the slot after the first slot of the load.
    const at = program.length - f.length
    const slots = (upTo: number) => program.slice(0, upTo).reduce((sum, one) => sum + (one.code === 0x18 ? 2 : 1), 0)
    const index = program.findIndex(({ src, code }) => code === 0x18 && src === 4)
    program[index] = functionAt(2, slots(at) - slots(index) - 1)
    const { result } = run(
      program, [map('h', 'hash', u64, u64, 8)], {}, (m) => { for (const one of [3, 4, 5]) m.map('h').set(one, one * 10) },
    )
    expect(result).toBe(3n << 32n | 120n)
  })

  test('an inner map is found through an outer one', () => {
    const program = [
      ins(0x62, 10, 0, -8, 1), ...stack(2, -8), mapOf(1, 'outer'), call('map_lookup_elem'), ins(0x55, 0, 0, 1), exit,
      movReg(1, 0), store(-16, 7), ...stack(2, -16), call('map_lookup_elem'), load(0, 0), exit,
    ]
    const maps = [
      map('outer', 'arrayOfMaps', u32, u32, 2, { slots: [{ key: 1, map: 'inner' }] }), map('inner', 'hash', u64, u64, 2),
    ]
    expect(run(program, maps, {}, (m) => { m.map('inner').set(7, 99) }).result).toBe(99n)
  })

  test('values in maps of global data are addressed directly, and start with their contents', () => {
    const maps = [
      map(
        'data', 'array', u32, null, 1,
        { valueSize: 16, data: { section: '.data', contents: Uint8Array.from({ length: 16 }, (_, at) => at), frozen: false, variables: [] } },
      ),
    ]
    const made = spec({ p: [mapOf(1, 'data'), load(0, 1), ins(0x7a, 1, 0, 0, 5), exit] }, maps)
    made.programs[0]!.maps[0]!.offset = 8
    const m = simulate(made)
    expect(m.fire('p', new Uint8Array(8)).result).toBe(0x0f0e_0d0c_0b0a_0908n)
    expect(m.fire('p', new Uint8Array(8)).result).toBe(5n)
  })

  test('maps that cannot be', () => {
    const odd = { ...map('x', 'hash', u32, u32, 1), type: 'nonsense' as 'hash' }
    expect(() => simulate(spec({ p: [mov(0, 0), exit] }, [odd]))).toThrow(VmRefusal)
    const sockets = [map('x', 'sockmap', u32, u32, 1)]
    expect(run([mov(0, 0), exit], sockets).result).toBe(0n)
    expect(fault([store(-8, 0), ...stack(2, -8), mapOf(1, 'x'), call('map_lookup_elem'), exit], sockets)).toBe(
      "not-modelled: map 'x': the type sockmap is not modelled",
    )
    expect(() => simulate(spec({ p: [mov(0, 0), exit] }, [map('x', 'array', u64, u32, 1)]))).toThrow(
      "map 'x': an array's key has 4 bytes, not 8",
    )
    expect(() => simulate(spec({ p: [mov(0, 0), exit] }, [map('x', 'hash', null, u32, 1)]))).toThrow("map 'x': it has no room for a key")
    const giant = [map('g', 'array', u32, null, 2 ** 31, { valueSize: 1024 })]
    expect(fault([ins(0x62, 10, 0, -8, 0x7fff_0000), ...stack(2, -8), mapOf(1, 'g'), call('map_lookup_elem'), exit], giant)).toMatch(
      /^memory: .* would go over the machine's/,
    )
  })
})

describe('ring buffers and perf events', () => {
  const ring = [map('r', 'ringbuf', null, null, 4096)]
  const reserve = (size = 16) => [
    mapOf(1, 'r'), mov(2, size), mov(3, 0), call('ringbuf_reserve'), ins(0x55, 0, 0, 2), mov(0, 1), exit, movReg(6, 0),
  ]
  const fill = [ins(0x7a, 6, 0, 0, 1), ins(0x7a, 6, 0, 8, 2)]
  const submit = (flags = 0) => [movReg(1, 6), mov(2, flags), call('ringbuf_submit')]

  test('a record is reserved, filled and handed over', () => {
    const { m } = run([...reserve(), ...fill, ...submit(), mov(0, 0), exit], ring)
    expect(m.ring('r').waiting).toBe(24)
    expect(m.ring('r').wakeUps).toBe(1)
    expect(m.ring('r').records(struct({ a: u64, b: u64 }))).toEqual([{ a: 1, b: 2 }])
    expect(m.ring('r').records(u64)).toEqual([])
  })

  test('bytes that were not written are counted, a discarded record is not seen', () => {
    expect(run([...reserve(), fill[0]!, ...submit(1), mov(0, 0), exit], ring).m.ring('r').raw()).toMatchObject([{ unwritten: 8 }])
    expect(run([...reserve(), movReg(1, 6), mov(2, 0), call('ringbuf_discard'), mov(0, 0), exit], ring).m.ring('r').raw()).toEqual([])
  })

  test('leaks, second submits, use after the hand-over, things that are no records', () => {
    expect(fault([...reserve(), mov(0, 0), exit], ring)).toBe(
      "unreleased: the program ends but a record of ring 'r', acquired at slot 4, was not given back",
    )
    expect(fault([...reserve(), ...submit(), ...submit(), exit], ring)).toMatch(
      /^not-a-record: 0x\w+ is no reserved record: it was never reserved, or already handed over$/,
    )
    expect(fault([...reserve(), ...submit(), load(0, 6), exit], ring)).toBe(
      "released: 8 bytes are read in a record of ring 'r' after it was handed over",
    )
    expect(fault([...reserve(), movReg(1, 6), add(1, 8), mov(2, 0), call('ringbuf_submit'), exit], ring)).toMatch(/^not-a-record/)
    expect(fault([...reserve(), load(0, 6, 12), ...submit(), exit], ring)).toBe(
      "out-of-bounds: 8 bytes are read at offset 12 of a record of ring 'r', which has 16 bytes",
    )
  })

  test('a machine goes on after a leak, without the record', () => {
    const m = simulate(
      spec({ bad: [...reserve(), mov(0, 0), exit], good: [...reserve(), ...fill, ...submit(), mov(0, 0), exit] }, ring),
    )
    expect(() => m.fire('bad', new Uint8Array(8))).toThrow(VmFault)
    m.fire('good', new Uint8Array(8))
    expect(m.ring('r').raw()).toHaveLength(1)
  })

  test('a full ring gives null; query tells why', () => {
    const m = simulate(
      spec(
        { p: [...reserve(2000), ...submit(), mov(0, 0), exit], q: [mapOf(1, 'r'), mov(2, 0), call('ringbuf_query'), exit] }, ring,
      ),
    )
    expect([1, 2, 3].map(() => m.fire('p', new Uint8Array(8)).result)).toEqual([0n, 0n, 1n])
    expect(m.fire('q', new Uint8Array(8)).result).toBe(4016n)
  })

  test('output of whole records, on a ring and as a perf event', () => {
    const output = [store(-8, 5), ...stack(2, -8), mapOf(1, 'r'), mov(3, 8), mov(4, 0), call('ringbuf_output'), exit]
    expect(run(output, ring).m.ring('r').records(u64)).toEqual([5])
    const perf = [
      store(-8, 5), ...stack(4, -8), mapOf(2, 'e'), ins(0xb4, 3, 0, 0, -1), mov(5, 8), call('perf_event_output'), exit,
    ]
    const { m } = run(perf, [map('e', 'perfEventArray', u32, u32, 0)], { cpus: 4 }, (fresh) => { fresh.cpu = 3 })
    expect(m.perf('e').records()).toEqual([{ cpu: 3, bytes: Uint8Array.from([5, 0, 0, 0, 0, 0, 0, 0]) }])
  })

  test('dynptrs: reserve, write, read back through data, submit; a leak is found', () => {
    const begin = [mapOf(1, 'r'), mov(2, 16), mov(3, 0), ...stack(4, -16), call('ringbuf_reserve_dynptr')]
    const write = [store(-24, 77), ...stack(1, -16), mov(2, 8), ...stack(3, -24), mov(4, 8), mov(5, 0), call('dynptr_write')]
    const data = [...stack(1, -16), mov(2, 8), mov(3, 8), call('dynptr_data'), load(7, 0)]
    const end = [...stack(1, -16), mov(2, 0), call('ringbuf_submit_dynptr')]
    const { result, m } = run([...begin, ...write, ...data, ...end, movReg(0, 7), exit], ring)
    expect(result).toBe(77n)
    expect(m.ring('r').raw()).toMatchObject([{ unwritten: 8 }])
    expect(fault([...begin, mov(0, 0), exit], ring)).toMatch(/^unreleased/)
    expect(fault([...begin, store(-16, 0), ...end, exit], ring)).toMatch(/^bad-argument: there is no dynptr/)
    const far = [
      ...begin, store(-24, 1), ...stack(1, -16), mov(2, 12), ...stack(3, -24), mov(4, 8), mov(5, 0), call('dynptr_write'),
      movReg(7, 0), ...end, movReg(0, 7), exit,
    ]
    expect(run(far, ring).result).toBe(u(-7n))
  })
})

describe('the world around a program', () => {
  test('time stands still until it is moved', () => {
    const m = simulate(spec({ p: [call('ktime_get_ns'), exit] }))
    const first = m.fire('p', new Uint8Array(8)).result
    expect(m.fire('p', new Uint8Array(8)).result).toBe(first)
    m.advance(5_000_000_000)
    expect(m.fire('p', new Uint8Array(8)).result).toBe(first + 5_000_000_000n)
    expect(() => m.advance(-1)).toThrow(RangeError)
  })

  test('the current task, and what is missing of it', () => {
    const current = { pid: 7, tid: 9, uid: 1000, gid: 100, comm: 'a-very-long-name-indeed', cgroup: 5n }
    expect(run([call('get_current_pid_tgid'), exit], [], { current }).result).toBe(7n << 32n | 9n)
    expect(run([call('get_current_uid_gid'), exit], [], { current }).result).toBe(100n << 32n | 1000n)
    expect(run([call('get_current_cgroup_id'), exit], [], { current }).result).toBe(5n)
    expect(run([...stack(1, -16), mov(2, 16), call('get_current_comm'), load(0, 10, -8), exit], [], { current }).result).toBe(0x6d_616e_2d67_6e6fn)
    expect(fault([call('get_current_pid_tgid'), exit])).toBe(
      'no-fixture: bpf_get_current_pid_tgid asks for the current task: give the simulation current: { pid, comm, … }',
    )
    expect(fault([call('get_current_cgroup_id'), exit], [], { current: { pid: 7 } })).toBe(
      "no-fixture: bpf_get_current_cgroup_id asks for the current task's cgroup: give current: { cgroup: … }",
    )
  })

  test('random numbers repeat with the seed', () => {
    const numbers = (seed: number) => {
      const m = simulate(spec({ p: [call('get_prandom_u32'), exit] }), { seed })
      return [1, 2, 3].map(() => m.fire('p', new Uint8Array(8)).result)
    }
    expect(numbers(1)).toEqual(numbers(1))
    expect(numbers(1)).not.toEqual(numbers(2))
    expect(new Set(numbers(1)).size).toBe(3)
  })

  test('loop calls a function so many times; it may end the loop', () => {
    // f(index, context): context += index; ends at 5.
    const f = [load(3, 2), ins(0x0f, 3, 1), ins(0x7b, 2, 3), mov(0, 0), ins(0x55, 1, 0, 1, 5), mov(0, 1), exit]
    const head = (count: number) => [
      store(-8, 0), mov(1, count), functionAt(2, 9), ...stack(3, -8), mov(4, 0), call('loop'), ins(0x67, 0, 0, 0, 32),
      load(1, 10, -8), ins(0x0f, 0, 1), exit,
    ]
    expect(run([...head(4), ...f]).result).toBe(4n << 32n | 6n)
    expect(run([...head(100), ...f]).result).toBe(6n << 32n | 15n)
    expect(run([...head(9_000_000), ...f]).result).toBe(u(-7n) << 32n & u(-1n))
    expect(fault([mov(1, 1), mov(2, 5), mov(3, 0), mov(4, 0), call('loop'), exit])).toBe(
      'bad-argument: 0x5 is no function of the program',
    )
  })

  test('tail calls take the place of the program, and fall through when there is none', () => {
    const jump = (index: number) => [movReg(6, 1), mapOf(2, 'programs'), mov(3, index), call('tail_call'), mov(0, 1), exit]
    const maps = [
      map('programs', 'progArray', u32, u32, 4, { slots: [{ key: 2, program: 'target' }, { key: 3, program: 'again' }] }),
    ]
    for (const compiled of [false, true]) {
      const m = simulate(spec({ target: [load(0, 1), exit], hit: jump(2), miss: jump(0), again: jump(3) }, maps), { compiled })
      expect(m.fire('hit', Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0)).result).toBe(9n)
      expect(m.fire('miss', new Uint8Array(8)).result).toBe(1n)
      // 33 times itself, then it goes on.
      expect(m.fire('again', new Uint8Array(8))).toEqual({ result: 1n, instructions: 34 * 4 + 2 })
    }
  })

  test('a tail call from a function returns to its caller', () => {
    const maps = [map('programs', 'progArray', u32, u32, 1, { slots: [{ key: 0, program: 'target' }] })]
    const main = [
      mov(6, 100), ins(0x85, 0, 1, 0, 2), ins(0x0f, 0, 6), exit, mapOf(2, 'programs'), mov(3, 0), call('tail_call'), mov(0, 1),
      exit,
    ]
    for (const compiled of [false, true]) {
      const m = simulate(spec({ target: [mov(6, 1), mov(0, 7), exit], main }, maps), { compiled })
      expect(m.fire('main', new Uint8Array(8)).result).toBe(107n)
    }
  })

  test('spin locks: taken twice, not given back, given back unheld', () => {
    const maps = [map('a', 'array', u32, u64, 1)]
    const found = [
      ins(0x62, 10, 0, -8, 0), ...stack(2, -8), mapOf(1, 'a'), call('map_lookup_elem'), ins(0x55, 0, 0, 1), exit, movReg(6, 0),
    ]
    const act = (...helpers: string[]) => [
      ...found, ...helpers.flatMap((helper) => [movReg(1, 6), call(helper)]), mov(0, 3), exit,
    ]
    expect(run(act('spin_lock', 'spin_unlock'), maps).result).toBe(3n)
    expect(fault(act('spin_lock', 'spin_lock'), maps)).toBe('lock: the spin lock is taken twice')
    expect(fault(act('spin_lock'), maps)).toMatch(/^unreleased: the program ends but a spin lock/)
    expect(fault(act('spin_unlock'), maps)).toBe('lock: a spin lock is given back that is not held')
  })

  test('a timer runs when the clock gets there', () => {
    // The value: a counter, then the timer.
    const maps = [map('a', 'array', u32, struct({ count: u64, timer: struct({ a: u64, b: u64 }) }), 1)]
    const callback = [load(4, 3), add(4, 1), ins(0x7b, 3, 4), mov(0, 0), exit]
    const body = [
      ins(0x62, 10, 0, -8, 0), ...stack(2, -8), mapOf(1, 'a'), call('map_lookup_elem'), ins(0x55, 0, 0, 1), exit, movReg(6, 0), add(6, 8),
      movReg(1, 6), mapOf(2, 'a'), mov(3, 1), call('timer_init'),
      movReg(1, 6), functionAt(2, 8), call('timer_set_callback'),
      movReg(1, 6), mov(2, 1000), mov(3, 0), call('timer_start'), mov(0, 0), exit,
    ]
    for (const compiled of [false, true]) {
      const m = simulate(spec({ p: [...body, ...callback] }, maps), { compiled })
      m.fire('p', new Uint8Array(8))
      m.advance(999)
      expect(m.map('a').get(0).count).toBe(0)
      m.advance(1)
      expect(m.map('a').get(0).count).toBe(1)
      m.advance(10_000)
      expect(m.map('a').get(0).count).toBe(1)
    }
  })

  test('storage belongs to an object', () => {
    const maps = [map('s', 'taskStorage', u32, u64, 0)]
    const get = (flags: number) => [
      load(2, 1), mapOf(1, 's'), mov(3, 0), mov(4, flags), call('task_storage_get'), ins(0x55, 0, 0, 1), exit, load(1, 0),
      add(1, 1), ins(0x7b, 0, 1), movReg(0, 1), exit,
    ]
    const m = simulate(spec({ look: get(0), make: get(1) }, maps))
    const [a, b] = ['a', 'b']
    expect(m.fire('look', [a]).result).toBe(0n)
    expect([m.fire('make', [a]), m.fire('make', [b]), m.fire('make', [a]), m.fire('look', [a])].map(({ result }) => result)).toEqual([1n, 1n, 2n, 3n])
  })
})

describe('text', () => {
  /** Puts a string on the stack at `off` and gives the instructions. */
  const text = (off: number, string: string) => {
    const bytes = new TextEncoder().encode(`${string}\0`)
    const out: Instruction[] = []
    for (let at = 0; at < bytes.length; at++) out.push(ins(0x72, 10, 0, off + at, bytes[at]))
    return out
  }

  test('trace_printk and snprintf', () => {
    const print = [
      ...text(-32, 'pid %d: %5x|%-4u|%llu %c'), ...stack(1, -32), mov(2, 26), mov(3, -7), mov(4, 255), mov(5, 3),
      call('trace_printk'), exit,
    ]
    expect(fault(print)).toBe('bad-argument: the format "pid %d: %5x|%-4u|%llu %c" asks for more than 3 values')
    const three = [
      ...text(-32, 'pid %d: %5x|%-4u|%%'), ...stack(1, -32), mov(2, 26), mov(3, -7), mov(4, 255), mov(5, 3), call('trace_printk'),
      exit,
    ]
    expect(run(three).m.printed).toEqual(['pid -7:    ff|3   |%'])
    const format = [
      ...text(-16, '%s=%d'), ...text(-32, 'abc'), movReg(1, 10), add(1, -32), ins(0x7b, 10, 1, -48), store(-40, 12),
      ...stack(1, -64), mov(2, 16), ...stack(3, -16), ...stack(4, -48), mov(5, 16), call('snprintf'), movReg(6, 0), load(0, 10, -64), exit,
    ]
    expect(run(format).result).toBe(0x32_313d_6362_61n)
  })

  test('strncmp, strtol, strtoul', () => {
    const compare = (a: string, b: string) => run([...text(-16, a), ...text(-32, b), ...stack(1, -16), mov(2, 8), ...stack(3, -32), call('strncmp'), exit]).result
    expect([compare('abc', 'abc'), compare('abc', 'abd'), compare('b', 'a')]).toEqual([0n, u(-1n), 1n])
    const parse = (string: string, base = 0, helper = 'strtol') => {
      const { result, m } = run(
        [...text(-16, string), store(-24, 0), ...stack(1, -16), mov(2, 12), mov(3, base), ...stack(4, -24), call(helper), ins(0x67, 0, 0, 0, 32), load(1, 10, -24), ins(0x57, 1, 0, 0, 0xffff), ins(0x4f, 0, 1), exit],
      )
      void m
      return [Number(BigInt.asIntN(32, result >> 32n)), Number(BigInt.asIntN(16, result))]
    }
    expect(parse('42')).toEqual([2, 42])
    expect(parse(' -42x')).toEqual([4, -42])
    expect(parse('0x1f', 16)).toEqual([4, 31])
    expect(parse('017')).toEqual([3, 15])
    expect(parse('x')[0]).toBe(-22)
    expect(parse('-1', 10, 'strtoul')[0]).toBe(-22)
    expect(parse('42', 7)[0]).toBe(-22)
    expect(parse('99999999999999999999'.slice(0, 11), 10)).toEqual([11, Number(BigInt.asIntN(16, 99_999_999_999n))])
  })
})

describe('reads of memory that may not be there', () => {
  const read = (helper: string, size = 8) => [
    load(3, 1), ...stack(1, -16), mov(2, size), call(helper), movReg(6, 0), load(0, 10, -16), ins(0x15, 6, 0, 1), movReg(0, 6),
    exit,
  ]

  test('kernel strings and buffers, null, and what lies beyond', () => {
    const m = simulate(
      spec(
        { bytes: [store(-16, -1), store(-8, -1), ...read('probe_read_kernel')], text: [store(-16, 0), ...read('probe_read_kernel_str', 5)], user: [store(-16, 0), ...read('probe_read_user')] },
      ),
    )
    expect(m.fire('bytes', [Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)]).result).toBe(0x0807_0605_0403_0201n)
    expect(m.fire('bytes', [null]).result).toBe(u(-14n))
    expect(m.fire('bytes', [Uint8Array.of(1, 2, 3)]).result).toBe(u(-14n))
    expect(m.fire('bytes', [0xffff_8880_1234_5678n]).result).toBe(u(-14n))
    expect(m.fire('text', ['ab']).result).toBe(3n)
    expect(m.fire('text', ['abcdefgh']).result).toBe(5n)
    expect(m.fire('user', ['kernel']).result).toBe(u(-14n))
  })

  test('helpers of the test itself', () => {
    const m = simulate(
      spec({ p: [mov(1, 5), mov(2, 6), mov(3, 0), mov(4, 0), mov(5, 0), call('get_stackid'), exit] }),
      { helpers: { get_stackid: ([a, b]) => Number(a! * b!) } },
    )
    expect(m.fire('p', new Uint8Array(8)).result).toBe(30n)
    expect(() => simulate(spec({ p: [mov(0, 0), exit] }), { helpers: { nonsense: () => 0 } })).toThrow(
      'the kernel has no helper bpf_nonsense',
    )
  })
})

test('schemas of the Spec decode keys and values', () => {
  const m = simulate(
    spec({ p: [mov(0, 0), exit] }, [map('h', 'hash', struct({ id: u32, name: chars(12) }), struct({ count: u64 }), 4)]),
  )
  m.map('h').set({ id: 1, name: 'one' }, { count: 5 })
  expect(m.map('h').entries()).toEqual([[{ id: 1, name: 'one' }, { count: 5 }]])
  expect(() => m.map('h').set({ id: 1 }, { count: 5 })).toThrow("'name' is missing")
  expect(() => m.map('nothing')).toThrow("there is no such map 'nothing'; there are h")
})
