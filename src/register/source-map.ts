import { SourceMap } from 'magic-string'

/** One mapping: generated column, and where it came from (source, line, column; all from 0). */
type Segment = [number] | [number, number, number, number] | [number, number, number, number, number]

/** A source map as tools exchange it. */
export interface RawMap { mappings: string; sources: (string | null)[]; sourcesContent?: (string | null)[]; names: string[] }

const digits = new Map([...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].map((digit, value) => [digit, value]))

/** Lines of segments from the base-64 VLQ text of a source map. */
export function decodeMappings(mappings: string): Segment[][] {
  const state = [0, 0, 0, 0, 0]
  return mappings.split(';').map(line => {
    state[0] = 0
    return line === '' ? [] : line.split(',').map(text => {
      const segment = numbers(text)
      return segment.map((delta, index) => state[index]! += delta) as Segment
    })
  })
}

function numbers(text: string): number[] {
  const out: number[] = []
  let value = 0
  let shift = 0
  for (const digit of text) {
    const bits = digits.get(digit)
    if (bits === undefined) throw new RangeError(`'${digit}' is no base-64 digit in source map segment '${text}'`)
    value |= (bits & 31) << shift
    shift += 5
    if (bits & 32) continue
    out.push(value & 1 ? -(value >>> 1) : value >>> 1)
    value = shift = 0
  }
  return out
}

/** The map of two steps in a row: `second` maps the final code to the code that `first` maps to the original. */
export function composeMaps(second: RawMap, first: RawMap): SourceMap {
  const original = decodeMappings(first.mappings)
  const mappings = decodeMappings(second.mappings).map(line => line.flatMap((segment): Segment[] => {
    if (segment.length === 1) return []
    const found = nearest(original[segment[2]] ?? [], segment[3])
    if (found === undefined || found.length === 1) return []
    return [[segment[0], found[1], found[2], found[3] + segment[3] - found[0]]]
  }))
  return new SourceMap({
    file: '',
    sources: first.sources as string[],
    sourcesContent: first.sourcesContent as string[],
    names: [],
    mappings: mappings as never,
  })
}

/** The last segment that begins at or before the column. */
function nearest(line: Segment[], column: number): Segment | undefined {
  let low = -1
  let high = line.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (line[middle]![0] <= column) low = middle
    else high = middle - 1
  }
  return line[low]
}

