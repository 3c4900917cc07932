import { describe, expect, test } from 'vitest'
import { CodecError, decoder, encoder, recordView } from './codec.ts'
import { array, bool, bytes, chars, i16, i32, i64, i8, struct, u16, u32, u64, u8 } from './schema.ts'
import type { Schema } from './schema.ts'
import { StringCache } from './string-cache.ts'

/** mulberry32: seeded, so that a failure can be repeated. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ state >>> 15, 1 | state)
    mixed = (mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed)) ^ mixed
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32
  }
}
type Random = () => number
const below = (next: Random, limit: number) => Math.floor(next() * limit)
const ints = [u8, u16, u32, u64, i8, i16, i32, i64]

function randomSchema(next: Random, depth: number): Schema {
  const kind = below(next, depth > 0 ? 12 : 8)
  if (kind < 5) return ints[below(next, ints.length)]!
  if (kind === 5) return bool
  if (kind === 6) return chars(1 + below(next, 80))
  if (kind === 7) return bytes(1 + below(next, 20))
  if (kind < 10) return array(randomSchema(next, depth - 1), 1 + below(next, 20))
  const fields = Array.from({ length: 1 + below(next, 6) }, (_, index) => [`f${index}`, randomSchema(next, depth - 1)])
  return struct(Object.fromEntries(fields))
}

const letters = ['a', 'Z', '0', ' ', '/', 'é', '中', '🐝', '\n', '\uFEFF']

function randomValue(schema: Schema, next: Random): unknown {
  switch (schema.kind) {
    case 'int': {
      const bits = Math.min(schema.bits, 53)
      const most = schema.signed && schema.bits < 64 ? 2 ** (bits - 1) : 2 ** bits
      const edge = below(next, 4)
      const size = edge === 0 ? most - 1 : edge === 1 ? 0 : Math.floor(next() * most)
      return schema.signed && next() < 0.5 ? (size === 0 ? -1 : -size) : size
    }
    case 'bool': return next() < 0.5
    case 'bytes': return Uint8Array.from({ length: schema.length }, () => below(next, 256))
    case 'chars': {
      let result = ''
      for (let tries = below(next, schema.length); tries > 0; tries--) {
        const longer = result + letters[below(next, letters.length)]
        if (Buffer.byteLength(longer) < schema.length) result = longer
      }
      return result
    }
    case 'array': return Array.from({ length: schema.length }, () => randomValue(schema.element, next))
    case 'struct': return Object.fromEntries(schema.fields.map((field) => [field.name, randomValue(field.schema, next)]))
  }
}

describe('codec', () => {
  test('decoding what was encoded gives the value, at any offset, for random schemas', () => {
    for (let seed = 1; seed <= 400; seed++) {
      const next = random(seed)
      const schema = randomSchema(next, 3)
      const encode = encoder(schema)
      const decode = decoder(schema)
      for (const base of [0, 4, 8, 1, 2, 3, 7]) {
        const value = randomValue(schema, next)
        const buffer = new ArrayBuffer(Math.ceil((schema.size + base + 16) / 8) * 8)
        const target = new Uint8Array(buffer).fill(0xa5)
        encode(value, target, base)
        expect(decode(recordView(buffer), base), `seed ${seed}, offset ${base}`).toStrictEqual(value)
        expect(target[base + schema.size], `seed ${seed}: wrote past the end`).toBe(0xa5)
        if (base > 0) expect(target[base - 1], `seed ${seed}: wrote before the start`).toBe(0xa5)
      }
    }
  })

  test('the bytes are those of C', () => {
    const schema = struct({ a: u8, b: u32, c: i16, d: u64, e: chars(4) })
    const target = new Uint8Array(schema.size).fill(0xff)
    encoder(schema)({ a: 1, b: 0x01020304, c: -2, d: 2 ** 40 + 5, e: 'hé' }, target, 0)
    expect([...target]).toEqual([
      1, 0, 0, 0, 4, 3, 2, 1, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 1, 0, 0, 0x68, 0xc3, 0xa9, 0, 0, 0, 0, 0,
    ])
  })

  test('64-bit integers: exact to 2^53 as numbers, any as bigint', () => {
    const target = new Uint8Array(8)
    const view = recordView(target.buffer)
    encoder(i64)(-(2 ** 53) + 1, target, 0)
    expect(decoder(i64)(view, 0)).toBe(-(2 ** 53) + 1)
    encoder(u64)(0xffff_ffff_ffff_ffffn as unknown as number, target, 0)
    expect(decoder(i64)(view, 0)).toBe(-1)
    expect(decoder(u64)(view, 0)).toBe(2 ** 64)
    expect(() => encoder(u64)(2 ** 60, target, 0)).toThrow('beyond 2^53')
  })

  test('a field named __proto__ is only a field', () => {
    const schema = struct(Object.fromEntries([['__proto__', u32], ['a-b', u8]]))
    const value = decoder(schema)(recordView(new Uint32Array([7, 9]).buffer), 0)
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(Object.entries(value as object)).toEqual([['__proto__', 7], ['a-b', 9]])
  })

  test.each<[string, Schema, unknown, string, string]>([
    ['missing', struct({ pid: u32, at: u64 }), { pid: 1 }, 'at', 'is missing'],
    ['unknown', struct({ pid: u32 }, 'key'), { pid: 1, tgid: 2 }, 'tgid', 'is not a field of key'],
    ['range', struct({ port: u16 }), { port: 65_536 }, 'port', 'is out of range: 65536 is no u16 (0 to 65535)'],
    ['negative', u64, -1, '', 'is out of range'],
    ['fraction', struct({ n: i32 }), { n: 1.5 }, 'n', 'must be an integer'],
    ['bigint in a small field', u32, 1n, '', 'must be a number (u32)'],
    ['NaN', i8, Number.NaN, '', 'must be an integer'],
    ['nested', struct({ list: array(struct({ x: u8 }), 2) }), { list: [{ x: 1 }, { x: 256 }] }, 'list[1].x', 'out of range'],
    ['array length', array(u8, 3), [1, 2], '', 'must have 3 elements, not 2'],
    ['bytes length', struct({ ip: bytes(4) }), { ip: new Uint8Array(16) }, 'ip', 'must hold 4 bytes, not 16'],
    ['bytes type', bytes(1), [1], '', 'must be a Uint8Array, not an array'],
    ['long string', struct({ comm: chars(4) }), { comm: 'abcd' }, 'comm', 'is 4 bytes long'],
    ['NUL', chars(8), 'a\0b', '', 'contains a NUL'],
    ['surrogate', chars(8), '\ud800', '', 'surrogate'],
    ['bool', bool, 1, '', 'must be true or false, not 1'],
    ['null', struct({ a: u8 }), null, '', 'must be an object, not null'],
    ['string', struct({ s: chars(2) }), { s: 3 }, 's', 'must be a string, not 3'],
  ])('an unfit value is named: %s', (_, schema, value, path, problem) => {
    let caught: unknown
    try {
      encoder(schema)(value as never, new Uint8Array(schema.size), 0)
    } catch (error) {
      caught = error
    }
    expect(caught).toBeInstanceOf(CodecError)
    expect((caught as CodecError).path).toBe(path)
    expect((caught as CodecError).message).toContain(problem)
  })

  test('bytes are copied out, not aliased', () => {
    const memory = new Uint8Array([1, 2, 3, 4])
    const value = decoder(bytes(4))(recordView(memory.buffer), 0)
    memory.fill(0)
    expect([...value]).toEqual([1, 2, 3, 4])
  })
})

describe('string cache', () => {
  test('equals plain decoding over many colliding strings, unterminated ones included', () => {
    const next = random(7)
    const cache = new StringCache(6)
    for (let round = 0; round < 20_000; round++) {
      const bytes = Uint8Array.from({ length: 6 }, () => [0, 65, 66, 67, 0xc3, 0xa9][below(next, 6)]!)
      const end = bytes.indexOf(0)
      const expected = new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end))
      expect(cache.read(bytes, 0)).toBe(expected)
    }
  })

  test('what follows the NUL does not matter', () => {
    const cache = new StringCache(4)
    expect(cache.read(new Uint8Array([65, 0, 66, 66]), 0)).toBe('A')
    expect(cache.read(new Uint8Array([65, 0, 0, 0]), 0)).toBe('A')
    expect(cache.read(new Uint8Array([65, 66, 0, 0]), 0)).toBe('AB')
    expect(cache.read(new Uint8Array([0, 65, 66, 67]), 0)).toBe('')
  })
})
