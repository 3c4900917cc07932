import { useRef, useState } from 'preact/hooks'
import type { ProbeState, WorkloadRow } from '../src/agent/snapshot.ts'
import { Bars } from './bars.tsx'
import { waitTone } from './cards.tsx'
import { amount, count, nothing } from './format.ts'
import { Panel } from './panel.tsx'
import { columns, type Column, type ColumnId } from './workload-columns.ts'
import { held, matching, sorted, type Means, type Sort } from './workload-order.ts'

/** Rows drawn at most; the filter finds the others. */
const most = 250

interface WorkloadsProps {
  rows: readonly WorkloadRow[]
  means: Means
  probe: (name: string) => ProbeState | null
}

/** Who does what: one row a workload, sorted by what one asks for. */
export function Workloads({ rows, means, probe }: WorkloadsProps) {
  const [sort, setSort] = useState<Sort>({ column: 'cpu', descending: true })
  const [filter, setFilter] = useState('')
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set())
  const [isHeld, setHeld] = useState(false)
  const order = useRef<readonly string[]>([])

  const wanted = isHeld ? held(rows, order.current) : sorted(rows, means, sort)
  order.current = wanted.map(({ id }) => id)
  const found = matching(wanted, filter)
  const shown = found.slice(0, most)

  const sortBy = (column: ColumnId) => {
    setHeld(false)
    const isText = column === 'name' || column === 'kind'
    setSort(sort.column === column ? { column, descending: !sort.descending } : { column, descending: !isText })
  }
  const toggle = (id: string) => {
    const next = new Set(opened)
    if (!next.delete(id)) next.add(id)
    setOpened(next)
  }
  return (
    <Panel
      title="Workloads"
      hint={isHeld ? 'Order held while you point at it' : 'Active in the last five minutes, ordered by their last few seconds'}
      class="workloads"
      aside={
        <>
          <span class="muted">{filter === '' ? count(rows.length) : `${count(found.length)} of ${count(rows.length)}`}</span>
          <input
            type="search"
            placeholder="Filter"
            aria-label="Filter workloads by name, kind or cgroup"
            value={filter}
            onInput={(event) => setFilter(event.currentTarget.value)}
          />
        </>
      }>
      <div class="scroll" tabIndex={0} role="region" aria-label="Table of workloads">
        <table>
          <thead>
            <tr>
              {columns.map((column) => (
                <Head key={column.id} column={column} sort={sort} probe={probe} onSort={sortBy} />
              ))}
            </tr>
          </thead>
          <tbody
            onPointerEnter={(event) => {
              if (event.pointerType === 'mouse') setHeld(true)
            }}
            onPointerLeave={() => setHeld(false)}
            onFocusCapture={(event) => {
              if (event.target instanceof Element && event.target.matches(':focus-visible')) setHeld(true)
            }}
            onBlurCapture={() => setHeld(false)}>
            {shown.map((row) => (
              <Row key={row.id} row={row} probe={probe} isOpen={opened.has(row.id)} onToggle={toggle} />
            ))}
          </tbody>
        </table>
        {shown.length === 0 && (
          <p class="empty">
            {rows.length > 0 ? `No workload matches “${filter}”.` : 'Waiting for a workload that does something.'}
          </p>
        )}
        {found.length > most && <p class="empty">{count(found.length - most)} more: the filter finds them.</p>}
      </div>
    </Panel>
  )
}

const isNumber = (id: ColumnId) => id !== 'name' && id !== 'kind'

interface HeadProps {
  column: Column
  sort: Sort
  probe: WorkloadsProps['probe']
  onSort: (id: ColumnId) => void
}

function Head({ column: { id, title, hint, probe: source }, sort, probe, onSort }: HeadProps) {
  const isSorted = sort.column === id
  const state = source === null ? null : probe(source)
  return (
    <th
      scope="col"
      class={isNumber(id) ? 'number' : id}
      aria-sort={isSorted ? (sort.descending ? 'descending' : 'ascending') : 'none'}>
      <button
        type="button"
        onClick={() => onSort(id)}
        title={state?.state === 'off' ? `${hint}. Not observed: ${state.reason ?? 'the probe is off'}` : hint}>
        <span>{title}</span>
        <span class="arrow" aria-hidden="true">
          {isSorted ? (sort.descending ? '▾' : '▴') : ''}
        </span>
      </button>
    </th>
  )
}

interface RowProps {
  row: WorkloadRow
  probe: WorkloadsProps['probe']
  isOpen: boolean
  onToggle: (id: string) => void
}

function Row({ row, probe, isOpen, onToggle }: RowProps) {
  return (
    <>
      <tr class={isOpen ? 'open' : undefined}>
        {columns.map(({ id, text, value, probe: source }) => {
          if (id === 'name') {
            return (
              <th key={id} scope="row" class="name">
                <button type="button" aria-expanded={isOpen} onClick={() => onToggle(row.id)} title={row.name}>
                  <span class="chevron" aria-hidden="true" />
                  <span class="text">{row.name}</span>
                </button>
              </th>
            )
          }
          const isOff = source !== null && probe(source)?.state === 'off'
          const own = value(row)
          const tone = isOff || own === 0 || own === null ? 'zero' : id === 'p99' ? waitTone(own as number) : null
          return (
            <td key={id} class={`${isNumber(id) ? 'number' : id} ${tone ?? ''}`}>
              {isOff ? nothing : text(row)}
            </td>
          )
        })}
      </tr>
      {isOpen && (
        <tr class="more">
          <td colSpan={columns.length}>
            <More row={row} probe={probe} />
          </td>
        </tr>
      )}
    </>
  )
}

const kinds: Record<WorkloadRow['kind'], string> = {
  unit: 'Systemd unit',
  container: 'Container',
  cgroup: 'Control group',
  executable: 'Executable, all of its processes',
  kernel: 'Kernel',
}

/** What there is to say of one workload beyond its row. */
function More({ row, probe }: { row: WorkloadRow; probe: WorkloadsProps['probe'] }) {
  const areCallsOff = probe('syscalls')?.state === 'off'
  return (
    <div class="details">
      <div>
        <h3>{kinds[row.kind]}</h3>
        <p class="path">{row.name}</p>
        <h3>Cgroup</h3>
        <p class="path">{row.cgroup ?? (row.kind === 'kernel' ? 'none: threads of the kernel' : 'none of its own')}</p>
      </div>
      <div>
        <h3>System call errors</h3>
        {row.errors.length === 0 ? (
          <p class="muted">{areCallsOff ? 'not observed' : 'none so far'}</p>
        ) : (
          <table class="errors">
            <thead>
              <tr>
                <th scope="col">errno</th>
                <th scope="col" class="number">
                  now
                </th>
                <th scope="col" class="number">
                  in all
                </th>
              </tr>
            </thead>
            <tbody>
              {row.errors.map(({ errno, name, perSecond, total }) => (
                <tr key={errno}>
                  <td>
                    {name} <span class="muted">{errno}</span>
                  </td>
                  <td class="number">{amount(perSecond)}/s</td>
                  <td class="number">{count(total)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
      <div class="waits">
        <h3>Waits for a CPU</h3>
        <Bars buckets={row.runQueueLatency.buckets} first={10} last={25} label="last tick" />
      </div>
    </div>
  )
}
