import { helperNameOf } from './helper-names.ts'
import { slotsOf } from './encode.ts'
import type { Instruction } from './instruction.ts'
import {
  ADDR_SPACE_CAST, AluOp, AtomicOp, Class, FROM_REGISTER, JumpOp, Mode, PER_CPU_ADDRESS, PseudoCall, Size,
} from './opcode.ts'

/** What the caller knows of numbers in the code. */
export interface PrintNames {
  /** What a call of a kernel function or of a helper unknown here is called: `bpf_obj_new_impl`. */
  call?(instruction: Instruction): string | undefined
  /** What a 64-bit immediate stands for: `map[id:7]`. */
  immediate?(instruction: Instruction): string | undefined
}

/**
 * One instruction in the notation of the kernel's verifier log and of `bpftool prog dump xlated`, without the opcode:
 * `r0 = 0`, `if r1 s> 0x5 goto pc+3`, `lock *(u64 *)(r1 +0) += r2`. What is no instruction prints as there: `BUG_…`.
 */
export function print(instruction: Instruction, names: PrintNames = {}): string {
  switch (instruction.code & 7) {
    case Class.alu: case Class.alu64: return arithmetic(instruction)
    case Class.jmp: case Class.jmp32: return jump(instruction, names)
    case Class.stx: return storeRegister(instruction)
    case Class.st: return storeImmediate(instruction)
    case Class.ldx: return load(instruction)
    default: return loadImmediate(instruction, names)
  }
}

/** A whole program, a line an instruction, as bpftool does: slot, opcode, text. Jump targets count from the next slot. */
export function printProgram(instructions: readonly Instruction[], names: PrintNames = {}): string {
  let slot = 0
  return instructions.map((instruction) => {
    const line = `${String(slot).padStart(4)}: (${hex2(instruction.code)}) ${print(instruction, names)}\n`
    slot += slotsOf(instruction)
    return line
  }).join('')
}

const hex2 = (value: number) => value.toString(16).padStart(2, '0')
const signed = (value: number) => (value < 0 ? `${value}` : `+${value}`)
/** An immediate may be kept as its unsigned bits. */
const int = (value: number) => value | 0
const word = (value: number) => value >>> 0

const SIZES: Record<number, string> = { [Size.b]: 'u8', [Size.h]: 'u16', [Size.w]: 'u32', [Size.dw]: 'u64' }
const SIGNED_SIZES: Record<number, string> = { [Size.b]: 's8', [Size.h]: 's16', [Size.w]: 's32' }
const sizeOf = (code: number) => SIZES[code & 0x18]!

const ALU: Record<number, string> = {
  [AluOp.add]: '+=', [AluOp.sub]: '-=', [AluOp.mul]: '*=', [AluOp.div]: '/=', [AluOp.or]: '|=', [AluOp.and]: '&=',
  [AluOp.lsh]: '<<=', [AluOp.rsh]: '>>=', [AluOp.mod]: '%=', [AluOp.xor]: '^=', [AluOp.mov]: '=', [AluOp.arsh]: 's>>=',
}
const SIGN_EXTENDED: Record<number, string> = { 8: '(s8)', 16: '(s16)', 32: '(s32)' }

function arithmetic(instruction: Instruction): string {
  const { code, dst, src, off, imm } = instruction
  const operation = code & 0xf0
  const wide = (code & 7) === Class.alu64
  const letter = wide ? 'r' : 'w'
  if (operation === AluOp.end) {
    const how = wide ? 'bswap' : (code & FROM_REGISTER) !== 0 ? 'be' : 'le'
    return `r${dst} = ${how}${int(imm)} r${dst}`
  }
  if (operation === AluOp.neg) return `${letter}${dst} = -${letter}${dst}`
  const symbol = ALU[operation]
  if (symbol === undefined) return `BUG_alu_${hex2(code)}`
  const sign = off === 1 && (operation === AluOp.div || operation === AluOp.mod) ? 's' : ''
  if ((code & FROM_REGISTER) === 0) return `${letter}${dst} ${sign}${symbol} ${int(imm)}`
  if (operation === AluOp.mov && wide && off === ADDR_SPACE_CAST) {
    return `r${dst} = addr_space_cast(r${src}, ${word(imm) >>> 16}, ${imm & 0xffff})`
  }
  if (operation === AluOp.mov && wide && off === PER_CPU_ADDRESS) return `r${dst} = &(void __percpu *)(r${src})`
  const extended = operation === AluOp.mov ? SIGN_EXTENDED[off] ?? '' : ''
  return `${letter}${dst} ${sign}${symbol} ${extended}${letter}${src}`
}

const COMPARE: Record<number, string> = {
  [JumpOp.eq]: '==', [JumpOp.gt]: '>', [JumpOp.ge]: '>=', [JumpOp.set]: '&', [JumpOp.ne]: '!=', [JumpOp.sgt]: 's>',
  [JumpOp.sge]: 's>=', [JumpOp.lt]: '<', [JumpOp.le]: '<=', [JumpOp.slt]: 's<', [JumpOp.sle]: 's<=',
}

