import type { ConnectionEvent, ProbeState } from '../src/agent/snapshot.ts'
import { EventList } from './event-list.tsx'
import { bytes, clock, duration, endpoint } from './format.ts'
import type { Journal } from './journal.ts'

/** TCP connections as they open, fail and close. */
export function Connections({ journal, probe }: { journal: Journal<ConnectionEvent>; probe: ProbeState | null }) {
  return (
    <EventList
      title="TCP events"
      waiting="Waiting for a TCP connection to open or close."
      journal={journal}
      probe={probe}
      text={textOf}
      head={
        <tr>
          <th scope="col" class="time">
            Time
          </th>
          <th scope="col" class="event">
            Event
          </th>
          <th scope="col">Peer</th>
          <th scope="col" class="number" title="Until closed or failed; for opened, the time to connect">
            Took
          </th>
          <th scope="col" class="number">
            Sent
          </th>
          <th scope="col" class="number">
            Received
          </th>
          <th scope="col" class="who">
            Process
          </th>
          <th scope="col" class="who optional">
            Workload
          </th>
        </tr>
      }
      columns={8}
      class="tcp"
      row={row}
    />
  )
}

function textOf({ type, name, pid, workload, peer, peerPort, local, localPort }: ConnectionEvent): string {
  return `${type} ${name} ${pid} ${workload} ${peer}:${peerPort} ${local}:${localPort}`
}

const arrows: Record<ConnectionEvent['direction'], string> = { out: '→', in: '←', unknown: '↔' }
const directions: Record<ConnectionEvent['direction'], string> = { out: 'to', in: 'from', unknown: 'with' }

function row(event: ConnectionEvent) {
  const {
    at,
    type,
    family,
    local,
    localPort,
    peer,
    peerPort,
    direction,
    pid,
    name,
    workload,
    durationNs,
    bytesSent,
    bytesReceived,
  } = event
  const here = endpoint(family, local, localPort)
  const there = endpoint(family, peer, peerPort)
  return (
    <>
      <td class="time">{clock(at)}</td>
      <td>
        <span class={`kind ${type}`}>{type}</span>
      </td>
      <td title={`${here} ${arrows[direction]} ${there}`}>
        <span class="arrow" aria-label={directions[direction]}>
          {arrows[direction]}
        </span>{' '}
        {there}
      </td>
      <td class="number">{duration(durationNs)}</td>
      <td class="number">{bytesSent === null ? '' : bytes(bytesSent)}</td>
      <td class="number">{bytesReceived === null ? '' : bytes(bytesReceived)}</td>
      <td title={name === '' ? 'unknown' : `${name}, process ${pid} of ${workload}`}>
        {name === '' ? (
          <span class="muted">unknown</span>
        ) : (
          <>
            {name} <span class="muted">{pid}</span>
          </>
        )}
      </td>
      <td class="muted optional" title={workload}>
        {workload}
      </td>
    </>
  )
}
