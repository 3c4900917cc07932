import { features, has } from '../../bpf/features.ts'
import { VerifierError } from '../../bpf/load-error.ts'
import type { Btf } from '../../btf/btf.ts'
import { emitFunction, type BackendOptions } from '../backend/emit.ts'
import { encodeInstructions, runBytecode } from '../backend/bytecode-oracle.ts'
import { compileModule } from '../compile.ts'
import { ErrorList } from '../errors.ts'
import { interpret } from '../ir/interpret.ts'
import type { IrFunction } from '../ir/ir.ts'
import { validate } from '../ir/validate.ts'
import { MapDeclaration, RingDeclaration } from '../language/maps.ts'
import { ProgramDeclaration } from '../language/programs.ts'
import { LocalTypes } from '../lower/local-types.ts'
import type { CompileContext, TargetFeatures } from '../lower/lowering.ts'
import { nameMap } from '../lower/map-address.ts'
import { lowerProgram } from '../lower/program.ts'
import { optimise } from '../passes/optimise.ts'
import { runInKernel } from './running-kernel.ts'
import { SimulatedKernel, type Contents, type Outcome } from './simulated-kernel.ts'
import { smallKernel } from './small-kernel.ts'

/** BPF_PROG_TEST_RUN of raw tracepoints; the feature that tests name when they leave the kernel out. */
export const kernelRuns = process.platform === 'linux' && has(features.rawTracepoint)

export interface RunOptions {
  btf?: Btf
  before?: Contents
  /** Maps kernel objects into the simulated memory and gives the context; without it, and for programs of other kinds, the kernel is left out. */
  contexts?: (kernel: SimulatedKernel) => readonly (readonly bigint[])[]
  features?: TargetFeatures
  /** Random programs may have more paths than the verifier walks; then the kernel is left out. */
  mayBeTooLarge?: boolean
  isas?: readonly BackendOptions['isa'][]
}

/**
 * What a module's one program leaves behind, run once for each context: as IR before and after the passes, as
 * bytecode of each instruction set, and in the running kernel where it grants raw tracepoints.
 */
export function runEverywhere(module: Record<string, unknown>, contexts: readonly (readonly bigint[])[], options: RunOptions = {}): Record<string, Outcome> {
  const btf = options.btf ?? smallKernel()
  const isas = options.isas ?? [1, 2, 3, 4]
  const outcomes: Record<string, Outcome> = {}
  const simulate = (name: string, context: CompileContext, run: (kernel: SimulatedKernel, words: readonly bigint[]) => void) => {
    const kernel = new SimulatedKernel(context.maps, options.before)
    for (const words of options.contexts?.(kernel) ?? contexts) run(kernel, words)
    outcomes[name] = kernel.outcome()
  }
  const { ir, context } = lower(module, btf, options.features)
  simulate('IR as lowered', context, (kernel, words) => void interpret(ir, kernel.environment(words)))
  optimise(ir, () => validate(ir))
  simulate('IR optimised', context, (kernel, words) => void interpret(ir, kernel.environment(words)))
  for (const isa of isas) {
    const emitted = emitFunction(ir, { isa })
    simulate(`bytecode v${isa}`, context, (kernel, words) => {
      const maps = new Map(emitted.maps.map(({ slot, map }) => [slot, kernel.handleOf(map)]))
      let slot = 0
      const patched = emitted.instructions.map((instruction) => {
        const handle = maps.get(slot)
        slot += instruction.code === 0x18 ? 2 : 1
        return handle === undefined ? instruction : { ...instruction, imm64: handle }
      })
      runBytecode(encodeInstructions(patched), kernel.environment(words))
    })
  }
  if (kernelRuns && options.contexts === undefined) {
    try {
      const compiled = compileModule(module, { btf, name: 'test', validate: true, ...(options.features && { features: options.features }) })
      outcomes['kernel'] = runInKernel(compiled, contexts, options.before)
    } catch (error) {
      if (options.mayBeTooLarge !== true || !(error instanceof VerifierError) || !error.message.includes('too large')) throw error
    }
  }
  return outcomes
}

function lower(module: Record<string, unknown>, btf: Btf, features: TargetFeatures | undefined): { ir: IrFunction; context: CompileContext } {
  const context: CompileContext = { btf, localTypes: new LocalTypes(btf), maps: new Map(), mapNames: new Map(), errors: new ErrorList(), features, tracepointFormat: undefined }
  for (const [name, value] of Object.entries(module)) {
    if (value instanceof MapDeclaration || value instanceof RingDeclaration) nameMap(context, value, name)
  }
  const [name, declaration] = Object.entries(module).find((entry): entry is [string, ProgramDeclaration] => entry[1] instanceof ProgramDeclaration)!
  const ir = lowerProgram(name, declaration, context)
  context.errors.throwIfAny()
  validate(ir)
  return { ir, context }
}
