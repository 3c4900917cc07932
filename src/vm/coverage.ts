import type { Code } from './code.ts'
import { sourceOf, type SourceLines } from './lines.ts'

/** Which instructions ran, and by line info which lines of the user's source. */
export class Coverage {
  readonly #hits = new Map<Code, Uint32Array>()

  count(code: Code, slot: number): void {
    let hits = this.#hits.get(code)
    if (hits === undefined) this.#hits.set(code, (hits = new Uint32Array(code.slots)))
    hits[slot]!++
  }

  /** File → line → how often it ran: of the instructions of a line, the most. Lines that never ran are there with 0. */
  lines(codes: readonly Code[], sources: ReadonlyMap<Code, SourceLines>): Map<string, Map<number, number>> {
    const files = new Map<string, Map<number, number>>()
    for (const code of codes) {
      const hits = this.#hits.get(code)
      const most = new Map<string, number>()
      for (let slot = 0; slot < code.slots; slot++) {
        // Second slots of 64-bit loads are no instructions.
        if (code.words[slot * 4] === 0) continue
        const source = sourceOf(sources.get(code), slot)
        if (source === null) continue
        const key = `${source.line} ${source.file}`
        most.set(key, Math.max(most.get(key) ?? 0, hits?.[slot] ?? 0))
      }
      for (const [key, count] of most) {
        const space = key.indexOf(' ')
        const [line, file] = [Number(key.slice(0, space)), key.slice(space + 1)]
        const known = files.get(file) ?? new Map<number, number>()
        known.set(line, (known.get(line) ?? 0) + count)
        files.set(file, known)
      }
    }
    return files
  }
}

/** Coverage as an lcov tracefile. */
export function lcov(lines: ReadonlyMap<string, ReadonlyMap<number, number>>, test = ''): string {
  const out: string[] = []
  for (const [file, counts] of [...lines].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const sorted = [...counts].sort(([a], [b]) => a - b)
    out.push(`TN:${test}`, `SF:${file}`, ...sorted.map(([line, count]) => `DA:${line},${count}`))
    out.push(`LF:${sorted.length}`, `LH:${sorted.filter(([, count]) => count > 0).length}`, 'end_of_record')
  }
  return out.map((line) => `${line}\n`).join('')
}
