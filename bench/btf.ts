import { readFileSync } from 'node:fs'
import { Btf } from '../src/btf/btf.ts'
import { compileModule } from '../src/compiler/compile.ts'
import { catalogue } from '../src/probes/catalogue.ts'
import { inChild } from './child.ts'
import type { Options } from './measurements.ts'
import { interleave, type Sample } from './rounds.ts'
import { resultOf, type Result } from './table.ts'

const path = '/sys/kernel/btf/vmlinux'

/** The types that the built-in probes look for: the prototypes of their hooks, and the structs that their relocations begin at. */
function wantedNames(): { typedefs: string[]; structs: string[] } {
  const btf = Btf.parse(readFileSync(path))
  const typedefs = new Set<string>()
  const structs = new Set<string>()
  for (const module of Object.values(catalogue)) {
    const { spec } = compileModule(module, { btf, name: module.probe.name })
    const local = Btf.parse(spec.btf!)
    for (const program of spec.programs) {
      typedefs.add(`btf_trace_${program.attach.name}`)
      for (const { type } of program.relocations) structs.add(local.nameOf(type))
    }
  }
  return { typedefs: [...typedefs], structs: [...structs] }
}

/** Lazy: parse, and what is needed becomes objects. Eager: every type becomes an object, and a map holds the names. */
export function btfChild([how, wanted]: string[]): void {
  const { typedefs, structs } = JSON.parse(wanted!) as ReturnType<typeof wantedNames>
  const bytes = readFileSync(path)
  const before = process.memoryUsage()
  const started = performance.now()
  const cpu = process.cpuUsage()
  const btf = Btf.parse(bytes)
  const parsed = performance.now() - started
  let found = 0
  if (how === 'lazy') {
    for (const name of typedefs) found += Number(btf.type(btf.find(name, 'typedef')).kind === 'typedef')
    for (const name of structs) for (const id of btf.findFlavours(name, 'struct')) found += Number(btf.type(id).kind === 'struct')
  } else {
    const byName = new Map<string, number[]>()
    for (let id = 1; id < btf.typeCount; id++) {
      const type = btf.type(id)
      const name = 'name' in type ? type.name : ''
      const known = byName.get(name)
      if (known === undefined) byName.set(name, [id])
      else known.push(id)
    }
    for (const name of [...typedefs, ...structs]) found += Number((byName.get(name) ?? []).some((id) => ['typedef', 'struct'].includes(btf.kindOf(id))))
  }
  const ms = performance.now() - started
  const used = process.cpuUsage(cpu)
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage()
  const mb = (rss - before.rss) / 2 ** 20
  process.stdout.write(JSON.stringify({ ms, parsed, cpuMs: (used.user + used.system) / 1000, mb, heapMb: (heapUsed + external + arrayBuffers - before.heapUsed - before.external - before.arrayBuffers) / 2 ** 20, found }))
}

export async function btf({ quick }: Options): Promise<Result[]> {
  const wanted = wantedNames()
  const names = JSON.stringify(wanted)
  const count = wanted.typedefs.length + wanted.structs.length
  const child = (how: string) => async () => {
    const { found, ...sample } = await inChild<Sample>('btf', how, names)
    if (found! < count) throw new Error(`btf: ${how} found ${found} of ${count} types`)
    return sample
  }
  const series = await interleave([{ name: 'lazy', run: child('lazy') }, { name: 'eager', run: child('eager') }], quick ? 4 : 15)
  const types = Btf.parse(readFileSync(path)).typeCount
  return [resultOf('btf', `${types} types of vmlinux, and ${count} look-ups`, series, [
    { key: 'ms', title: 'wall, ms', peers: ['eager'] },
    { key: 'cpuMs', title: 'CPU, ms', peers: ['eager'] },
    { key: 'mb', title: 'resident, MiB', peers: ['eager'] },
  ], ['Each in a fresh process, without reading the file: code that has never run before, as at the start of skep.'])]
}
