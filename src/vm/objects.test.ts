import { describe, expect, test } from 'vitest'
import { readObject } from '../spec/elf/read.ts'
import { clang, compileText } from '../spec/elf/testing/toolchain.ts'
import { packet } from './context.ts'
import { simulate } from './simulate.ts'

const text = `
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 16);
  __type(key, unsigned int);
  __type(value, unsigned long long);
} counts SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 4096);
} events SEC(".maps");

const volatile unsigned int wanted = 7;
unsigned long long total = 5;

static __attribute__((noinline)) unsigned long long mix(unsigned long long h, unsigned long long x)
{
  h ^= x;
  h *= 0x9E3779B97F4A7C15ULL;
  return h ^ (h >> 29);
}

SEC("raw_tp/x") int digest(unsigned long long *ctx)
{
  unsigned long long h = wanted, *words = ctx;
#pragma clang loop unroll(disable)
  for (int i = 0; i < 20; i++) {
    h = mix(h, words[0] + i);
    h = mix(h, (long long)words[1] / 3 == 0 ? i : words[1] % 1000);
  }
  total += h;
  return 0;
}

static int each(void *map, unsigned int *key, unsigned long long *value, void *context)
{
  *(unsigned long long *)context += *key * *value;
  return 0;
}

SEC("raw_tp/x") int walk(void *ctx)
{
  unsigned long long sum = 0;
  long entries = bpf_for_each_map_elem(&counts, each, &sum, 0);
  total = sum * 100 + entries;
  return 0;
}

static int add(unsigned int index, void *context)
{
  *(unsigned long long *)context += index;
  return index == 50;
}

SEC("raw_tp/x") int loops(void *ctx)
{
  unsigned long long sum = 0;
  bpf_loop(1000, add, &sum, 0);
  return sum;
}

SEC("xdp") int parse(struct xdp_md *ctx)
{
  unsigned char *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  if (data + 14 > end) return 1;
  return data[12] << 8 | data[13];
}

SEC("raw_tp/x") int emit(unsigned long long *ctx)
{
  unsigned int *record = bpf_ringbuf_reserve(&events, 8, 0);
  if (!record) return 1;
  record[0] = wanted;
  record[1] = ctx[0];
  bpf_ringbuf_submit(record, 0);
  bpf_printk("emitted %d of %llu", wanted, total);
  return 0;
}

char LICENSE[] SEC("license") = "GPL";
`

/** What digest() adds. */
function digest(a: bigint, b: bigint): bigint {
  const mix = (h: bigint, x: bigint) => {
    const product = BigInt.asUintN(64, (h ^ x) * 0x9e37_79b9_7f4a_7c15n)
    return product ^ product >> 29n
  }
  let h = 7n
  for (let i = 0n; i < 20n; i++) h = mix(mix(h, BigInt.asUintN(64, a + i)), BigInt.asIntN(64, b) / 3n === 0n ? i : b % 1000n)
  return h
}

const words = (...values: bigint[]) => new Uint8Array(BigUint64Array.from(values).buffer)

describe.runIf(clang !== undefined)('objects of clang (clang with bpf target, libbpf-dev)', () => {
  // Clang knows v4 from 18 on.
  const v4 = /-(18|19|2\d)$/.test(clang ?? '')
  const flags = [['-mcpu=v1'], ['-mcpu=v2'], ['-mcpu=v3'], ['-mcpu=v3', '-O1'], ...(v4 ? [['-mcpu=v4']] : [])]
  const targets = flags.flatMap((one) => [false, true].map((compiled) => [one.join(' '), compiled ? 'compiled' : 'interpreted', one, compiled] as const))

  test.each(targets)('%s, %s: functions, callbacks, global data, packets, rings', (_flags, _mode, more, compiled) => {
    const spec = readObject(compileText(text, ['-O2', '-g', ...more]).bytes, { name: 'object' })
    const m = simulate(spec, { compiled })
    const globals = () => {
      const data = spec.maps.find((map) => map.data?.section === '.data')!
      const at = data.data!.variables.find(({ name }) => name === 'total')!.offset
      const [value] = m.map(data.name).entries().map(([, bytes]) => bytes as Uint8Array)
      return new DataView(value!.buffer, value!.byteOffset).getBigUint64(at, true)
    }
    expect(globals()).toBe(5n)
    let sum = 5n
    for (const [a, b] of [[0n, 0n], [1n, 2n], [0xffff_ffff_ffff_fff0n, 0x8000_0000_0000_0000n], [0x1234_5678_9abc_def0n, 0xffff_ffff_ffff_fff7n]] as const) {
      m.fire('digest', words(a, b))
      sum = BigInt.asUintN(64, sum + digest(a, b))
      expect(globals()).toBe(sum)
    }
    for (const [key, value] of [[1, 10], [2, 20], [30, 3]] as const) m.map('counts').set(key, value)
    m.fire('walk', words(0n))
    expect(globals()).toBe(14_003n)
    expect(m.fire('loops', words(0n)).result).toBe(1275n)
    expect(m.fire('parse', packet(Uint8Array.from({ length: 14 }, (_, at) => at), 'xdp')).result).toBe(0x0c0dn)
    expect(m.fire('parse', packet(new Uint8Array(13), 'xdp')).result).toBe(1n)
    expect(m.fire('emit', words(9n)).result).toBe(0n)
    expect(m.ring('events').raw()).toEqual([{ bytes: Uint8Array.of(7, 0, 0, 0, 9, 0, 0, 0), unwritten: 0 }])
    expect(m.printed).toEqual(['emitted 7 of 14003'])
  })
})
