import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { RecordingError } from '../vm/recording.ts'
import type { Arguments } from './arguments.ts'
import { readRecording } from './run-replay.ts'
import { startReplay } from './start.ts'

/** The recording that is shipped beside dist. */
const shipped = fileURLToPath(new URL('../demo/demo.skeprec.gz', import.meta.url))

/** `skep demo`: the agent and its page on a recording, over and over. It observes nothing, and says so. */
export async function demo(args: Arguments): Promise<number> {
  if (!existsSync(shipped)) {
    process.stderr.write(`skep: the recording of the demo is missing: ${shipped}\n`)
    return 1
  }
  try {
    const recording = readRecording(shipped)
    process.stderr.write(`skep: demo: this is a recording of ${recording.header.at.slice(0, 10)}, not this machine\n`)
    return await startReplay(args, () => recording)
  } catch (error) {
    if (!(error instanceof RecordingError)) throw error
    process.stderr.write(`skep: ${shipped}: ${error.message}\n`)
    return 1
  }
}
