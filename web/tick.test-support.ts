import type { HistoryTick } from '../src/agent/history.ts'

/** A tick of the history in which nothing happened, except what `more` says. */
export function tick(sequence: number, more: Partial<HistoryTick> = {}): HistoryTick {
  return {
    sequence, at: sequence * 1000, buckets: [], busyCores: 0, syscallsPerSecond: 0, syscallErrorsPerSecond: 0,
    startsPerSecond: 0, endsPerSecond: 0, tcpPerSecond: 0, diskBytesPerSecond: 0, agentCores: 0, ...more,
  }
}
