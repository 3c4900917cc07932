import type { RecordingFacts } from '../src/agent/snapshot.ts'

/** Says that the page does not show this machine. Nothing when it does. */
export function RecordingBanner({ recording }: { recording: RecordingFacts | null }) {
  if (recording === null) return null
  return (
    <p class="recording" role="note">
      <b>This is a recording</b>, not this machine: {Math.round(recording.seconds)} s of {new Date(recording.at).toISOString().slice(0, 10)},
      shown as if it happened now and repeated (round {recording.round}).{recording.redacted ? ' Names and addresses in it are replaced.' : ''}
    </p>
  )
}
