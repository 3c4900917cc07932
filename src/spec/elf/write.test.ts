import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Btf } from '../../btf/btf.ts'
import { compileModule } from '../../compiler/compile.ts'
import * as scheduler from '../../probes/scheduler.ts'
import * as syscalls from '../../probes/syscalls.ts'
import * as tcp from '../../probes/tcp.ts'
import { relocate } from '../relocate.ts'
import type { ProgramSpec, Spec } from '../spec.ts'
import { readObject } from './read.ts'
import { sampleSpec } from './testing/sample-spec.ts'
import { clangs, clangsOrNone, compileObject, libbpf, loadWithLibbpf, store, type LoadedByLibbpf } from './testing/toolchain.ts'
import { writeObject } from './write.ts'

const VMLINUX = '/sys/kernel/btf/vmlinux'
const kernel = existsSync(VMLINUX) ? Btf.parse(readFileSync(VMLINUX)) : undefined
const bpftool = ['/usr/sbin/bpftool', '/usr/bin/bpftool', '/sbin/bpftool'].find((path) => existsSync(path))
const names = ['core', 'linking', 'maps', 'externs']

/** A Spec as text, without its types, whose ids and strings a writer may add to; maps in order of their names. */
function plain(spec: Spec): unknown {
  const maps = [...spec.maps].sort((a, b) => (a.name < b.name ? -1 : 1))
  return JSON.parse(JSON.stringify({ ...spec, maps, btf: null }, (_key, value: unknown) =>
    (value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value)))
}

/** libbpf's instructions, with names of maps in place of descriptors, which differ from one load to the next. */
function instructions(loaded: LoadedByLibbpf, name: string, specOf: ProgramSpec | undefined): string {
  const code = loaded.programs.get(name)!.slice()
  const view = new DataView(code.buffer, code.byteOffset)
  const used = (specOf?.maps ?? []).map(({ slot }) => {
    const fd = view.getInt32(slot * 8 + 4, true)
    view.setInt32(slot * 8 + 4, 0, true)
    return [...loaded.maps].find(([, value]) => value === fd)?.[0].replace(/^.*(?=\.)/, '')
  })
  return `${used.join()} ${Buffer.from(code).toString('hex')}`
}

test('a Spec made by hand comes back as it was, and again as the same bytes', () => {
  const spec = sampleSpec()
  const bytes = writeObject(spec)
  const again = readObject(bytes, { name: spec.name })
  expect(plain(again)).toEqual(plain(spec))
  expect(Buffer.compare(writeObject(again), bytes)).toBe(0)
})

describe.runIf(clangs.length > 0).each(clangsOrNone)('objects read and written, by %s (feature: clang with bpf target)', (compiler) => {
  test.each(names)('%s.bpf.c comes back as it was', (name) => {
    const spec = readObject(compileObject(name, { compiler }).bytes, { name })
    const again = readObject(writeObject(spec), { name })
    expect(plain(again)).toEqual(plain(spec))
    expect(Buffer.compare(writeObject(again), writeObject(spec))).toBe(0)
  })

  test.runIf(libbpf).each(names)('%s.bpf.c: libbpf makes the same of both (features: libbpf-dev, root)', (name) => {
    const { path, bytes } = compileObject(name, { compiler })
    const spec = readObject(bytes, { name })
    const original = loadWithLibbpf(path)
    const written = loadWithLibbpf(store(`${name}.${compiler}.written.bpf.o`, writeObject(spec)))
    expect(written.messages).toBe('')
    expect(written.result).toBe(0)
    const made = (loaded: LoadedByLibbpf) => [...loaded.programs.keys()].sort()
      .map((program) => [program, instructions(loaded, program, spec.programs.find((one) => one.name === program))])
    expect(made(written)).toEqual(made(original))
  })
})

describe.runIf(kernel !== undefined)('what the compiler makes, as an object (feature: /sys/kernel/btf/vmlinux)', () => {
  const modules: Record<string, Record<string, unknown>> = { scheduler, syscalls, tcp }

  test.each(Object.keys(modules))('%s: read back, the instructions are the same', (name) => {
    const { spec } = compileModule(modules[name]!, { btf: kernel!, name })
    const again = readObject(writeObject(spec), { name })
    const code = (one: Spec) => one.programs.map((program) =>
      [program.name, Buffer.from(relocate(program, Btf.parse(one.btf!), kernel!)).toString('hex')])
    const masked = { ...spec, programs: spec.programs.map((program) => ({ ...program, code: withMapSources(program) })) }
    expect(code(again).sort()).toEqual(code(masked).sort())
    expect(again.maps.map(({ type, keySize, valueSize, maxEntries }) => [type, keySize, valueSize, maxEntries]))
      .toEqual(spec.maps.map(({ type, keySize, valueSize, maxEntries }) => [type, keySize, valueSize, maxEntries]))
  })

  test.runIf(libbpf).each(Object.keys(modules))('%s: libbpf loads it (features: libbpf-dev, root)', (name) => {
    const { spec } = compileModule(modules[name]!, { btf: kernel!, name })
    const { result, messages } = loadWithLibbpf(store(`${name}.compiled.bpf.o`, writeObject(spec)))
    expect(messages).toBe('')
    expect(result).toBe(0)
  })

  // The file system that it pins to is that of a mount namespace, and ends with the command.
  test.runIf(libbpf && bpftool !== undefined)('bpftool loads it (features: bpftool, root)', () => {
    const { spec } = compileModule(scheduler, { btf: kernel!, name: 'scheduler' })
    const path = store('scheduler.bpftool.bpf.o', writeObject(spec))
    const script = 'mount -t bpf bpf /sys/fs/bpf && "$0" prog loadall "$1" /sys/fs/bpf/written && ls /sys/fs/bpf/written'
    const output = execFileSync('unshare', ['-m', 'sh', '-c', script, bpftool!, path], { encoding: 'utf8' })
    expect(output.trim().split('\n').sort()).toEqual(spec.programs.map((program) => program.name).sort())
  })
})

/** The reader marks which loads are of maps; the compiler leaves that to the loader. */
function withMapSources({ code, maps }: ProgramSpec): Uint8Array {
  const marked = new Uint8Array(code)
  for (const { slot } of maps) {
    marked[slot * 8 + 1] = (marked[slot * 8 + 1]! & 15) | 16
    marked.fill(0, slot * 8 + 4, slot * 8 + 8)
  }
  return marked
}
