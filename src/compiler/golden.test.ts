import { describe, expect, test } from 'vitest'
import { decode } from '../asm/decode.ts'
import { Collection } from '../bpf/collection.ts'
import { features, has } from '../bpf/features.ts'
import { kernelBtf } from '../bpf/kernel-btf.ts'
import { catalogue } from '../probes/catalogue.ts'
import { recordOf } from './capture/kernel-function.ts'
import { compileModule } from './compile.ts'
import { ProgramDeclaration } from './language/programs.ts'
import * as constructs from './testing/constructs.ts'
import { printCode } from './testing/print-code.ts'
import { smallKernel } from './testing/small-kernel.ts'

/**
 * Golden files: source → IR → instructions → what the kernel says, against a made-up kernel whose offsets never change.
 * `npx vitest run src/compiler/golden.test.ts -u` writes them anew; read the difference.
 */
const programs: [string, Record<string, unknown>][] = [
  ...Object.entries(constructs).map(([name, program]): [string, Record<string, unknown>] => [name, { [name]: program }]),
  ...Object.entries(catalogue).map(([name, module]): [string, Record<string, unknown>] => [`probe-${name}`, module]),
]

describe('golden files', () => {
  for (const [name, module] of programs) {
    test(`${name}`, async () => {
      await expect(golden(name, module)).toMatchFileSnapshot(`testing/golden/${name}.txt`)
    })
  }
})

describe.runIf(has(features.kernelBtf) && has(features.tpBtf))('the running kernel (features: BTF, tp_btf) accepts', () => {
  for (const [name, module] of programs) {
    test(`${name}`, () => {
      const { spec } = compileModule(module, { btf: hooksOf(module).every(isReal) ? kernelBtf() : smallKernel(), name, validate: true })
      const collection = Collection.load(spec)
      try {
        expect(collection.failures).toEqual(new Map())
        expect(collection.mapFailures).toEqual(new Map())
        expect(collection.btfFailure).toBeUndefined()
        expect([...collection.programs.keys()]).toEqual(spec.programs.map((program) => program.name))
      } finally {
        collection.close()
      }
    })
  }
})

function hooksOf(module: Record<string, unknown>): string[] {
  return Object.values(module).flatMap((value) => (value instanceof ProgramDeclaration ? [value.attach.name] : []))
}

function isReal(hook: string): boolean {
  return kernelBtf().find(`btf_trace_${hook}`, 'typedef') !== 0
}

function golden(name: string, module: Record<string, unknown>): string {
  const ir = new Map<string, string>()
  const { spec } = compileModule(module, {
    btf: smallKernel(), name, validate: true, print: (program, step, text) => { if (step === 'final') ir.set(program, text) },
  })
  return spec.programs.map((program) => {
    const fn = recordOf((module[program.name] as ProgramDeclaration).fn)!
    const { attach, code, maps, relocations } = program
    return [
      `== ${program.name}: ${attach.kind} ${attach.name}, ${code.length / 8} slots`, fn.source,
      '', `-- IR`, ir.get(program.name)!.trimEnd(),
      '', `-- code`, printCode(decode(code)),
      ...(maps.length === 0 ? [] : ['', `-- maps: ${maps.map(({ slot, map }) => `${slot} ${map}`).join(', ')}`]),
      ...(relocations.length === 0 ? [] : ['', `-- relocations: ${relocations.map(({ slot, type, access }) => `${slot} [${type}] ${access}`).join(', ')}`]),
      '',
    ].join('\n')
  }).join('\n')
}
