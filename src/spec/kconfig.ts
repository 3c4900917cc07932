import type { KconfigExtern } from './spec.ts'

/** A value of the kernel's configuration that does not fit the variable which asks for it. */
export class KconfigError extends Error {
  override readonly name = 'KconfigError'
  readonly option: string

  constructor(option: string, problem: string) {
    super(`${option}: ${problem}`)
    this.option = option
  }
}

const TRISTATE = { n: 0, y: 1, m: 2 } as const

/**
 * The value of the map `.kconfig`. `valueOf` gives the text of an option as in /boot/config: `y`, `m`, `250`, `"swapper"`;
 * undefined for one that is not set, which only weak externs may be: their bytes are 0.
 * @throws KconfigError
 */
export function kconfigBytes(
  externs: readonly KconfigExtern[], size: number, valueOf: (option: string) => string | undefined,
): Uint8Array {
  const bytes = new Uint8Array(size)
  for (const extern of externs) {
    const text = valueOf(extern.name)
    if (text === undefined) {
      if (!extern.weak) throw new KconfigError(extern.name, 'the kernel was built without it; __weak says that it may be absent')
      continue
    }
    bytes.set(valueBytes(extern, text.trim()), extern.offset)
  }
  return bytes
}

function valueBytes(extern: KconfigExtern, text: string): Uint8Array {
  const fail = (problem: string): never => { throw new KconfigError(extern.name, problem) }
  switch (extern.value) {
    case 'bool':
      if (!/^[yn01]$/.test(text)) return fail(`'${text}' is neither y nor n, as bool takes it`)
      return Uint8Array.of(text === 'y' || text === '1' ? 1 : 0)
    case 'tristate':
      if (text !== 'y' && text !== 'n' && text !== 'm') return fail(`'${text}' is neither y, n nor m`)
      return integerBytes(BigInt(TRISTATE[text]), 4)
    case 'char':
      if (text === 'y' || text === 'n' || text === 'm') return Uint8Array.of(text.charCodeAt(0))
      return number(extern, text, fail)
    case 'int': return number(extern, text, fail)
    case 'chars': {
      if (!/^".*"$/s.test(text)) return fail(`'${text}' is no text in quotes`)
      const encoded = new TextEncoder().encode(text.slice(1, -1).replace(/\\(.)/g, '$1'))
      const bytes = new Uint8Array(extern.size)
      // Longer text is cut, as libbpf does; the last byte stays 0.
      bytes.set(encoded.subarray(0, extern.size - 1))
      return bytes
    }
  }
}

function number(extern: KconfigExtern, text: string, fail: (problem: string) => never): Uint8Array {
  if (!/^-?(0x[0-9a-fA-F]+|\d+)$/.test(text)) return fail(`'${text}' is no number`)
  const value = text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text)
  const bits = BigInt(extern.size * 8)
  const [least, most] = extern.signed ? [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n] : [0n, (1n << bits) - 1n]
  if (value < least || value > most) return fail(`${text} does not fit ${extern.size} bytes`)
  return integerBytes(value, extern.size)
}

function integerBytes(value: bigint, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, index) => Number(BigInt.asUintN(8, value >> BigInt(index * 8))))
}
