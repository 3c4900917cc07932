import type { WorkloadRow } from '../src/agent/snapshot.ts'
import { columns, type ColumnId } from './workload-columns.ts'

/** What a workload did lately in each column, its last ticks weighing most. */
export type Means = ReadonlyMap<string, Readonly<Partial<Record<ColumnId, number>>>>
export interface Sort { column: ColumnId; descending: boolean }

/** Weight of the newest tick: rows change places by what lasts some seconds, not by noise. */
const weight = 0.5

export function smooth(before: Means, rows: readonly WorkloadRow[]): Means {
  return new Map(rows.map((row) => {
    const old = before.get(row.id)
    const means: Partial<Record<ColumnId, number>> = { ...old }
    for (const { id, value } of columns) {
      const now = value(row)
      if (typeof now !== 'number') continue
      const was = old?.[id]
      means[id] = was === undefined ? now : was + weight * (now - was)
    }
    return [row.id, means]
  }))
}

/** A sorted copy. Equal rows are in order of name, and what has no value comes last either way. */
export function sorted(rows: readonly WorkloadRow[], means: Means, { column, descending }: Sort): WorkloadRow[] {
  const { value } = columns.find(({ id }) => id === column)!
  const sign = descending ? -1 : 1
  const keyed = rows.map((row) => {
    const own = value(row)
    return { row, key: typeof own === 'string' ? own : means.get(row.id)?.[column] ?? own }
  })
  return keyed
    .sort((a, b) => sign * compare(a.key, b.key, sign) || compare(a.row.name, b.row.name, 1) || compare(a.row.id, b.row.id, 1))
    .map(({ row }) => row)
}

type Key = string | number | null

function compare(a: Key, b: Key, sign: number): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? sign : -sign
  // Rates fall towards zero for ever; below this they are nothing.
  if (typeof a === 'number' && typeof b === 'number') return Math.abs(a - b) < 1e-4 ? 0 : a - b
  return a < b ? -1 : a > b ? 1 : 0
}

/** The rows in the order of `ids`, new ones at the end: for as long as someone points at a row. */
export function held(rows: readonly WorkloadRow[], ids: readonly string[]): WorkloadRow[] {
  const byId = new Map(rows.map((row) => [row.id, row]))
  const known = ids.flatMap((id) => byId.get(id) ?? [])
  const listed = new Set(ids)
  return [...known, ...rows.filter(({ id }) => !listed.has(id))]
}

/** Rows whose name, kind or cgroup contains every word. */
export function matching(rows: readonly WorkloadRow[], filter: string): readonly WorkloadRow[] {
  const words = filter.toLowerCase().split(/\s+/).filter((word) => word !== '')
  if (words.length === 0) return rows
  return rows.filter(({ name, kind, cgroup }) => {
    const text = `${name} ${kind} ${cgroup ?? ''}`.toLowerCase()
    return words.every((word) => text.includes(word))
  })
}
