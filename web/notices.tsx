import type { ProbeState } from '../src/agent/snapshot.ts'

/** What the kernel did not grant, why, and what helps. Nothing when all is there. */
export function Notices({ probes }: { probes: readonly ProbeState[] }) {
  const missing = probes.filter(({ state }) => state !== 'on')
  if (missing.length === 0) return null
  return (
    <section class="notices" aria-label="What is not observed">
      {missing.map((probe) => (
        <div key={probe.name} id={`probe-${probe.name}`} class="notice" tabIndex={-1}>
          <span class={`mark ${probe.state}`}>{probe.state}</span>
          <div>
            <p>
              <b>{probe.title}</b> <span class="muted">(probe “{probe.name}”)</span>
            </p>
            <p>
              {probe.reason ?? 'The kernel did not say why.'}
              {probe.remedy !== null && (
                <>
                  {' '}
                  <span class="remedy">{probe.remedy}</span>
                </>
              )}
            </p>
          </div>
        </div>
      ))}
    </section>
  )
}
