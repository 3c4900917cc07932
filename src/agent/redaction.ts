import type { Secret } from './recorder-plan.ts'

/** Replaces what must not leave the machine, the same by the same within one recording. */
export class Redaction {
  readonly #keepText: boolean
  readonly #keepNames: boolean
  readonly #names = new Map<string, Map<string, string>>()

  /** `keepText`: nothing is replaced, except names of processes outside of a scope if there is one. */
  constructor(keepText: boolean, hasScope = false) {
    this.#keepText = keepText
    this.#keepNames = keepText && !hasScope
  }

  /** A string of the kernel. `inScope`: of a process that the recording is about, whose name stays. */
  text(text: string, secret: Secret | null, inScope: boolean): string {
    const clean = text.replaceAll(/[^\x20-\x7e]/g, '?')
    if (clean === '') return clean
    if (secret === 'comm') return inScope || this.#keepNames ? clean : this.#number('comm', clean, 'task-')
    return this.#keepText ? clean : this.#number('text', clean, 'text-')
  }

  /** An IPv4 address as the kernel holds it, in network order: one of 192.0.2.0/24, or beyond 254 of them of 198.51.100.0/24 and 203.0.113.0/24. */
  ip4(address: number): number {
    if (this.#keepText || address === 0) return address
    const index = Number(this.#number('ip4', String(address), ''))
    const [a, b, c] = [[192, 0, 2], [198, 51, 100], [203, 0, 113]][Math.floor((index - 1) / 254) % 3] as [number, number, number]
    return (a | b << 8 | c << 16 | ((index - 1) % 254 + 1) << 24) >>> 0
  }

  /** An IPv6 address: one of 2001:db8::/32; the unspecified one stays. */
  ip6(address: Uint8Array): Uint8Array {
    if (this.#keepText || address.every((byte) => byte === 0)) return address
    const index = Number(this.#number('ip6', Buffer.from(address).toString('hex'), ''))
    const out = new Uint8Array(16)
    out.set([0x20, 0x01, 0x0d, 0xb8])
    new DataView(out.buffer).setUint32(12, index)
    return out
  }

  #number(kind: string, of: string, prefix: string): string {
    let names = this.#names.get(kind)
    if (names === undefined) this.#names.set(kind, names = new Map())
    let name = names.get(of)
    if (name === undefined) names.set(of, name = `${prefix}${names.size + 1}`)
    return name
  }
}