function jump(instruction: Instruction, names: PrintNames): string {
  const { code, dst, src, off, imm } = instruction
  const operation = code & 0xf0
  const narrow = (code & 7) === Class.jmp32
  if (operation === JumpOp.call) return call(instruction, names)
  if (operation === JumpOp.exit && !narrow) return 'exit'
  if (operation === JumpOp.ja) {
    if (narrow) return `gotol pc${signed(int(imm))}`
    return (code & FROM_REGISTER) === 0 ? `goto pc${signed(off)}` : `gotox r${dst}`
  }
  if (operation === JumpOp.cond && !narrow && src === 0) return `may_goto pc${signed(off)}`
  const symbol = COMPARE[operation]
  if (symbol === undefined) return `BUG_jmp_${hex2(code)}`
  const letter = narrow ? 'w' : 'r'
  const right = (code & FROM_REGISTER) === 0 ? `0x${word(imm).toString(16)}` : `${letter}${src}`
  return `if ${letter}${dst} ${symbol} ${right} goto pc${signed(off)}`
}

function call(instruction: Instruction, names: PrintNames): string {
  const { code, dst, src, imm } = instruction
  if ((code & FROM_REGISTER) !== 0) return `callx r${dst}`
  if (src === PseudoCall.local) return `call pc${signed(int(imm))}`
  const helper = src === PseudoCall.helper ? helperNameOf(imm) : undefined
  const fallback = src === PseudoCall.kfunc ? 'kernel-function' : 'unknown'
  return `call ${helper === undefined ? names.call?.(instruction) ?? fallback : `bpf_${helper}`}#${int(imm)}`
}

const ATOMIC: Record<number, string> = {
  [AtomicOp.add]: 'add', [AtomicOp.or]: 'or', [AtomicOp.and]: 'and', [AtomicOp.xor]: 'xor',
}

function storeRegister({ code, dst, src, off, imm }: Instruction): string {
  const size = sizeOf(code)
  const place = `*(${size} *)(r${dst} ${signed(off)})`
  const mode = code & 0xe0
  if (mode === Mode.mem) return `${place} = r${src}`
  if (mode !== Mode.atomic) return `BUG_${hex2(code)}`
  const pointer = `(${size} *)(r${dst} ${signed(off)})`
  const width = (code & 0x18) === Size.dw ? 'atomic64' : 'atomic'
  switch (imm) {
    case AtomicOp.xchg: return `r${src} = ${width}_xchg(${pointer}, r${src})`
    case AtomicOp.cmpxchg: return `r0 = ${width}_cmpxchg(${pointer}, r0, r${src})`
    case AtomicOp.loadAcquire: return `r${dst} = load_acquire((${size} *)(r${src} ${signed(off)}))`
    case AtomicOp.storeRelease: return `store_release(${pointer}, r${src})`
    default: {
      const name = ATOMIC[imm & ~AtomicOp.fetch]
      if (name === undefined) return `BUG_${hex2(code)}`
      if ((imm & AtomicOp.fetch) === 0) return `lock ${place} ${ALU[imm]} r${src}`
      return `r${src} = ${width}_fetch_${name}(${pointer}, r${src})`
    }
  }
}

function storeImmediate({ code, dst, off, imm }: Instruction): string {
  const mode = code & 0xe0
  if (mode === Mode.mem) return `*(${sizeOf(code)} *)(r${dst} ${signed(off)}) = ${int(imm)}`
  // A barrier against speculation, which the verifier inserts and programs cannot contain.
  return mode === Mode.atomic ? 'nospec' : `BUG_st_${hex2(code)}`
}

function load({ code, dst, src, off }: Instruction): string {
  const mode = code & 0xe0
  const size = mode === Mode.mem ? sizeOf(code) : mode === Mode.memsx ? SIGNED_SIZES[code & 0x18] : undefined
  return size === undefined ? `BUG_ldx_${hex2(code)}` : `r${dst} = *(${size} *)(r${src} ${signed(off)})`
}

function loadImmediate(instruction: Instruction, names: PrintNames): string {
  const { code, dst, src, imm, imm64 } = instruction
  switch (code & 0xe0) {
    case Mode.abs: return `r0 = *(${sizeOf(code)} *)skb[${int(imm)}]`
    case Mode.ind: return `r0 = *(${sizeOf(code)} *)skb[r${src} + ${int(imm)}]`
    case Mode.imm:
      if ((code & 0x18) !== Size.dw) return `BUG_ld_${hex2(code)}`
      return `r${dst} = ${names.immediate?.(instruction) ?? `0x${BigInt.asUintN(64, imm64 ?? BigInt(imm)).toString(16)}`}`
    default: return `BUG_ld_${hex2(code)}`
  }
}
