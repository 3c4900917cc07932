import type { AgentCost, ProbeState, ProgramCost } from '../src/agent/snapshot.ts'
import { amount, bytes, duration, nothing, percent } from './format.ts'
import { Panel } from './panel.tsx'

/** What skep itself runs in the kernel, and what each program costs. */
export function Programs({ agent, probes }: { agent: AgentCost; probes: readonly ProbeState[] }) {
  const on = probes.filter(({ state }) => state === 'on').length
  return (
    <Panel
      title="Probes"
      hint={`${on} of ${probes.length} fully on, ${agent.programs.length} kernel programs; measured for one second in ten`}
      class="programs">
      <div class="scroll" tabIndex={0} role="region" aria-label="Table of kernel programs">
        <table>
          <thead>
            <tr>
              <th scope="col" class="name">
                Probe
              </th>
              <th scope="col">Hook</th>
              <th scope="col" class="number" title="Of one CPU">
                CPU
              </th>
              <th scope="col" class="number">
                Runs/s
              </th>
              <th scope="col" class="number">
                Each
              </th>
              <th scope="col" class="number" title="Instructions of eBPF">
                Length
              </th>
            </tr>
          </thead>
          {probes.map((probe) => (
            <tbody key={probe.name}>
              {rowsOf(probe, agent.programs).map((program, index, all) => (
                <tr key={program?.name ?? ''}>
                  {index === 0 && (
                    <th scope="rowgroup" rowSpan={all.length} class="name" title={probe.title}>
                      {probe.name}
                      {probe.state !== 'on' && (
                        <>
                          {' '}
                          <a class={`mark ${probe.state}`} href={`#probe-${probe.name}`}>
                            {probe.state}
                          </a>
                        </>
                      )}
                    </th>
                  )}
                  {program === null ? (
                    <td colSpan={5} class="muted">
                      nothing loaded
                    </td>
                  ) : (
                    <Figures program={program} />
                  )}
                </tr>
              ))}
            </tbody>
          ))}
        </table>
        {probes.length === 0 && <p class="empty">Waiting for the first tick.</p>}
      </div>
    </Panel>
  )
}

function rowsOf(probe: ProbeState, programs: readonly ProgramCost[]): (ProgramCost | null)[] {
  const own = programs.filter((program) => program.probe === probe.name)
  return own.length === 0 ? [null] : own
}

function Figures({ program: { name, hook, runsPerSecond, nsPerRun, instructions, jitedBytes } }: { program: ProgramCost }) {
  const cpu = runsPerSecond === null ? null : (runsPerSecond * (nsPerRun ?? 0)) / 1e9
  return (
    <>
      <td class="hook" title={`program ${name}`}>
        {hook}
      </td>
      <td class="number">{percent(cpu)}</td>
      <td class="number">{amount(runsPerSecond)}</td>
      <td class="number">{nsPerRun === null ? nothing : duration(nsPerRun)}</td>
      <td class="number" title={`${bytes(jitedBytes)} of machine code`}>
        {amount(instructions)}
      </td>
    </>
  )
}
