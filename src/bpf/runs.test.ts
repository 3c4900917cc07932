import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { decode } from '../asm/decode.ts'
import type { ProgramTypeName } from '../spec/spec.ts'
import { Errno } from '../sys/errno.ts'
import { Collection } from './collection.ts'
import { features, has } from './features.ts'
import { kfuncFeature } from './features/helper-features.ts'
import { allLinks, allMaps, allPrograms } from './objects.ts'
import { objectOwners, pinnedObjects } from './owners.ts'
import { Program } from './program.ts'
import { enableStats } from './stats.ts'
import { compiler, fromC } from './testing/c-object.ts'
import { keeper } from './testing/keeper.ts'
import { bpfFileSystem } from './testing/places.ts'

const ready = process.platform === 'linux' && compiler && has(features.bpf)

/** Sections whose programs run on packets, with what they return. */
const onPackets: Record<string, number> = {
  socket: 5, tc: 2, action: 2, xdp: 2, 'xdp.frags': 2, 'cgroup_skb/egress': 1, lwt_in: 0, lwt_out: 0, lwt_xmit: 0,
}

describe.runIf(ready)('running programs on data (feature: clang)', () => {
  const keep = keeper()
  const load = (text: string) => keep(Collection.load(fromC(text)).requireAll())
  const only = (text: string): Program => [...load(text).programs.values()][0]!
  const packet = Uint8Array.from({ length: 64 }, (_, index) => (index === 12 ? 8 : index === 13 ? 0 : index))

  test.each(Object.entries(onPackets))('%s: runs, returns, repeats', (section, returns) => {
    const program = only(`SEC("${section}") int run(void *ctx) { return ${returns}; }`)
    const result = program.testRun({ data: packet, repeat: 100 })
    expect(result.returnValue).toBe(returns)
    expect(result.durationNs).toBeGreaterThanOrEqual(0)
    expect(program.testRun().returnValue).toBe(returns)
  })

  test('data and context come back as the program left them', () => {
    const program = only(`
      SEC("tc") int run(struct __sk_buff *skb) {
        unsigned char *data = (void *)(long)skb->data;
        if (data + 20 > (unsigned char *)(long)skb->data_end) return 1;
        data[14] = 0xaa;
        skb->mark = skb->mark + 1;
        skb->cb[0] = 7;
        return 3;
      }`)
    const context = new Uint8Array(192)
    new DataView(context.buffer).setUint32(8, 41, true)
    const result = program.testRun({ data: packet, context })
    expect([result.returnValue, result.data.length, result.data[14], result.data[15]]).toEqual([3, 64, 0xaa, 15])
    expect(new DataView(result.context.buffer).getUint32(8, true)).toBe(42)
  })

  test('XDP grows a packet, and takes its context', () => {
    const program = only(`SEC("xdp") int run(struct xdp_md *ctx) { return bpf_xdp_adjust_tail(ctx, 16) ? XDP_ABORTED : XDP_TX; }`)
    const result = program.testRun({ data: packet })
    expect([result.returnValue, result.data.length]).toEqual([3, 80])
  })

  test('raw tracepoints run on a given CPU, with given arguments', () => {
    const object = load(`
      int cpu; long second;
      SEC("raw_tp/sys_enter") int run(struct bpf_raw_tracepoint_args *ctx) { cpu = bpf_get_smp_processor_id(); second = ctx->args[1]; return 9; }`)
    const context = new Uint8Array(new BigUint64Array([1n, 77n]).buffer)
    expect(object.programs.get('run')!.testRun({ context, cpu: 0 }).returnValue).toBe(9)
    expect([object.variable('cpu').get(), object.variable('second').get()]).toEqual([0, 77])
    expect(() => object.programs.get('run')!.testRun({ data: packet, context })).toThrow('does not take this data')
  })

  test('syscall programs change their context', () => {
    const program = only(`
      struct pair { long a, b; };
      SEC("syscall") int run(struct pair *pair) { pair->b = pair->a * 2; return 0; }`)
    const { context, returnValue } = program.testRun({ context: new Uint8Array(new BigInt64Array([21n, 0n]).buffer) })
    expect([returnValue, ...new BigInt64Array(context.buffer)]).toEqual([0, 21n, 42n])
  })

  test('flow dissectors and netfilter', () => {
    const dissector = only(`SEC("flow_dissector") int run(struct __sk_buff *skb) { return BPF_OK; }`)
    expect(dissector.testRun({ data: packet }).returnValue).toBe(0)
    if (has(features.netfilter)) expect(only(`SEC("netfilter") int run(void *ctx) { return 1; }`).testRun({ data: packet.map((byte, index) => (index === 14 ? 0x45 : byte)) }).returnValue).toBe(1)
  })

  test.each<[string, ProgramTypeName]>([
    ['tp/syscalls/sys_enter_getppid', 'tracepoint'], ['perf_event', 'perf_event'], ['sockops', 'sock_ops'], ['cgroup/dev', 'cgroup_device'], ['kprobe', 'kprobe'], ['lwt_seg6local', 'lwt_seg6local'],
    ['sk_skb', 'sk_skb'],
  ])('%s cannot be run, and the error says so', (section, type) => {
    const program = only(`SEC("${section}") int run(void *ctx) { return 1; }`)
    expect(() => program.testRun()).toThrow(`ENOTSUPP: 'run' (${type}): programs of this type cannot be run on data, only attached`)
  })

  test('a tail call that is changed while the program is loaded', () => {
    const object = load(`
      struct { __uint(type, BPF_MAP_TYPE_PROG_ARRAY); __uint(max_entries, 2); __uint(key_size, 4); __uint(value_size, 4); } next SEC(".maps");
      SEC("tc") int head(struct __sk_buff *skb) { bpf_tail_call(skb, &next, 0); return 1; }
      SEC("tc") int two(struct __sk_buff *skb) { return 2; }
      SEC("tc") int three(struct __sk_buff *skb) { return 3; }`)
    const next = object.map('next')
    const head = object.programs.get('head')!
    const put = (name: string) => next.setRaw(new Uint8Array(4), new Uint8Array(new Uint32Array([object.programs.get(name)!.fd]).buffer))
    const results = [head.testRun().returnValue]
    for (const name of ['two', 'three']) {
      put(name)
      results.push(head.testRun().returnValue)
    }
    next.deleteRaw(new Uint8Array(4))
    expect([...results, head.testRun().returnValue]).toEqual([1, 2, 3, 1])
  })

  test('dumps: instructions after the kernel’s rewriting, machine code by function', () => {
    const program = only(`
      __attribute__((noinline)) int other(int x) { asm volatile ("" : "+r"(x)); return x + 1; }
      SEC("tc") int run(struct __sk_buff *skb) { return other(skb->len); }`)
    const code = program.translatedCode()
    expect(code.length).toBe(program.info().translatedBytes)
    expect(decode(code).at(-1)).toMatchObject({ code: 0x95 })
    const { functions } = program.machineCode()
    expect(functions.length).toBe(2)
    expect(functions.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBe(program.info().jitedBytes)
    expect(program.info()).toMatchObject({ typeName: 'sched_cls', gplCompatible: true, userId: 0, tag: expect.stringMatching(/^[0-9a-f]{16}$/) })
  })

  test.runIf(has(features.stats))('statistics count the runs (feature: statistics)', () => {
    const program = only(`SEC("tc") int run(struct __sk_buff *skb) { return 0; }`)
    const stats = keep(enableStats())
    program.testRun({ repeat: 500 })
    stats.close()
    expect(program.stats().runCount).toBeGreaterThanOrEqual(500)
  })

  test.runIf(has(features.bindMap))('a bound map lives as long as the program (feature: binding maps)', () => {
    const object = load(`
      struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, int); __type(value, int); } metadata SEC(".maps");
      SEC("tc") int run(struct __sk_buff *skb) { return 0; }`)
    const program = object.programs.get('run')!
    expect(program.info().mapIds).toEqual([])
    program.bind(object.map('metadata'))
    expect(keep(Program.byId(program.info().id)!).info().mapIds).toEqual([object.map('metadata').info.id])
  })

  test.runIf(has(features.streams))('streams of a program (feature: streams)', () => {
    // Its name and arguments are not the same in all kernels that have it.
    const older = kfuncFeature('bpf_stream_vprintk_impl', '6.18').probe() === 'yes'
    const [name, more, aux] = older ? ['bpf_stream_vprintk_impl', ', void *aux', ', 0'] : ['bpf_stream_vprintk', '', '']
    const object = load(`
      extern int ${name}(int stream, const char *format, const void *args, __u32 bytes${more}) __ksym;
      SEC("syscall") int run(void *ctx) {
        static const char format[] = "count %d\\n";
        unsigned long long args[] = { 5 };
        return ${name}(1, format, args, sizeof(args)${aux});
      }`)
    const program = object.programs.get('run')!
    const results = [0, 1, 2].map(() => program.testRun().returnValue | 0)
    // Some kernels find no memory for it without waiting (ENOMEM): nothing is written then.
    const written = results.filter((result) => result === 0).length
    expect(results.every((result) => result === 0 || result === -Errno.ENOMEM)).toBe(true)
    expect(program.readStream('stdout')).toBe('count 5\n'.repeat(written))
    expect([program.readStream('stdout'), program.readStream('stderr')]).toEqual(['', ''])
  })

  test('what is on the system, with who has it open and where it is pinned', () => {
    const bpffs = keep(bpfFileSystem())
    const object = load(`
      struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, int); __type(value, int); } listed SEC(".maps");
      SEC("raw_tp/sys_enter") int run(void *ctx) { int k = 0; return bpf_map_lookup_elem(&listed, &k) != 0; }`)
    const link = keep(object.attach('run'))
    const [program, map] = [object.programs.get('run')!, object.map('listed')]
    expect(allPrograms()).toContainEqual(program.info())
    expect(allMaps()).toContainEqual(map.info)
    expect(allLinks()).toContainEqual(link.info())
    const owners = objectOwners()
    const pids = [owners.programs.get(program.info().id), owners.maps.get(map.info.id), owners.links.get(link.info().id)].map((list) => list?.map(({ pid }) => pid))
    expect(pids).toEqual([[process.pid], [process.pid], [process.pid]])
    mkdirSync(join(bpffs.path, 'sub'))
    program.pin(join(bpffs.path, 'program'))
    map.pin(join(bpffs.path, 'sub', 'map'))
    link.pin(join(bpffs.path, 'link'))
    const pinned = pinnedObjects(bpffs.path).sort((a, b) => (a.kind < b.kind ? -1 : 1))
    expect(pinned.filter(({ path }) => !path.endsWith('.debug'))).toEqual([
      { path: join(bpffs.path, 'link'), kind: 'link', id: link.info().id }, { path: join(bpffs.path, 'sub', 'map'), kind: 'map', id: map.info.id },
      { path: join(bpffs.path, 'program'), kind: 'program', id: program.info().id },
    ])
    const again = keep(Program.openPinned(join(bpffs.path, 'program'))!)
    expect(again.info()).toEqual(program.info())
    expect(() => Program.openPinned(join(bpffs.path, 'link'))).toThrow('is a link, not a program')
    expect(Program.openPinned(join(bpffs.path, 'none'))).toBe(undefined)
    expect(Program.byId(0x7fff_ffff)).toBe(undefined)
  })
})
