import { useEffect } from 'preact/hooks'
import { Cards } from './cards.tsx'
import { Connections } from './connections.tsx'
import { Disks } from './disks.tsx'
import { Header } from './header.tsx'
import { HeatMap } from './heatmap.tsx'
import { Notices } from './notices.tsx'
import { Processes } from './processes.tsx'
import { Programs } from './programs.tsx'
import { RecordingBanner } from './recording.tsx'
import { useStore, type Store } from './store.ts'
import { useTheme } from './theme.ts'
import { Workloads } from './workloads.tsx'

/** The page. */
export function App({ store }: { store: Store }) {
  const state = useStore(store)
  const { theme, scheme, choose } = useTheme()
  const { view } = state
  const { snapshot } = view
  const probe = (name: string) => snapshot?.probes.find((one) => one.name === name) ?? null
  const host = snapshot?.host.name
  useEffect(() => {
    if (host !== undefined) document.title = `${host} · skep`
  }, [host])
  return (
    <>
      <Header
        state={state}
        theme={theme}
        onTheme={choose}
        onPause={(paused) => store.setPaused(paused)}
        onRetry={() => store.retryNow()}
      />
      <RecordingBanner recording={snapshot?.recording ?? null} />
      <main>
        {snapshot === null ? (
          <Waiting state={state.connection} />
        ) : (
          <>
            <Notices probes={snapshot.probes} />
            <Cards view={view} snapshot={snapshot} probe={probe} />
            <HeatMap points={view.points} intervalMs={view.intervalMs} scheme={scheme} probe={probe('scheduler')} />
            <Workloads rows={snapshot.workloads} means={view.means} probe={probe} />
            <Processes journal={view.processes} probe={probe('process')} />
            <Connections journal={view.connections} probe={probe('tcp')} />
            <Disks disks={snapshot.disks} probe={probe('block')} />
            <Programs agent={snapshot.agent} probes={snapshot.probes} />
          </>
        )}
      </main>
    </>
  )
}

function Waiting({ state }: { state: string }) {
  const words: Record<string, string> = {
    connecting: 'Connecting to the agent.',
    waiting: 'The agent is loading its probes. The first figures come in a moment.',
    reconnecting: 'No answer from the agent yet. Trying again.',
    stopped: 'No answer from the agent. Start skep; this page finds it by itself.',
    outdated: 'The agent is newer than this page. Please reload it.',
  }
  return (
    <p class="waiting" role="status">
      {words[state] ?? words['connecting']}
    </p>
  )
}
