import { setImmediate as breathe } from 'node:timers/promises'
import { kernelBtf } from '../bpf/kernel-btf.ts'
import { compileModule } from '../compiler/compile.ts'
import { catalogue } from '../probes/catalogue.ts'
import { LoadedProbe } from './loaded-probe.ts'

/** Loads the built-in probes one after the other and lets the event loop run in between. */
export async function* loadBuiltIn(): AsyncGenerator<LoadedProbe> {
  for (const module of Object.values(catalogue)) {
    yield LoadedProbe.load(module.probe, () => compileModule(module, { btf: kernelBtf(), name: module.probe.name }))
    await breathe()
  }
}
