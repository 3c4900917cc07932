import { describe, expect, test } from 'vitest'
import { Btf } from '../../btf/btf.ts'
import { decode, print } from '../../asm/asm.ts'
import { relocate, RelocationError } from '../relocate.ts'
import { readObject } from './read.ts'
import { cText, randomModel, targetTypes, type Random } from './testing/random-types.ts'
import { clang, compileText, libbpf, loadWithLibbpf, store } from './testing/toolchain.ts'

function random(seed: number): Random {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ state >>> 15, 1 | state)
    mixed = (mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed)) ^ mixed
    return Math.floor(((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32 * below)
  }
}

const seeds = Array.from({ length: Number(process.env.SKEP_RANDOM_OBJECTS ?? 12) }, (_, index) => index + 1)

/**
 * Random structs are compiled, and relocated for random other layouts of them: by libbpf, which takes the layout from a file,
 * and by us. Either both refuse, or the instructions are the same. Whether the program would load does not matter.
 */
const features = 'clang with bpf target, libbpf-dev, root'
describe.runIf(clang !== undefined && libbpf)(`random layouts, as libbpf relocates them (features: ${features})`, () => {
  test.each(seeds)('seed %i', (seed) => {
    const next = random(seed)
    const model = randomModel(next)
    const { path, bytes } = compileText(cText(model, next, 14), ['-O2', '-g', '-mcpu=v3', `-DSEED=${seed}`])
    const spec = readObject(bytes)
    const local = Btf.parse(spec.btf!)
    for (let layout = 0; layout < 4; layout++) {
      const types = targetTypes(model, next)
      const theirs = loadWithLibbpf(path, [store(`layout.${seed}.${layout}.btf`, types)])
      const refused = /failed to perform CO-RE relocations|relocation decision ambiguity|failed to relocate/.test(theirs.messages)
      let ours: string[] | string
      try {
        ours = text(relocate(spec.programs[0]!, local, Btf.parse(types)), spec.programs[0]!.maps.map(({ slot }) => slot))
      } catch (error) {
        if (!(error instanceof RelocationError)) throw error
        ours = 'refused'
      }
      const expected = refused ? 'refused' : text(theirs.programs.get('touch')!, spec.programs[0]!.maps.map(({ slot }) => slot))
      expect({ seed, layout, result: ours }).toEqual({ seed, layout, result: expected })
    }
  }, 60_000)
})

/** With the loads of the map's address blanked, which differ by descriptor. */
function text(code: Uint8Array, maps: number[]): string[] {
  const blanked = new Uint8Array(code)
  for (const slot of maps) blanked.fill(0, slot * 8 + 4, slot * 8 + 8)
  return decode(blanked).map((instruction) => `${instruction.code} ${print(instruction)}`)
}
