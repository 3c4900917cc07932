import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { Collection } from '../../bpf/collection.ts'
import { features, has } from '../../bpf/features.ts'
import { kernelBtf } from '../../bpf/kernel-btf.ts'
import { readTracefs } from '../../bpf/tracefs.ts'
import { array, chars, i32, i64, struct, u32, u64, u8 } from '../../spec/schema.ts'
import { compileModule } from '../compile.ts'
import { CompileError } from '../errors.ts'
import { currentPid } from '../language/intrinsics.ts'
import { arrayMap, hash } from '../language/maps.ts'
import { option, optionsOf } from '../language/options.ts'
import { tracepoint } from '../language/programs.ts'
import { user } from '../language/user.ts'
import { smallKernel } from '../testing/small-kernel.ts'
import { isLocated, parseFormat } from './tracepoint-format.ts'

const execFormat = `name: sched_process_exec
ID: 311
format:
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;
	field:int common_pid;	offset:4;	size:4;	signed:1;

	field:__data_loc char[] filename;	offset:8;	size:4;	signed:0;
	field:pid_t pid;	offset:12;	size:4;	signed:1;
	field:char comm[16];	offset:16;	size:16;	signed:0;
	field:const char *const * argv;	offset:32;	size:8;	signed:0;
	field:unsigned long args[6];	offset:40;	size:48;	signed:0;
	field:__u8 saddr[4];	offset:88;	size:4;	signed:0;
	field:s64 delta;	offset:96;	size:8;	signed:1;

print fmt: "filename=%s", __get_str(filename)
`

test('a format file as a struct: the kernel keeps the first 8 bytes', () => {
  const { fields, size } = parseFormat('sched_process_exec', execFormat)
  expect(size).toBe(104)
  expect(fields.map(({ name, offset }) => [name, offset])).toEqual([
    ['filename', 8], ['pid', 12], ['comm', 16], ['argv', 32], ['args', 40], ['saddr', 88], ['delta', 96],
  ])
  const schemas = Object.fromEntries(fields.map(({ name, schema }) => [name, schema]))
  expect(schemas).toMatchObject({ pid: i32, comm: chars(16), argv: u64, args: array(u64, 6), delta: i64 })
  expect(isLocated(schemas['filename']!)).toBe(true)
  expect(schemas['saddr']).toMatchObject({ kind: 'bytes', size: 4 })
})

describe('what is wrong with a record', () => {
  const errorOf = (program: unknown) => {
    try {
      compileModule({ program }, { btf: smallKernel(), name: 'wrong', tracepointFormat: (_, name) => (name === 'sched_process_exec' ? execFormat : undefined) })
    } catch (error) {
      if (error instanceof CompileError) return [error.code, error.what]
      throw error
    }
    return null
  }
  test('unknown tracepoints and fields, writing, too many arguments', () => {
    expect(errorOf(tracepoint('sched/sched_exec', () => { 'use bpf' }))).toEqual(['SKEP-C06', "this kernel has no tracepoint 'sched/sched_exec'"])
    expect(errorOf(tracepoint('sched/sched_process_exec', (record) => { 'use bpf'; record.pid = 1 }))).toEqual(['SKEP-C10', 'the record of a tracepoint cannot be written'])
    expect(errorOf(tracepoint('sched/sched_process_exec', (record) => { 'use bpf'; if (record.pdi) return }))).toEqual(['SKEP-C05', "there is no field 'pdi'"])
    const two: any = (record: any, more: any) => { 'use bpf'; if (record.pid === more) return }
    expect(errorOf(tracepoint('sched/sched_process_exec', two))).toEqual(['SKEP-C07', 'a tracepoint has 1 argument, its record, not 2'])
    expect(() => tracepoint('sched_process_exec', () => {})).toThrow("give them such as 'syscalls/sys_enter_openat'")
  })
})

const able = has(features.tracepoint) && has(features.kernelBtf)

