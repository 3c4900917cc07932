import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { decode, print, slotsOf } from '../../asm/asm.ts'
import { Btf } from '../../btf/btf.ts'
import { relocatorFor } from '../relocate.ts'
import { AttachType, MapType, ProgramType, type ProgramSpec, type Spec } from '../spec.ts'
import { readObject } from './read.ts'
import { clangs, clangsOrNone, compileObject, libbpf, loadWithLibbpf, store, type LoadedByLibbpf } from './testing/toolchain.ts'

/* Objects compiled here, once loaded by libbpf and once read by us: the instructions must be the same to the byte. */

const VMLINUX = '/sys/kernel/btf/vmlinux'
const comparable = libbpf && existsSync(VMLINUX)
const kernel = comparable ? Btf.parse(readFileSync(VMLINUX)) : undefined

/** libbpf puts the object's name before its sections of data. */
const libbpfMap = (loaded: Map<string, unknown>, name: string) =>
  [...loaded.keys()].find((one) => one === name || (name.startsWith('.') && one.endsWith(name)))

/** Our instructions, with the descriptors that libbpf's process had. */
function finished(spec: Spec, program: ProgramSpec, loaded: LoadedByLibbpf): { ours: string[]; theirs: string[] } {
  const { code } = relocatorFor(Btf.parse(spec.btf!), kernel!).relocate(program)
  const theirs = loaded.programs.get(program.name)!.slice()
  const view = new DataView(code.buffer, code.byteOffset, code.byteLength)
  for (const { slot, map, offset } of program.maps) {
    view.setUint8(slot * 8 + 1, (code[slot * 8 + 1]! & 15) | ((offset === undefined ? 1 : 2) << 4))
    view.setInt32(slot * 8 + 4, loaded.maps.get(libbpfMap(loaded.maps, map)!) ?? -1, true)
    view.setInt32(slot * 8 + 12, offset ?? 0, true)
  }
  // What an extern turned out to be is the loader's part; that it is one is ours.
  for (const { slot } of program.externs ?? []) {
    const wide = theirs[slot * 8] === 0x18
    for (const start of wide ? [slot * 8 + 4, slot * 8 + 12] : [slot * 8 + 4]) theirs.fill(0, start, start + 4)
    for (const start of wide ? [slot * 8 + 4, slot * 8 + 12] : [slot * 8 + 4]) code.fill(0, start, start + 4)
  }
  return { ours: lines(code), theirs: lines(theirs) }
}

function lines(code: Uint8Array): string[] {
  let slot = 0
  return decode(code).map((instruction) => {
    const at = slot
    slot += slotsOf(instruction)
    return `${at}: ${Buffer.from(code.subarray(at * 8, slot * 8)).toString('hex')} ${print(instruction)}`
  })
}

/** Everything that libbpf tells of an object, and the same of ours. */
function compared(path: string, bytes: Uint8Array, name: string): { ours: unknown; theirs: unknown } {
  const loaded = loadWithLibbpf(path)
  const spec = readObject(bytes, { name })
  const loadable = spec.programs.filter(({ autoload }) => autoload !== false).map((program) => [program.name, finished(spec,
    program, loaded)] as const)
  const sections = spec.programs.map(({ name: program, type, attachType, section }) =>
    [program, [ProgramType[type], attachType === undefined ? 0 : AttachType[attachType], section!.replace(/^\?/, '')]])
  const maps = spec.maps.map(({ name: map, type, keySize, valueSize, maxEntries, flags }) =>
    [libbpfMap(loaded.definitions, map), [MapType[type], keySize, valueSize, maxEntries, flags]])
  return {
    ours: {
      result: 0, messages: '', sections: Object.fromEntries(sections), maps: Object.fromEntries(maps),
      code: Object.fromEntries(loadable.map(([program, { ours }]) => [program, ours])),
    },
    theirs: {
      result: loaded.result, messages: loaded.messages, sections: Object.fromEntries(loaded.sections),
        maps: Object.fromEntries(loaded.definitions),
      code: Object.fromEntries(loadable.map(([program, { theirs }]) => [program, theirs])),
    },
  }
}

const bpftool = ['/usr/sbin/bpftool', '/usr/bin/bpftool', '/sbin/bpftool'].find((path) => existsSync(path))

const features = 'clang with bpf target, libbpf-dev, root, BTF'
describe.runIf(comparable && clangs.length > 0).each(clangsOrNone)(`the same as libbpf, compiled by %s (features: ${features})`, (compiler) => {
  // Instructions of v4 (sign extension, gotol) need a clang of 18 or later.
  const versions = Number(/\d+$/.exec(compiler)?.[0] ?? 0) >= 18 ? ['v3', 'v4'] : ['v3']
  const all = versions.flatMap((version) => ['core', 'linking', 'maps', 'externs'].map((name) => [name, version] as const))
  test.each(all)('%s.bpf.c, instructions of %s', (name, version) => {
    const { path, bytes } = compileObject(name, { compiler, flags: [`-mcpu=${version}`] })
    const { ours, theirs } = compared(path, bytes, name)
    expect(ours).toEqual(theirs)
  })

  test.runIf(bpftool !== undefined)('objects joined by bpftool gen object (feature: bpftool)', () => {
    const path = store(`joined.${compiler}.bpf.o`, new Uint8Array())
    execFileSync(bpftool!, ['gen', 'object', path, ...['core', 'maps', 'externs'].map((name) => compileObject(name,
      { compiler }).path)])
    const { ours, theirs } = compared(path, readFileSync(path), 'joined')
    expect(ours).toEqual(theirs)
  })
})
