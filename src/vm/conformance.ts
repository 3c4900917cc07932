import { helperNameOf } from '../asm/helper-names.ts'
import { SectionFlag, SectionType } from '../spec/elf/constants.ts'
import { ElfFile } from '../spec/elf/elf-file.ts'
import type { ProgramSpec } from '../spec/spec.ts'
import { decodeProgram } from './code.ts'
import { compileCode } from './compiled.ts'
import { helperTable } from './helpers.ts'
import { Machine } from './machine.ts'
import { READ, WRITE } from './memory.ts'
import { alwaysInitialised } from './registers.ts'

/**
 * The plug-in protocol of the public bpf_conformance suite: byte code as hex digits, an optional memory as hex digits whose
 * address
 * is given in r1 and whose length in r2, r0 in hex as the answer.
 */
export interface ConformanceOptions {
  /** Hex digits; blanks between them do not matter. Empty: r1 and r2 are 0. */
  memory?: string
  /** The input is an ELF object, whose code is in its first section of instructions. */
  elf?: boolean
  /** Run it as JavaScript instead of interpreting it. */
  compiled?: boolean
}

const R1_R2_R10 = 0b100_0000_0110

/**
 * Gives r0 in hex.
 * @throws Error with a text for standard error: malformed input, VmRefusal before running, VmFault while running
 */
export function runConformance(input: string, options: ConformanceOptions = {}): string {
  const bytes = fromHex('the program', input)
  const code = options.elf === true ? codeOfElf(bytes) : bytes
  const spec: ProgramSpec = {
    name: 'program', type: 'socket_filter', attach: { kind: 'given', name: '' }, code, maps: [], relocations: [], functions: [], lines: [],
  }
  const machine = new Machine({ helpers: helperTable(), helperName: helperNameOf })
  const decoded = decodeProgram(spec, {
    entry: R1_R2_R10,
    resolve: (slot, kind, low) => {
      if (kind === 4) return machine.memory.address(functions, slot + 1 + low)
      throw new Error(`instruction slot ${slot}: a 64-bit load of kind ${kind}, and there are no maps or variables`)
    },
  })
  const functions = machine.memory.add({ kind: 'code', name: 'the program', size: 0, flags: 0 })
  decoded.safe = alwaysInitialised(decoded, (id) => machine.argumentsOf(id))
  if (options.compiled === true) decoded.compiled = compileCode(machine, decoded)
  const memory = fromHex('the memory', options.memory ?? '')
  if (memory.length === 0) return machine.run(decoded, null).toString(16)
  const region = machine.memory.add({ kind: 'context', name: 'the memory', size: memory.length, flags: READ | WRITE })
  machine.memory.bytes(region).set(memory)
  machine.packet = region
  return machine.run(decoded, region, memory.length).toString(16)
}

function fromHex(what: string, text: string): Uint8Array {
  const digits = text.replaceAll(/\s+|0x/g, '')
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(digits)) throw new Error(`${what} must be pairs of hex digits`)
  return Uint8Array.from({ length: digits.length / 2 }, (_, index) => Number.parseInt(digits.slice(index * 2, index * 2 + 2), 16))
}

/** The first section of instructions of an ELF object. @throws ObjectError for a file that is none */
function codeOfElf(bytes: Uint8Array): Uint8Array {
  const code = new ElfFile(bytes).sections.find(
    ({ type, flags, size }) => type === SectionType.progbits && (flags & SectionFlag.exec) !== 0 && size > 0,
  )
  if (code === undefined) throw new Error('the ELF object has no section of instructions')
  return code.bytes
}
