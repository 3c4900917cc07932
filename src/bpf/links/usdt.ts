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
  /** The map __bpf_usdt_specs of a program that includes libbpf's usdt.bpf.h: the arguments' places are put into it. */
  specs?: BpfMap
  /** The next free entry of `specs`, where several probes share it. */
  firstSpec?: number
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
  // Places with the same arguments share an entry.
  const entries = new Map<string, number>()
  try {
    for (const probe of probes) {
      let cookie = options.cookie
      if (options.specs !== undefined) {
        const spec = encodeUsdtSpec(probe, options.cookie ?? 0n)
        const text = Buffer.from(spec).toString('latin1')
        let entry = entries.get(text)
        if (entry === undefined) {
          entry = (options.firstSpec ?? 0) + entries.size
          options.specs.setRaw(new Uint8Array(new Uint32Array([entry]).buffer), spec)
          entries.set(text, entry)
        }
        cookie = BigInt(entry)
      }
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
