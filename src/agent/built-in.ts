import { setImmediate as breathe } from 'node:timers/promises'
import { kernelBtf } from '../bpf/kernel-btf.ts'
import { compileModule } from '../compiler/compile.ts'
import { catalogue } from '../probes/catalogue.ts'
import { LoadedProbe } from './loaded-probe.ts'
import type { SpecCache } from './spec-cache.ts'

/** Loads the built-in probes one after the other and lets the event loop run in between. */
export async function* loadBuiltIn(cache: SpecCache | null = null): AsyncGenerator<LoadedProbe> {
  for (const module of Object.values(catalogue)) {
    const { name } = module.probe
    const compile = () => compileModule(module, { btf: kernelBtf(), name })
    yield LoadedProbe.load(module.probe, () => cache === null ? compile() : cache.compiled(name, module, compile))
    await breathe()
  }
}