describe.runIf(able)('in the running kernel (features: tracepoints, BTF)', () => {
  let collection: Collection | undefined
  afterEach(() => collection?.close())

  function run(module: Record<string, unknown>): Collection {
    const { spec } = compileModule(module, {
      btf: kernelBtf(), name: 'tracepoint', validate: true, tracepointFormat: (category, name) => readTracefs(`events/${category}/${name}/format`),
    })
    collection = Collection.load(spec).requireAll()
    collection.attachAll()
    expect(collection.failures).toEqual(new Map())
    return collection
  }

  test('strings of the record, its numbers', () => {
    const seen = struct({ pid: u32, oldPid: u32, filename: chars(64) }, 'seen')
    const execs = hash(u32, seen, { name: 'execs' })
    const program = tracepoint('sched/sched_process_exec', (record) => {
      'use bpf'
      if (record.filename === '/bin/true') execs.set(record.pid, { pid: record.pid, oldPid: record.old_pid, filename: record.filename })
    })
    const loaded = run({ execs, program })
    const { pid } = spawnSync('/bin/true')
    spawnSync('/bin/false')
    expect(loaded.map('execs').get(pid)).toEqual({ pid, oldPid: pid, filename: '/bin/true' })
  })

  test('user memory: strings and structs that a system call is given', () => {
    const times = struct({ seconds: u64, nanoseconds: u64 }, 'timespec')
    const opened = struct({ name: chars(32), flags: u32 }, 'opened')
    const opens = arrayMap(opened, { name: 'opens' })
    const sleeps = arrayMap(times, { name: 'sleeps' })
    const me = process.pid
    const open = tracepoint('syscalls/sys_enter_access', (record) => {
      'use bpf'
      if (currentPid() !== me) return
      opens.set(0, { name: user.string(record.filename), flags: record.mode })
    })
    const sleep = tracepoint('syscalls/sys_enter_clock_nanosleep', (record) => {
      'use bpf'
      if (record.rqtp === 0) return
      const asked = user.read(times, record.rqtp)
      if (asked.nanoseconds === 12_345_000) sleeps.set(0, asked)
    })
    const loaded = run({ opens, sleeps, open, sleep })
    existsSync('/no/such/place')
    expect(loaded.map('opens').get(0)).toEqual({ name: '/no/such/place', flags: 0 })
    spawnSync('sleep', ['0.012345'])
    expect(loaded.map('sleeps').get(0)).toEqual({ seconds: 0, nanoseconds: 12_345_000 })
  })
})

describe('options', () => {
  test('are constants: what they exclude is not compiled', () => {
    const counts = hash(u32, u64, { name: 'counts' })
    const pid = option('pid', u32)
    const name = option('name', chars(16), { default: 'bash', description: 'only this program' })
    const verbose = option('verbose', u8)
    const program = tracepoint('sched/sched_process_exec', (record) => {
      'use bpf'
      if (pid.value !== undefined && record.pid !== pid.value) return
      if (verbose.value) counts.add(0, 1)
      counts.add(record.pid, 1)
    })
    const comparisons = () => {
      let ir = ''
      compileModule({ counts, program }, { btf: smallKernel(), name: 'options', tracepointFormat: () => execFormat, print: (_program, _step, text) => { ir = text } })
      return [ir.match(/ = 42$/gm)?.length ?? 0, ir.match(/map counts/g)!.length]
    }
    expect(comparisons()).toEqual([0, 1])
    pid.give('42')
    expect(comparisons()).toEqual([1, 1])
    verbose.give('1')
    expect(comparisons()[1]).toBeGreaterThan(1)
    expect(optionsOf({ counts, pid, name, program })).toEqual([pid, name])
    expect([pid.value, name.value, name.description]).toEqual([42, 'bash', 'only this program'])
  })

  test('say what may be given', () => {
    const small = option('small', u8)
    expect(() => small.give('256')).toThrow("--small: '256' is outside of 0 to 255")
    expect(() => small.give('abc')).toThrow("--small: 'abc' is no integer")
    expect(() => option('word', chars(4)).give('long')).toThrow("--word: 'long' is longer than 3 bytes")
    expect(() => option('Pid', u32)).toThrow("option 'Pid': a name is made of")
    expect(() => option('key', struct({ a: u8 }))).toThrow("option 'key': a struct cannot be given")
    small.give('0x10')
    expect(small.value).toBe(16)
    const large = option('large', u64)
    large.give('18446744073709551615')
    expect(large.value).toBe(18_446_744_073_709_551_615n)
    const signed = option('signed', i64)
    signed.give('-1_000')
    expect(signed.value).toBe(-1000)
  })
})
