import type { DiskRow, ProbeState } from '../src/agent/snapshot.ts'
import { amount, bytes, count, duration } from './format.ts'
import { Panel } from './panel.tsx'

/** Block devices, by name. */
export function Disks({ disks, probe }: { disks: readonly DiskRow[]; probe: ProbeState | null }) {
  const rows = disks.toSorted((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))
  return (
    <Panel title="Disks" probe={probe} hint="Latency from issue to completion" class="disks">
      <div class="scroll" tabIndex={0} role="region" aria-label="Table of disks">
        <table>
          <thead>
            <tr>
              <th scope="col" class="name">
                Device
              </th>
              <th scope="col" class="number" title="Requests completed per second">
                Reads/s
              </th>
              <th scope="col" class="number bytes">
                Read
              </th>
              <th scope="col" class="number" title="Requests completed per second">
                Writes/s
              </th>
              <th scope="col" class="number bytes">
                Written
              </th>
              <th scope="col" class="number">
                p50
              </th>
              <th scope="col" class="number">
                p90
              </th>
              <th scope="col" class="number">
                p99
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((disk) => (
              <tr
                key={`${disk.major}:${disk.minor}`}
                title={
                  `${disk.major}:${disk.minor}, since skep began: ${count(disk.reads)} reads of ` +
                  `${bytes(disk.readBytes)}, ${count(disk.writes)} writes of ${bytes(disk.writtenBytes)}`
                }>
                <th scope="row" class="name">
                  {disk.name}
                </th>
                <td class={tone(disk.readsPerSecond)}>{amount(disk.readsPerSecond)}</td>
                <td class={tone(disk.readBytesPerSecond)}>{bytes(disk.readBytesPerSecond)}/s</td>
                <td class={tone(disk.writesPerSecond)}>{amount(disk.writesPerSecond)}</td>
                <td class={tone(disk.writtenBytesPerSecond)}>{bytes(disk.writtenBytesPerSecond)}/s</td>
                <td class={tone(disk.latency.p50)}>{duration(disk.latency.p50)}</td>
                <td class={tone(disk.latency.p90)}>{duration(disk.latency.p90)}</td>
                <td class={tone(disk.latency.p99)}>{duration(disk.latency.p99)}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {rows.length === 0 && <p class="empty">Waiting for the first read or write that reaches a disk.</p>}
      </div>
    </Panel>
  )
}

function tone(value: number | null): string {
  return value === null || value === 0 ? 'number zero' : 'number'
}
