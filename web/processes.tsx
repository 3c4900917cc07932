import type { ProbeState, ProcessEvent } from '../src/agent/snapshot.ts'
import { EventList } from './event-list.tsx'
import { clock, duration, signalName } from './format.ts'
import type { Journal } from './journal.ts'

/** Processes that start, exec and end. */
export function Processes({ journal, probe }: { journal: Journal<ProcessEvent>; probe: ProbeState | null }) {
  return (
    <EventList
      title="Process events"
      waiting="Waiting for a process to start, exec or end."
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
          <th scope="col" class="number pid">
            PID
          </th>
          <th scope="col">Process</th>
          <th scope="col" class="outcome">
            Outcome
          </th>
          <th scope="col" class="number">
            Lived
          </th>
          <th scope="col" class="who">
            Workload
          </th>
        </tr>
      }
      columns={7}
      class="process"
      row={row}
    />
  )
}

function textOf({ type, pid, name, executable, workload }: ProcessEvent): string {
  return `${type} ${pid} ${name} ${executable} ${workload}`
}

function row({ at, type, pid, ppid, name, executable, uid, workload, status, signal, durationNs }: ProcessEvent) {
  return (
    <>
      <td class="time">{clock(at)}</td>
      <td>
        <span class={`kind ${type}`}>{type}</span>
      </td>
      <td class="number" title={`child of ${ppid}, user ${uid}`}>
        {pid}
      </td>
      <td title={executable === '' ? name : `${name}: ${executable}`}>{executable === '' ? name : executable}</td>
      <td class={signal !== null || (status ?? 0) !== 0 ? 'warn' : 'muted'}>{outcome(type, status, signal)}</td>
      <td class="number">{type === 'end' ? duration(durationNs) : ''}</td>
      <td class="muted" title={workload}>
        {workload}
      </td>
    </>
  )
}

function outcome(type: ProcessEvent['type'], status: number | null, signal: number | null): string {
  if (type !== 'end') return ''
  return signal !== null ? signalName(signal) : status === null ? 'unknown' : `exit ${status}`
}
