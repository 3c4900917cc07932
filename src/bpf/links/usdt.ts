import type { AttachTarget } from '../../spec/spec.ts'
import type { AttachOptions } from '../attach.ts'
import { Executable, ExecutableError, findExecutable } from '../executable.ts'
import { linkGroup } from '../link.ts'
import type { Link } from '../link.ts'
import type { BpfMap } from '../map.ts'
import type { Program } from '../program.ts'
import { encodeUsdtSpec, usdtProbes } from '../usdt.ts'
import { attachUprobeAt } from './uprobe.ts'

type Usdt = AttachTarget & { kind: 'usdt' }

export interface UsdtOptions extends AttachOptions {
  /** For programs that include libbpf's usdt.bpf.h; Collection.attach gives it by itself. */
  specs?: UsdtSpecs
}

/** The map `__bpf_usdt_specs` of an object: where the arguments of each attached probe are. Its programs share it. */
export class UsdtSpecs {
  readonly map: BpfMap
  readonly #entries = new Map<string, number>()

  constructor(map: BpfMap) {
    this.map = map
  }

  /** The entry that holds `spec`; places with the same arguments share one. @throws SysError (E2BIG) when all entries are used */
  entryOf(spec: Uint8Array): number {
    const text = Buffer.from(spec).toString('latin1')
    let entry = this.#entries.get(text)
    if (entry === undefined) {
      entry = this.#entries.size
      this.map.setRaw(new Uint8Array(new Uint32Array([entry]).buffer), spec)
      this.#entries.set(text, entry)
    }
    return entry
  }
}

/**
 * A static probe at every place that it has in a file; its semaphore is held up (4.20). Without `specs` the program reads the
 * arguments from the registers itself (usdtProbes tells where they are), and gets `cookie`.
 * @throws ExecutableError if the file has no such probe
 */
export function attachUsdt(program: Program, target: Usdt, options: UsdtOptions = {}): Link {
  const path = findExecutable(target.path, options.pid)
  const probes = usdtProbes(Executable.open(path)).filter(({ provider, name }) => provider === target.provider && name === target.name)
  if (probes.length === 0) throw new ExecutableError(path, `has no static probe ${target.provider}:${target.name}`)
  const links: Link[] = []
  try {
    for (const probe of probes) {
      const cookie = options.specs === undefined
        ? options.cookie : BigInt(options.specs.entryOf(encodeUsdtSpec(probe, options.cookie ?? 0n)))
      links.push(attachUprobeAt(program, target, {
        ...options, path, offset: probe.offset, semaphore: probe.semaphore, return: false, ...(cookie === undefined ? {} : { cookie }),
      }))
    }
  } catch (error) {
    for (const link of links) link.close()
    throw error
  }
  return linkGroup(target, links)
}
