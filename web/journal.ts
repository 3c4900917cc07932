/** What a list of events holds: an event with a number of its own, or a mark where some are missing. */
export type Entry<E> = { id: number; event: E; gap: null } | { id: number; event: null; gap: string }

/** Events kept. */
export const limit = 1000

/** The last events, oldest first; a new list each time, so that a paused view keeps the one it has. */
export interface Journal<E> {
  entries: readonly Entry<E>[]
  /** Events received since the page was opened. */
  received: number
  nextId: number
}

export function empty<E>(): Journal<E> {
  return { entries: [], received: 0, nextId: 1 }
}

export function add<E>(journal: Journal<E>, events: readonly E[], gap: string | null = null): Journal<E> {
  if (events.length === 0 && gap === null) return journal
  let { nextId } = journal
  const marks: Entry<E>[] = gap === null || journal.entries.length === 0 ? [] : [{ id: nextId++, event: null, gap }]
  const fresh = events.slice(-limit).map((event): Entry<E> => ({ id: nextId++, event, gap: null }))
  return { entries: [...journal.entries, ...marks, ...fresh].slice(-limit), received: journal.received + events.length, nextId }
}

/** Newest first, at most `most`; marks stay whatever the filter says. */
export function newest<E>(journal: Journal<E>, matches: (event: E) => boolean, most: number): Entry<E>[] {
  const found: Entry<E>[] = []
  for (let index = journal.entries.length - 1; index >= 0 && found.length < most; index--) {
    const entry = journal.entries[index]!
    if (entry.event === null ? found.length > 0 : matches(entry.event)) found.push(entry)
  }
  return found
}
