import { CoreProblem } from './error.ts'

/** Code of a helper that no kernel has: "bad relo". The verifier names it when it reaches a poisoned instruction. */
export const POISON_HELPER = 0xbad2310

/** What a relocation changes in its instruction. */
export interface Patch {
  /** What the compiler must have written, unless `validate` is false. */
  before: bigint
  after: bigint
  validate: boolean
  /** Bytes of the field that a load or store accesses, as compiled and in the target; 0 where it does not matter. */
  sizeBefore: number
  sizeAfter: number
  /** The sizes differ in a way that would read a wrong value, so that a load or store must not run. */
  wrongSize: boolean
}

const CLASS = { ld: 0, ldx: 1, st: 2, stx: 3, alu: 4, alu64: 7 } as const
const LDDW = 0x18
/** Bytes → size bits of the opcode. */
const SIZE_BITS: Record<number, number> = { 1: 0x10, 2: 0x08, 4: 0x00, 8: 0x18 }
const SIZE_MASK = 0x18

/**
 * Changes the instruction at a slot. Returns why the instruction was poisoned, undefined if it was not.
 * @throws CoreProblem when the instruction is not what the relocation says, or the value does not fit
 */
export function patchInstruction(view: DataView, slot: number, patch: Patch): string | undefined {
  const at = slot * 8
  const code = view.getUint8(at)
  switch (code & 7) {
    case CLASS.alu: case CLASS.alu64:
      if ((code & 0x08) !== 0) throw new CoreProblem('the instruction has no immediate')
      check(patch, BigInt(view.getInt32(at + 4, true)))
      view.setInt32(at + 4, Number(BigInt.asIntN(32, patch.after)), true)
      return undefined
    case CLASS.ldx: case CLASS.st: case CLASS.stx: return patchAccess(view, at, patch)
    case CLASS.ld: {
      if (!isConstantLoad(view, at)) throw new CoreProblem('the instruction is no load of a 64-bit constant')
      check(patch, (BigInt(view.getUint32(at + 12, true)) << 32n) | BigInt(view.getUint32(at + 4, true)))
      view.setUint32(at + 4, Number(BigInt.asUintN(32, patch.after)), true)
      view.setUint32(at + 12, Number(BigInt.asUintN(32, patch.after >> 32n)), true)
      return undefined
    }
    default: throw new CoreProblem(`the instruction (code 0x${code.toString(16)}) is none that can be relocated`)
  }
}

function isConstantLoad(view: DataView, at: number): boolean {
  return view.getUint8(at) === LDDW && view.byteLength >= at + 16
    && view.getUint8(at + 1) >> 4 === 0 && view.getInt16(at + 2, true) === 0 && view.getUint32(at + 8, true) === 0
}

function patchAccess(view: DataView, at: number, patch: Patch): string | undefined {
  const { after, sizeBefore, sizeAfter } = patch
  check(patch, BigInt(view.getInt16(at + 2, true)))
  if (after > 0x7fffn) throw new CoreProblem(`the offset ${after} does not fit the 16 bits of a load or store`)
  if (patch.wrongSize) {
    poison(view, at / 8)
    return `the field has ${sizeAfter} bytes here, ${sizeBefore} as compiled; only pointers and unsigned integers may change size`
  }
  if (sizeAfter !== sizeBefore) {
    const code = view.getUint8(at)
    if ((code & SIZE_MASK) !== SIZE_BITS[sizeBefore]) {
      throw new CoreProblem(`the instruction does not access the ${sizeBefore} bytes of the field`)
    }
    const bits = SIZE_BITS[sizeAfter]
    if (bits === undefined) throw new CoreProblem(`no load or store accesses ${sizeAfter} bytes`)
    view.setUint8(at, (code & ~SIZE_MASK) | bits)
  }
  view.setInt16(at + 2, Number(after), true)
  return undefined
}

function check({ validate, before, after }: Patch, written: bigint): void {
  if (validate && BigInt.asUintN(64, written) !== BigInt.asUintN(64, before)) {
    throw new CoreProblem(`the instruction holds ${written}, but the object's own types say ${before} (→ ${after})`)
  }
}

/** Makes an instruction one that the verifier refuses if it can be reached, and drops as dead code if not. */
export function poison(view: DataView, slot: number): void {
  const wide = view.getUint8(slot * 8) === LDDW && slot * 8 + 16 <= view.byteLength
  for (const at of wide ? [slot * 8, slot * 8 + 8] : [slot * 8]) {
    view.setUint32(at, 0x85, true)
    view.setInt32(at + 4, POISON_HELPER, true)
  }
}
