import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'

/* Makes objects from the C sources beside this file, when tests run. skep itself needs none of these tools. */

const source = (name: string) => fileURLToPath(new URL(`./${name}`, import.meta.url))
const headers = ['x86_64', 'aarch64'].map((machine) => `/usr/include/${machine}-linux-gnu`)
  .filter((path) => existsSync(path)).map((path) => `-I${path}`)
const directory = mkdtempSync(join(tmpdir(), 'skep-objects-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** The newest clang that compiles for BPF with libbpf's headers; undefined: tests skip "clang with bpf target, libbpf-dev". */
export const clang = ['22', '21', '20', '19', '18', '17', '16', '15', '14'].map((version) => `clang-${version}`).concat('clang')
  .find(compilesForBpf)

/** The oldest and the newest clang that are here: objects differ from one to the next. */
export const clangs = ['clang-14', 'clang-15', 'clang-16', 'clang-19', 'clang-20', 'clang-21', 'clang-22'].filter(compilesForBpf)
  .filter((_name, index, all) => index === 0 || index === all.length - 1)

/** The same, with a stand-in where there is none, so that tests are skipped by name and not left out. */
export const clangsOrNone = clangs.length > 0 ? clangs : ['no clang']

function compilesForBpf(name: string): boolean {
  const compiled = attempt(() => compileWith(name, ['-O2'], 'int x;', 'probe.o'))
  return compiled !== undefined && existsSync('/usr/include/bpf/bpf_helpers.h')
}

export interface CompiledObject { path: string; bytes: Uint8Array }

/** Compiles `NAME.bpf.c` of this folder. */
export function compileObject(name: string, { compiler = clang!, flags = [] as string[] } = {}): CompiledObject {
  const path = join(directory, `${name}.${compiler}${flags.join('')}.bpf.o`.replaceAll('=', '-'))
  if (!existsSync(path)) {
    const options = ['-target', 'bpf', '-g', '-O2', '-mcpu=v3', ...headers, ...flags]
    execFileSync(compiler, [...options, '-c', source(`${name}.bpf.c`), '-o', path], { stdio: 'pipe' })
  }
  return { path, bytes: readFileSync(path) }
}

/** Compiles C text without debug information or headers. */
export function compileText(text: string, flags: string[] = ['-O2']): CompiledObject {
  return compileWith(clang!, flags, text, `text${text.length}.${flags.join('')}.o`)
}

/** Writes bytes where libbpf and bpftool can open them. */
export function store(name: string, bytes: Uint8Array): string {
  const path = join(directory, name)
  writeFileSync(path, bytes)
  return path
}

function compileWith(compiler: string, flags: string[], text: string, name: string): CompiledObject {
  const path = join(directory, name)
  const options = ['-target', 'bpf', ...headers, ...flags, '-x', 'c']
  execFileSync(compiler, [...options, '-c', '-', '-o', path], { input: text, stdio: 'pipe' })
  return { path, bytes: readFileSync(path) }
}

const dumper = attempt(() => {
  const path = join(directory, 'libbpf-instructions')
  execFileSync('cc', ['-O1', '-o', path, source('libbpf-instructions.c'), '-lbpf', '-lelf', '-lz'], { stdio: 'pipe' })
  return path
})

/** Whether libbpf can be asked: cc and libbpf-dev are here, and it may load programs. */
export const libbpf = dumper !== undefined && process.getuid?.() === 0

export interface LoadedByLibbpf {
  /** 0, or the negated errno of loading. */
  result: number
  /** Type, sizes, entries and flags, before loading. */
  definitions: Map<string, number[]>
  /** Program type, expected attach type. */
  sections: Map<string, [number, number, string]>
  /** Descriptors of maps, in libbpf's process. */
  maps: Map<string, number>
  /** Instructions after relocation. */
  programs: Map<string, Uint8Array>
  messages: string
}

/** What libbpf makes of an object, for this kernel or for the types in a file. It is loaded for a moment; nothing is attached. */
export function loadWithLibbpf(path: string, types: string[] = []): LoadedByLibbpf {
  const loaded: LoadedByLibbpf = {
    result: NaN, definitions: new Map(), sections: new Map(), maps: new Map(), programs: new Map(), messages: '',
  }
  const script = '"$0" "$@" 2>&1 || true'
  const output = execFileSync('/bin/sh', ['-c', script, dumper!, path, ...types], { encoding: 'utf8', maxBuffer: 1 << 26 })
  for (const line of output.split('\n')) {
    const [word, name, ...rest] = line.split(' ')
    if (word === 'definition') loaded.definitions.set(name!, rest.map(Number))
    else if (word === 'section') loaded.sections.set(name!, [Number(rest[0]), Number(rest[1]), rest[2]!])
    else if (word === 'loaded') loaded.result = Number(name)
    else if (word === 'map') loaded.maps.set(name!, Number(rest[0]))
    else if (word === 'program') loaded.programs.set(name!, Uint8Array.from(Buffer.from(rest[0] ?? '', 'hex')))
    else if (line !== '') loaded.messages += `${line}\n`
  }
  return loaded
}

function attempt<T>(make: () => T): T | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}
