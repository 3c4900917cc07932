import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Spec } from '../spec/spec.ts'
import { Collection } from './collection.ts'
import type { LoadOptions } from './collection.ts'
import { features, has } from './features.ts'
import { kernelOption, kernelVersionCode, parseConfig } from './kernel-config.ts'
import { kernelFunctions, kernelSymbol } from './kallsyms.ts'
import { unpin } from './pin.ts'
import { attachIterator, iterate, IteratorRun } from './links/iterator.ts'
import { UserRing } from './maps/user-ring.ts'
import { VerifierError } from './load-error.ts'
import { TargetError } from './target-error.ts'
import { compiler, fromC } from './testing/c-object.ts'
import { keeper } from './testing/keeper.ts'
import { bpfFileSystem } from './testing/places.ts'

const ready = process.platform === 'linux' && compiler && has(features.tpBtf)

const getppid = (times: number) => { for (let index = 0; index < times; index++) void process.ppid }

describe.runIf(ready)('objects compiled from C (features: clang, typed tracepoints)', () => {
  const keep = keeper()
  const load = (spec: Spec, options?: LoadOptions) => keep(Collection.load(spec, options).requireAll())

  test('variables: set before loading, read and written live, constants only before', () => {
    const object = load(fromC(`
      const volatile int limit = 3;
      const volatile char tag[8] = "none";
      int counter = 7;
      unsigned long long wide[2];
      struct { int a; short b; bool c; } both = { 1, 2, 1 };
      enum colour { RED, GREEN } colour = GREEN;
      SEC("raw_tp/sys_enter") int run(void *ctx) { counter += limit; wide[1] = tag[0]; both.b++; return 0; }
    `), { variables: { limit: 40, tag: 'yes' } })
    const variable = (name: string) => object.variable(name)
    expect([...object.variables.keys()].sort()).toEqual(['both', 'colour', 'counter', 'limit', 'tag', 'wide'])
    expect([variable('counter').get(), variable('limit').get(), variable('tag').get(), variable('colour').get()]).toEqual([7, 40, 'yes', 1])
    object.programs.get('run')!.testRun({ context: new Uint8Array(16) })
    expect([variable('counter').get(), variable('wide').get(), variable('both').get()]).toEqual([47, [0, 121], { a: 1, b: 3, c: true }])
    variable('counter').set(1000)
    variable('both').set({ a: -1, b: 10, c: false })
    object.programs.get('run')!.testRun({ context: new Uint8Array(16) })
    expect([variable('counter').get(), variable('both').get()]).toEqual([1040, { a: -1, b: 11, c: false }])
    expect(() => variable('limit').set(1)).toThrow('set them before loading')
    expect(() => variable('nothing')).toThrow(/has no variable 'nothing', only: /)
    expect(object.map('.rodata').frozen).toBe(true)
  })

  test('keys, values and records are read by the object’s types', () => {
    const object = load(fromC(`
      struct key { int pid; char comm[16]; };
      struct value { unsigned long long count; int parts[3]; unsigned char address[4]; void *pointer; };
      struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, struct key); __type(value, struct value); __uint(max_entries, 8); } seen SEC(".maps");
      SEC("raw_tp/sys_enter") int run(void *ctx) {
        struct key key = { .pid = -4, .comm = "hello" };
        struct value value = { .count = 5, .parts = { 1, 2, 3 }, .address = { 10, 0, 0, 1 } };
        bpf_map_update_elem(&seen, &key, &value, 0);
        return 0;
      }
    `))
    object.programs.get('run')!.testRun({ context: new Uint8Array(16) })
    const expected = { count: 5, parts: [1, 2, 3], address: Uint8Array.of(10, 0, 0, 1), pointer: 0 }
    expect(object.map('seen').readAll()).toEqual([[{ pid: -4, comm: 'hello' }, expected]])
    expect(object.map('seen').info).toMatchObject({ keyType: expect.any(Number), btfId: expect.any(Number) })
    expect(object.map('seen').info.btfId).toBeGreaterThan(0)
  })

  test('maps of maps and arrays of programs hold what the object says', () => {
    const object = load(fromC(`
      struct inner { __uint(type, BPF_MAP_TYPE_ARRAY); __type(key, int); __type(value, int); __uint(max_entries, 1); } first SEC(".maps");
      struct { __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS); __uint(max_entries, 2); __type(key, int); __array(values, struct inner); }
        outer SEC(".maps") = { .values = { [1] = &first } };
      int tail(void *ctx);
      struct { __uint(type, BPF_MAP_TYPE_PROG_ARRAY); __uint(max_entries, 2); __uint(key_size, 4); __array(values, int (void *)); }
        jumps SEC(".maps") = { .values = { [1] = (void *)&tail } };
      int reached;
      SEC("raw_tp") int tail(void *ctx) { reached = 5; return 0; }
      SEC("raw_tp") int head(void *ctx) {
        int one = 1, zero = 0;
        void *map = bpf_map_lookup_elem(&outer, &one);
        int *value = map ? bpf_map_lookup_elem(map, &zero) : 0;
        if (value) *value = 9;
        bpf_tail_call(ctx, &jumps, 1);
        return 1;
      }
    `))
    object.programs.get('head')!.testRun({ context: new Uint8Array(16) })
    expect(object.map('first').get(0)).toBe(9)
    expect(object.variable('reached').get()).toBe(5)
  })

  test('the kernel’s configuration, symbols and functions', () => {
    const object = load(fromC(`
      extern int LINUX_KERNEL_VERSION __kconfig;
      extern bool CONFIG_BPF_SYSCALL __kconfig;
      extern int CONFIG_NO_SUCH_OPTION __kconfig __weak;
      extern const void schedule __ksym;
      extern const void no_such_symbol __ksym __weak;
      extern const int no_such_variable __ksym __weak;
      extern void bpf_rcu_read_lock(void) __ksym;
      extern void bpf_rcu_read_unlock(void) __ksym;
      extern void bpf_no_such_function(int x) __ksym __weak;
      int version; bool has_bpf; int nothing; unsigned long long address, absent;
      SEC("tp_btf/sys_enter") int BPF_PROG(run) {
        version = LINUX_KERNEL_VERSION; has_bpf = CONFIG_BPF_SYSCALL; nothing = CONFIG_NO_SUCH_OPTION;
        address = (unsigned long long)&schedule; absent = (unsigned long long)&no_such_symbol + (unsigned long long)&no_such_variable;
        bpf_rcu_read_lock();
        if (&no_such_symbol) bpf_no_such_function(1);
        bpf_rcu_read_unlock();
        return 0;
      }
    `))
    const link = keep(object.attach('run'))
    getppid(1)
    link.close()
    expect(object.variable('version').get()).toBe(kernelVersionCode())
    expect(object.variable('has_bpf').get()).toBe(true)
    expect([object.variable('nothing').get(), object.variable('absent').get()]).toEqual([0, 0])
    expect(BigInt.asUintN(64, BigInt.asIntN(64, BigInt(kernelSymbol('schedule')!)))).toBe(Buffer.from(object.variable('address').getRaw()).readBigUInt64LE())
  })

  test('what the kernel does not have is an error that names it, unless it is weak', () => {
    const missing = Collection.load(fromC(`
      extern void bpf_no_such_function(void) __ksym;
      SEC("tp_btf/sys_enter") int run(void *ctx) { bpf_no_such_function(); return 0; }
    `))
    keep(missing)
    expect(missing.failures.get('run')).toBeInstanceOf(TargetError)
    expect(missing.failures.get('run')!.message).toMatch(/ksym:bpf_no_such_function: this kernel has no such function/)
    const option = keep(Collection.load(fromC(`
      extern int CONFIG_NO_SUCH_OPTION __kconfig;
      int x;
      SEC("raw_tp/sys_enter") int run(void *ctx) { x = CONFIG_NO_SUCH_OPTION; return 0; }
    `)))
    expect(option.mapFailures.get('.kconfig')!.message).toMatch(/CONFIG_NO_SUCH_OPTION: the kernel was built without it/)
    expect(option.failures.get('run')).toBe(option.mapFailures.get('.kconfig'))
  })

  test('a field that this kernel lacks is named where the program needs it, with its line', () => {
    const object = keep(Collection.load(fromC(`
      struct task_struct { int no_such_field; } __attribute__((preserve_access_index));
      long x;
      SEC("raw_tp/sys_enter") int run(void *ctx) {
        struct task_struct *task = (void *)bpf_get_current_task();
        x = BPF_CORE_READ(task, no_such_field);
        return 0;
      }
      SEC("raw_tp/sys_enter") int careful(void *ctx) {
        struct task_struct *task = (void *)bpf_get_current_task();
        if (bpf_core_field_exists(task->no_such_field)) x = BPF_CORE_READ(task, no_such_field);
        return 0;
      }`)))
    expect(object.programs.has('careful')).toBe(true)
    const error = object.failures.get('run')!
    expect(error).toBeInstanceOf(VerifierError)
    expect(error.message).toMatch(/^the kernel's verifier rejects 'run': this kernel lacks struct task_struct\.no_such_field.* at \S*<stdin>:\d+:\d+/)
  })

  test('maps pinned by name are found again by the next load', () => {
    const bpffs = keep(bpfFileSystem())
    const text = (size: number) => `
      struct { __uint(type, BPF_MAP_TYPE_ARRAY); __type(key, int); __type(value, int); __uint(max_entries, ${size}); __uint(pinning, 1); } kept SEC(".maps");
      SEC("raw_tp") int run(void *ctx) { int k = 0; int *v = bpf_map_lookup_elem(&kept, &k); if (v) ++*v; return 0; }
    `
    for (const count of [1, 2, 3]) {
      const object = load(fromC(text(1)), { pinDirectory: bpffs.path })
      object.programs.get('run')!.testRun({ context: new Uint8Array(16) })
      expect(object.map('kept').get(0)).toBe(count)
      object.close()
    }
    const other = keep(Collection.load(fromC(text(2)), { pinDirectory: bpffs.path }))
    expect(other.mapFailures.get('kept')!.message).toContain('is another one: maxEntries is 1, not 2')
    expect(unpin(join(bpffs.path, 'kept'))).toBe(true)
  })

  test.runIf(has(features.userRing))('a user ring is drained by a program (feature: user ring buffers)', () => {
    const object = load(fromC(`
      struct { __uint(type, BPF_MAP_TYPE_USER_RINGBUF); __uint(max_entries, 4096); } input SEC(".maps");
      long sum; int calls;
      static long one(struct bpf_dynptr *record, void *context) {
        int value = 0;
        if (bpf_dynptr_read(&value, sizeof(value), record, 0, 0)) return 1;
        sum += value; calls++;
        return 0;
      }
      SEC("raw_tp/sys_enter") int drain(void *ctx) { bpf_user_ringbuf_drain(&input, one, 0, 0); return 0; }
    `))
    const ring = keep(new UserRing(object.map('input')))
    const run = () => object.programs.get('drain')!.testRun({ context: new Uint8Array(16) })
    let expected = 0
    // More than once around, records of an odd size.
    for (let round = 0; round < 40; round++) {
      for (let index = 0; index < 10; index++) {
        expected += round * index
        expect(ring.send(12, (view, offset) => { view.i32[offset >> 2] = round * index })).toBe(true)
      }
      run()
    }
    expect(() => ring.send(8, () => { throw new Error('not this one') })).toThrow('not this one')
    run()
    expect([object.variable('sum').get(), object.variable('calls').get(), ring.waitingBytes]).toEqual([expected, 400, 0])
  })

  test.runIf(has(features.arena))('an arena holds variables and what programs allocate (feature: arenas)', () => {
    const object = load(fromC(`
      #define __arena __attribute__((address_space(1)))
      struct { __uint(type, 33); __uint(map_flags, BPF_F_MMAPABLE); __uint(max_entries, 16); enum { address = 1ull << 44 } (*map_extra); } arena SEC(".maps");
      void __arena *bpf_arena_alloc_pages(void *map, void __arena *addr, __u32 page_cnt, int node_id, __u64 flags) __ksym __weak;
      int __arena shared[4] SEC(".addr_space.1") = { 1, 2, 3, 4 };
      int __arena *where;
      SEC("syscall") int run(void *ctx) {
        shared[0] += shared[3];
        int __arena *page = bpf_arena_alloc_pages(&arena, 0, 1, -1, 0);
        if (!page) return 1;
        page[5] = 77;
        where = page;
        return 0;
      }
    `))
    expect(object.variable('shared').get()).toEqual([1, 2, 3, 4])
    expect(object.programs.get('run')!.testRun().returnValue).toBe(0)
    expect(object.variable('shared').get()[0]).toBe(5)
    const pointer = Number(Buffer.from(object.variable('where').getRaw()).readBigUInt64LE())
    expect(pointer).toBeGreaterThanOrEqual(2 ** 44)
  })

  test('freplace: a function of a program is replaced while the link is there', () => {
    const target = load(fromC(`
      __attribute__((noinline)) int answer(struct __sk_buff *skb) { asm volatile ("" : "+r"(skb)); return 1; }
      SEC("tc") int ask(struct __sk_buff *skb) { return answer(skb); }
    `))
    const ask = target.programs.get('ask')!
    expect(ask.testRun().returnValue).toBe(1)
    const spec = fromC(`SEC("freplace/answer") int other(struct __sk_buff *skb) { return 42; }`)
    const without = keep(Collection.load(spec))
    expect(without.failures.get('other')!.message).toContain('say which program it is for')
    const replacement = keep(Collection.load(spec, { targets: { other: ask } }))
    if (replacement.failures.size > 0) {
      // Replacing needs a trampoline, which some machines refuse.
      expect(replacement.failures.get('other')).toMatchObject({ name: 'PolicyError', code: 'EPERM' })
      return
    }
    const link = keep(replacement.attach('other'))
    expect(ask.testRun().returnValue).toBe(42)
    link.close()
    expect(ask.testRun().returnValue).toBe(1)
  })

  test('iterators are read as text and as a stream', async () => {
    const object = load(fromC(`
      struct seq_file; struct bpf_iter_meta { struct seq_file *seq; } __attribute__((preserve_access_index));
      struct task_struct { int pid; int tgid; } __attribute__((preserve_access_index));
      struct bpf_iter__task { struct bpf_iter_meta *meta; struct task_struct *task; } __attribute__((preserve_access_index));
      SEC("iter/task") int tasks(struct bpf_iter__task *ctx) {
        struct task_struct *task = ctx->task;
        if (!task) return 0;
        unsigned long long args[] = { task->pid, task->tgid };
        bpf_seq_printf(ctx->meta->seq, "%d %d\\n", sizeof("%d %d\\n"), args, sizeof(args));
        return 0;
      }
    `))
    const link = keep(object.attach('tasks'))
    expect(link.info()).toMatchObject({ kind: 'iter', name: 'task' })
    expect(iterate(link).split('\n')).toContain(`${process.pid} ${process.pid}`)
    let text = ''
    for await (const piece of new IteratorRun(link)) text += new TextDecoder().decode(piece)
    expect(text.split('\n')).toContain(`${process.pid} ${process.pid}`)
    const own = keep(attachIterator(object.programs.get('tasks')!, { process: process.pid }))
    const lines = iterate(own).trim().split('\n')
    expect(lines.length).toBeGreaterThan(1)
    expect(lines.every((line) => line.endsWith(` ${process.pid}`))).toBe(true)
    expect(own.info()).toMatchObject({ kind: 'iter', processId: process.pid })
  })

  test('struct_ops: congestion control in the kernel’s table, by a link and by an update', () => {
    const text = (section: string, name: string) => `
      struct sock; struct rate_sample;
      struct tcp_congestion_ops {
        __u32 (*ssthresh)(struct sock *sk); void (*cong_avoid)(struct sock *sk, __u32 ack, __u32 acked); __u32 (*undo_cwnd)(struct sock *sk);
        char name[16];
      };
      SEC("struct_ops") __u32 ssthresh(void *ctx) { return 2; }
      SEC("struct_ops") int cong_avoid(void *ctx) { return 0; }
      SEC("struct_ops") __u32 undo_cwnd(void *ctx) { return 2; }
      SEC("${section}") struct tcp_congestion_ops table = { .ssthresh = (void *)ssthresh, .cong_avoid = (void *)cong_avoid, .undo_cwnd = (void *)undo_cwnd, .name = "${name}" };
    `
    for (const [section, name] of [['.struct_ops.link', 'skep_link'], ['.struct_ops', 'skep_update']] as const) {
      const object = load(fromC(text(section, name)))
      const link = object.attachStructOps('table')
      const listed = kernelOptionOfTcp()
      expect(listed).toContain(name)
      if (section === '.struct_ops.link') expect(link.info()).toMatchObject({ kind: 'struct_ops', mapId: object.map('table').info.id })
      object.detach('table')
      expect(kernelOptionOfTcp()).not.toContain(name)
      object.close()
    }
  })

  test('tables of callbacks that this kernel does not have are named', () => {
    const object = keep(Collection.load(fromC(`
      struct no_such_ops { int (*run)(void); };
      SEC("struct_ops") int run(void *ctx) { return 0; }
      SEC(".struct_ops") struct no_such_ops table = { .run = (void *)run };
    `)))
    expect(object.mapFailures.get('table')!.message).toMatch(/struct_ops:no_such_ops: this kernel lets no programs fill it/)
    expect(object.failures.get('run')!.message).toMatch(/no struct_ops map names this program/)
  })

  test('SEC("?…") is loaded only when asked for', () => {
    const spec = fromC(`SEC("?raw_tp") int optional(void *ctx) { return 0; } SEC("raw_tp") int always(void *ctx) { return 0; }`)
    expect([...load(spec).programs.keys()]).toEqual(['always'])
    expect([...load(spec, { programs: () => true }).programs.keys()]).toEqual(['optional', 'always'])
  })
})

function kernelOptionOfTcp(): string {
  return readFileSync('/proc/sys/net/ipv4/tcp_available_congestion_control', 'latin1')
}

test('kernel configurations and versions', () => {
  expect([...parseConfig('# CONFIG_A is not set\nCONFIG_B=y\nCONFIG_C="x y"\nCONFIG_D=250\n')]).toEqual([['CONFIG_B', 'y'], ['CONFIG_C', '"x y"'], ['CONFIG_D', '250']])
  expect(kernelVersionCode('#1 SMP Debian 6.1.90-1 (2024-05-03)', '6.1.0-21-amd64')).toBe(6 << 16 | 1 << 8 | 90)
  expect(kernelVersionCode('#1 SMP', '5.4.300')).toBe(5 << 16 | 4 << 8 | 255)
  expect(kernelVersionCode('', '6.18')).toBe(6 << 16 | 18 << 8)
})

test.runIf(process.platform === 'linux')('symbols of the running kernel', () => {
  expect(kernelFunctions('bpf_map_get_*')).toContain('bpf_map_get_info_by_fd'.replace('_info_by_fd', '_curr_or_next'))
  expect(kernelSymbol('no_such_symbol_here')).toBe(undefined)
  expect(kernelOption('CONFIG_NO_SUCH')).toBe(undefined)
})

