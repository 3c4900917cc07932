import { useEffect, useState } from 'preact/hooks'
import type { Snapshot } from '../src/agent/snapshot.ts'
import { age, clock } from './format.ts'
import type { State } from './store.ts'
import type { ConnectionState } from './stream.ts'
import { themes, type Theme } from './theme.ts'

interface HeaderProps {
  state: State
  theme: Theme
  onTheme: (theme: Theme) => void
  onPause: (paused: boolean) => void
  onRetry: () => void
}

/** Which machine, how fresh, and the page's own few controls. */
export function Header({ state, theme, onTheme, onPause, onRetry }: HeaderProps) {
  const {
    view: { snapshot, intervalMs },
    paused,
  } = state
  return (
    <header class="top">
      <h1>
        <Skep />
        skep
      </h1>
      <div class="host">
        {snapshot === null ? <span class="muted">waiting for the agent</span> : <Host snapshot={snapshot} />}
      </div>
      <div class="controls">
        <Freshness state={state} intervalMs={intervalMs} onRetry={onRetry} />
        <button type="button" class="pause" aria-pressed={paused} disabled={snapshot === null} onClick={() => onPause(!paused)}>
          {paused ? 'Resume' : 'Pause'}
        </button>
        <ThemeButton theme={theme} onTheme={onTheme} />
      </div>
    </header>
  )
}

function Host({ snapshot: { host, at } }: { snapshot: Snapshot }) {
  return (
    <>
      <b>{host.name}</b>
      <span>Linux {host.kernel}</span>
      <span>
        {host.architecture}, {host.cpus} {host.cpus === 1 ? 'CPU' : 'CPUs'}
      </span>
      <span>up {age((at - host.bootAt) / 1000)}</span>
    </>
  )
}

const words: Record<ConnectionState, string> = {
  connecting: 'connecting',
  waiting: 'starting',
  live: 'live',
  reconnecting: 'reconnecting',
  stopped: 'stopped',
  outdated: 'reload needed',
}
const explanations: Record<ConnectionState, string> = {
  connecting: 'Asking the agent for its stream.',
  waiting: 'The agent answers, and loads its probes.',
  live: 'Ticks arrive as the agent makes them.',
  reconnecting: 'The stream broke a moment ago; what is missed is filled in from the agent’s history.',
  stopped: 'No answer from the agent. Start skep again; the page finds it by itself. Click to try now.',
  outdated: 'The agent is newer than this page. Reload it.',
}

/** Connection and age of the data, as the seconds go by. */
function Freshness({
  state: { connection, freshAt, paused, view },
  intervalMs,
  onRetry,
}: {
  state: State
  intervalMs: number
  onRetry: () => void
}) {
  const now = useNow(500)
  const seconds = freshAt === null ? null : Math.max(0, Math.floor((now - freshAt) / 1000))
  const isLate = seconds !== null && seconds * 1000 > 3 * Math.max(1000, intervalMs)
  const tone = paused ? 'paused' : connection === 'live' && isLate ? 'late' : connection
  return (
    <button type="button" class={`freshness ${tone}`} onClick={onRetry} title={explanations[connection]}>
      <span class="dot" aria-hidden="true" />
      <span class="word" role="status">
        {paused ? 'paused' : words[connection]}
      </span>
      <span class="age">
        {paused
          ? view.snapshot === null
            ? ''
            : `at ${clock(view.snapshot.at)}`
          : seconds === null
            ? 'no data yet'
            : `data ${age(seconds)} old`}
      </span>
    </button>
  )
}

function useNow(everyMs: number): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  return now
}

const themeTitles: Record<Theme, string> = { system: 'as the system', light: 'light', dark: 'dark' }

function ThemeButton({ theme, onTheme }: { theme: Theme; onTheme: (theme: Theme) => void }) {
  const next = themes[(themes.indexOf(theme) + 1) % themes.length]!
  return (
    <button
      type="button"
      class="theme"
      onClick={() => onTheme(next)}
      aria-label={`Colours: ${themeTitles[theme]}. Change to ${themeTitles[next]}`}
      title={`Colours: ${themeTitles[theme]}`}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        {theme === 'system' ? (
          <>
            <circle cx="8" cy="8" r="6" />
            <path class="filled" d="M8 2a6 6 0 0 1 0 12z" />
          </>
        ) : theme === 'light' ? (
          <>
            <circle cx="8" cy="8" r="3" />
            <path d="M8 1v2M8 13v2M1 8h2M13 8h2M3 3l1.4 1.4M11.6 11.6 13 13M3 13l1.4-1.4M11.6 4.4 13 3" />
          </>
        ) : (
          <path d="M13.5 9.8A6 6 0 0 1 6.2 2.5a6 6 0 1 0 7.3 7.3z" />
        )}
      </svg>
    </button>
  )
}

/** The hive of straw. */
function Skep() {
  return (
    <svg class="skep" viewBox="0 0 32 32" aria-hidden="true">
      <path d="M13 5.5h6M9.5 11.5h13M7 17.5h18M5 23.5h7.5M19.5 23.5H27" />
      <path class="board" d="M4 28.7h24" />
    </svg>
  )
}
