import { Component, type ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { ProbeState } from '../src/agent/snapshot.ts'
import { count } from './format.ts'
import { newest, type Entry, type Journal } from './journal.ts'
import { Panel } from './panel.tsx'

/** Rows drawn at most. */
const most = 150

interface EventListProps<E> {
  title: string
  /** What it waits for while there is nothing. */
  waiting: string
  journal: Journal<E>
  probe: ProbeState | null
  /** All that the filter looks at. */
  text: (event: E) => string
  head: ComponentChildren
  columns: number
  class: string
  row: (event: E) => ComponentChildren
}

/** Events, newest first. Holds still while one points at it, reads further down or has the focus in it. */
export function EventList<E>({ title, waiting, journal, probe, text, head, columns, class: name, row }: EventListProps<E>) {
  const [filter, setFilter] = useState('')
  const [isPointed, setPointed] = useState(false)
  const [isScrolled, setScrolled] = useState(false)
  const [kept, setKept] = useState<Journal<E> | null>(null)
  const isHeld = isPointed || isScrolled
  if (isHeld && kept === null) setKept(journal)
  if (!isHeld && kept !== null) setKept(null)
  const shown = isHeld && kept !== null ? kept : journal
  const since = journal.received - shown.received
  const words = filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
  const entries = newest(shown, (event) => words.every((word) => text(event).toLowerCase().includes(word)), most)
  return (
    <Panel
      title={title}
      probe={probe}
      class={`events ${name}`}
      aside={
        <>
          <span class={`held ${isHeld ? 'on' : ''}`} role="status">
            {isHeld ? `held · ${count(since)} new` : ''}
          </span>
          <input
            type="search"
            placeholder="Filter"
            aria-label={`Filter ${title.toLowerCase()}`}
            value={filter}
            onInput={(event) => setFilter(event.currentTarget.value)}
          />
        </>
      }>
      <div
        class="scroll"
        tabIndex={0}
        role="region"
        aria-label={title}
        onPointerEnter={(event) => {
          if (event.pointerType === 'mouse') setPointed(true)
        }}
        onPointerLeave={() => setPointed(false)}
        onScroll={(event) => setScrolled(event.currentTarget.scrollTop > 4)}>
        <table>
          <thead>{head}</thead>
          <tbody>
            {entries.map((entry) => (
              <Row key={entry.id} entry={entry} columns={columns} row={row} />
            ))}
          </tbody>
        </table>
        {entries.length === 0 && (
          <p class="empty">
            {filter === '' ? waiting : `Nothing of the last ${count(shown.entries.length)} matches “${filter}”.`}
          </p>
        )}
      </div>
    </Panel>
  )
}

interface RowProps<E> {
  entry: Entry<E>
  columns: number
  row: EventListProps<E>['row']
}

/** An entry never changes, so it is drawn once. */
class Row<E> extends Component<RowProps<E>> {
  override shouldComponentUpdate({ entry }: RowProps<E>) {
    return entry !== this.props.entry
  }

  override render({ entry: { event, gap }, columns, row }: RowProps<E>) {
    return event === null ? (
      <tr class="gap">
        <td colSpan={columns}>{gap}</td>
      </tr>
    ) : (
      <tr>{row(event)}</tr>
    )
  }
}
