import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Compiled } from '../compiler/compile.ts'
import { MapDeclaration, RingDeclaration } from '../compiler/language/maps.ts'
import type { Spec } from '../spec/spec.ts'

type Declaration = MapDeclaration | RingDeclaration
type ProbeModule = Record<string, unknown>

const prefix = 'built-in-'

/**
 * Specs of the built-in probes as they were compiled for this very kernel by this very program, kept between starts: compiling
 * is most of the time that a start takes. The name of the file is a hash of the program and of the kernel's build, so a file
 * that is there is the right one. What is cached is only what compiling gives again: the same Spec, relocations included.
 */
export class SpecCache {
  private readonly path: string
  private readonly folder: string
  private readonly specs: Map<string, Spec>
  private changed = false

  /** The cache for a program in a folder that nobody else can write to; null where the program or the kernel has no identity. */
  static open(folder: string, programPath: string): SpecCache | null {
    const identity = identityOf(programPath)
    return identity === null ? null : new SpecCache(folder, identity)
  }

  constructor(folder: string, identity: string) {
    this.folder = folder
    this.path = join(folder, `${prefix}${identity}.json`)
    this.specs = read(this.path)
  }

  /** What `compile` gives for the module, from the cache if it is there. */
  compiled(name: string, module: ProbeModule, compile: () => Compiled): Compiled {
    const known = this.specs.get(name)
    if (known !== undefined) return { spec: known, spans: new Map(), maps: mapsOf(known, module) }
    const fresh = compile()
    const again = mapsOf(fresh.spec, module)
    const reachable = new Set(declarations(module).values())
    // A map that got another name than its declaration says could not be found again.
    if ([...fresh.maps].every(([map, declaration]) => !reachable.has(declaration) || again.get(map) === declaration)) {
      this.specs.set(name, fresh.spec)
      this.changed = true
    }
    return fresh
  }

  /** Writes what is new, and removes files of other programs and kernels. A disk that refuses costs the next start its time, no more. */
  save(): void {
    if (!this.changed) return
    this.changed = false
    const text = JSON.stringify(Object.fromEntries(this.specs), (_key, value: unknown) => value instanceof Uint8Array ? { base64: Buffer.from(value).toString('base64') } : value)
    const staging = `${this.path}.${process.pid}`
    try {
      writeFileSync(staging, text, { mode: 0o600 })
      renameSync(staging, this.path)
      for (const name of readdirSync(this.folder)) {
        const path = join(this.folder, name)
        if (name.startsWith(prefix) && path !== this.path) rmSync(path, { force: true })
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error
    }
  }
}

function read(path: string): Map<string, Spec> {
  try {
    const text = readFileSync(path, 'utf8')
    const value: unknown = JSON.parse(text, (_key, part: unknown) => {
      const base64 = typeof part === 'object' && part !== null ? (part as { base64?: unknown }).base64 : undefined
      return typeof base64 === 'string' ? new Uint8Array(Buffer.from(base64, 'base64')) : part
    })
    return new Map(Object.entries(value as Record<string, Spec>))
  } catch (error) {
    // Not there yet, or cut off by a full disk: compiling makes it anew.
    if ((error as NodeJS.ErrnoException).code !== undefined || error instanceof SyntaxError) return new Map()
    throw error
  }
}

/** The maps of a Spec that the module's exports declare, by their names in the Spec. */
function mapsOf(spec: Spec, module: ProbeModule): Map<string, Declaration> {
  const declared = declarations(module)
  return new Map(spec.maps.flatMap(({ name }) => {
    const declaration = declared.get(name)
    return declaration === undefined ? [] : [[name, declaration] as const]
  }))
}

/** Maps and rings among a module's exports and in its signals, by the name that the compiler gives them. */
function declarations(module: ProbeModule): Map<string, Declaration> {
  const found = new Map<string, Declaration>()
  const add = (value: unknown, name: string) => {
    if (value instanceof MapDeclaration || value instanceof RingDeclaration) found.set(value.name ?? name, value)
  }
  for (const [name, value] of Object.entries(module)) {
    add(value, name)
    if (typeof value !== 'object' || value === null) continue
    for (const part of ['map', 'lost', 'ring'] as const) add((value as Record<string, unknown>)[part], name)
  }
  return found
}

/** Program and kernel in one hash: the bytes of the one and the build id and version of the other (ELF notes of vmlinux). */
function identityOf(programPath: string): string | null {
  try {
    const hash = createHash('sha256')
    for (const path of [programPath, '/sys/kernel/notes', '/proc/version']) hash.update(readFileSync(path)).update('\0')
    return hash.digest('hex').slice(0, 32)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
    return null
  }
}
