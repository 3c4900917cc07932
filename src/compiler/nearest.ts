/** The candidate that a mistyped name most likely means, or null if none is near. */
export function nearest(name: string, candidates: Iterable<string>): string | null {
  const wanted = name.toLowerCase()
  const most = Math.max(1, Math.floor(wanted.length / 3))
  let best: string | null = null
  let least = most + 1
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) >= least) continue
    const distance = editDistance(wanted, candidate.toLowerCase(), least)
    if (distance >= least) continue
    least = distance
    best = candidate
  }
  return best ?? containing(wanted, candidates)
}

/** A name that holds the wanted one, or the other way round: 'exec' for 'sched_process_exec'; the shortest. */
function containing(wanted: string, candidates: Iterable<string>): string | null {
  if (wanted.length < 4) return null
  let best: string | null = null
  for (const candidate of candidates) {
    const lower = candidate.toLowerCase()
    const related = lower.includes(wanted) || (candidate.length >= 4 && wanted.includes(lower))
    if (related && (best === null || candidate.length < best.length)) best = candidate
  }
  return best
}

/** Insertions, deletions, replacements and exchanges of neighbours; `limit` when it is at least that. */
function editDistance(a: string, b: string, limit: number): number {
  let [before, last] = [[] as number[], Array.from({ length: b.length + 1 }, (_, index) => index)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    let least = i
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let distance = Math.min(row[j - 1]! + 1, last[j]! + 1, last[j - 1]! + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) distance = Math.min(distance, before[j - 2]! + 1)
      row.push(distance)
      least = Math.min(least, distance)
    }
    if (least >= limit) return limit
    ;[before, last] = [last, row]
  }
  return Math.min(limit, last[b.length]!)
}

/** "did you mean 'x'?" before what there is to say otherwise. */
export function suggest(name: string, candidates: Iterable<string>, otherwise: string): string {
  const found = nearest(name, candidates)
  return found === null ? otherwise : `did you mean '${found}'? ${otherwise[0]!.toUpperCase()}${otherwise.slice(1)}`
}
