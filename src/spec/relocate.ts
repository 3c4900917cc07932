import { BtfError, type Btf } from '../btf/btf.ts'
import { essentialName } from '../btf/flavours.ts'
import { parseAccess, subjectOf, type CoreAccess } from './core/access.ts'
import { describeRelocation } from './core/describe.ts'
import { CoreProblem, RelocationError } from './core/error.ts'
import { matchAccess } from './core/match.ts'
import { patchInstruction, poison, type Patch } from './core/patch.ts'
import { valueOf, type CoreValue } from './core/value.ts'
import type { CoreRelocation, ProgramSpec } from './spec.ts'

export { RelocationError } from './core/error.ts'
export { POISON_HELPER } from './core/patch.ts'

/** An instruction that the verifier refuses if the program can reach it: a call of helper 0xbad2310. */
export interface PoisonedInstruction {
  slot: number
  /** What the kernel lacks: `struct task_struct.foo (0:3)`. */
  spec: string
  /** Why, to follow the spec in a sentence. */
  reason: string
}

export interface Relocated { code: Uint8Array; poisoned: PoisonedInstruction[] }

/** Programs whose code can be relocated; a ProgramSpec is one. */
export type Relocatable = Pick<ProgramSpec, 'name' | 'code' | 'relocations'>

interface Candidate { btf: Btf; type: number }
interface Decision { patch: Patch | undefined; reason: string }

/**
 * Relocates the programs of one Spec for one kernel (CO-RE), with the results of libbpf. Candidates are looked for once
 * for each type that a Spec's relocations start from, by name without flavour and by kind; those that turn out not to have
 * a field are left out from then on, so that all relocations of one type agree on the same candidates.
 */
export class Relocator {
  readonly #local: Btf
  readonly #target: Btf
  readonly #modules: () => Iterable<Btf>
  readonly #candidates = new Map<number, Candidate[]>()

  /**
   * @param local the Spec's own types
   * @param target the types of the kernel
   * @param modules types of kernel modules, asked only for what the kernel itself lacks
   */
  constructor(local: Btf, target: Btf, modules: () => Iterable<Btf> = () => []) {
    this.#local = local
    this.#target = target
    this.#modules = modules
  }

  /**
   * A copy of the program's code with all relocations applied, and what could not be: those instructions are poisoned.
   * @throws RelocationError when candidates disagree, types are malformed, or an instruction is not as compiled
   */
  relocate(program: Relocatable): Relocated {
    const code = new Uint8Array(program.code)
    const view = new DataView(code.buffer)
    const poisoned: PoisonedInstruction[] = []
    for (const relocation of program.relocations) {
      const { slot } = relocation
      try {
        const within = Number.isInteger(slot) && slot >= 0 && slot * 8 + 8 <= code.length
        if (!within) throw new CoreProblem('the program has no such instruction')
        const { patch, reason } = this.#decide(relocation)
        const failed = patch === undefined ? reason : patchInstruction(view, slot, patch)
        if (patch === undefined) poison(view, slot)
        if (failed !== undefined) poisoned.push({ slot, spec: describeRelocation(this.#local, relocation), reason: failed })
      } catch (error) {
        if (!(error instanceof CoreProblem) && !(error instanceof BtfError)) throw error
        throw new RelocationError(program.name, slot, describeRelocation(this.#local, relocation), error.message)
      }
    }
    return { code, poisoned }
  }

  #decide({ kind, type, access }: CoreRelocation): Decision {
    const local = parseAccess(this.#local, type, access, kind)
    if (kind === 'typeIdLocal') return decision(local, valueOf(kind, local)!, local, valueOf(kind, local))
    const all = this.#candidatesOf(type)
    let found: { access: CoreAccess; decision: Decision } | undefined
    const compiled = valueOf(kind, local)!
    const fitting: Candidate[] = []
    for (const candidate of all) {
      const target = matchAccess(local, candidate.btf, candidate.type, kind)
      if (target === undefined) continue
      const decided = decision(local, compiled, target, valueOf(kind, target))
      fitting.push(candidate)
      if (found === undefined) found = { access: target, decision: decided }
      else requireSame(found, target, decided)
    }
    if (found === undefined) return absent(kind, local, compiled, all.length)
    this.#candidates.set(type, fitting)
    return found.decision
  }

  #candidatesOf(type: number): Candidate[] {
    let known = this.#candidates.get(type)
    if (known === undefined) this.#candidates.set(type, (known = this.#find(type)))
    return known
  }

  #find(type: number): Candidate[] {
    const name = this.#local.nameOf(type)
    if (name === '') throw new CoreProblem('a type without a name cannot be looked for in the kernel: name it')
    const kind = this.#local.kindOf(type)
    const kinds = kind === 'enum' || kind === 'enum64' ? ['enum', 'enum64'] as const : [kind]
    const within = (btf: Btf) => btf.findFlavours(essentialName(name), ...kinds).map((found) => ({ btf, type: found }))
    const own = within(this.#target)
    if (own.length > 0) return own
    const inModules: Candidate[] = []
    for (const module of this.#modules()) inModules.push(...within(module))
    return inModules
  }
}

/** Nothing in the target fits: existence is 0, a size is 0, all else must not run. */
function absent(kind: CoreRelocation['kind'], local: CoreAccess, compiled: CoreValue, candidates: number): Decision {
  const missing = valueOf(kind, undefined)
  if (missing !== undefined) return decision(local, compiled, local, missing)
  const what = subjectOf(kind) === 'field' ? 'field' : 'value'
  return { patch: undefined, reason: candidates === 0 ? 'the kernel has no such type' : `the kernel's type has no such ${what}` }
}

function decision(local: CoreAccess, before: CoreValue, target: CoreAccess, after: CoreValue | undefined): Decision {
  if (after === undefined) return { patch: undefined, reason: 'the kernel lacks it' }
  return {
    reason: '',
    patch: {
      before: before.value, after: after.value, validate: before.validate, sizeBefore: before.size, sizeAfter: after.size,
      wrongSize: before.size !== after.size && !mayChangeSize(local.btf, before.type, target.btf, after.type),
    },
  }
}

/** Pointers and unsigned integers are extended with zeros, so that a load of another width gives the same value. */
function mayChangeSize(localBtf: Btf, localType: number, btf: Btf, type: number): boolean {
  const local = localBtf.type(localBtf.resolve(localType))
  const target = btf.type(btf.resolve(type))
  if (local.kind === 'ptr' && target.kind === 'ptr') return true
  const signed = (int: { signed: boolean; char: boolean; bool: boolean }) => int.signed && !int.char && !int.bool
  return local.kind === 'int' && target.kind === 'int' && !signed(local) && !signed(target)
}

function requireSame(first: { access: CoreAccess; decision: Decision }, access: CoreAccess, decided: Decision): void {
  const one = first.decision.patch
  const other = decided.patch
  const where = () => `types ${first.access.root} and ${access.root} of the kernel both fit`
  if (first.access.bitOffset !== access.bitOffset) {
    throw new CoreProblem(`ambiguous: ${where()}, with the field at bits ${first.access.bitOffset} and ${access.bitOffset}`)
  }
  if (one?.after !== other?.after) {
    throw new CoreProblem(`ambiguous: ${where()}, with the values ${one?.after} and ${other?.after}`)
  }
}

/** Relocators by the pair of BTFs, so that the programs of a Spec share what was found for one of them. */
const relocators = new WeakMap<Btf, WeakMap<Btf, Relocator>>()

/** The relocator that the programs with these types share. */
export function relocatorFor(local: Btf, target: Btf): Relocator {
  let ofLocal = relocators.get(local)
  if (ofLocal === undefined) relocators.set(local, (ofLocal = new WeakMap()))
  let relocator = ofLocal.get(target)
  if (relocator === undefined) ofLocal.set(target, (relocator = new Relocator(local, target)))
  return relocator
}

/**
 * A copy of the program's code with all CO-RE relocations applied. What the kernel lacks is poisoned: only code that
 * can be reached fails; `relocatorFor(local, target).relocate(program)` tells what that was.
 * @param local the Spec's own types; @param target the kernel's
 * @throws RelocationError when candidates disagree, types are malformed, or an instruction is not as compiled
 */
export function relocate(program: Relocatable, local: Btf, target: Btf): Uint8Array {
  return relocatorFor(local, target).relocate(program).code
}
