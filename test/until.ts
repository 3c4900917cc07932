import { setTimeout as sleep } from 'node:timers/promises'

/** Asks again and again until the answer is neither undefined, null nor false; fails with `what` after `ms`. */
export async function until<T>(what: string, ask: () => T | Promise<T>, ms = 15_000, everyMs = 20): Promise<Exclude<T, undefined | null | false>> {
  const end = performance.now() + ms
  for (;;) {
    const answer = await ask()
    if (answer !== undefined && answer !== null && answer !== false) return answer as Exclude<T, undefined | null | false>
    if (performance.now() > end) throw new Error(`after ${ms} ms there is still no ${what}`)
    await sleep(everyMs)
  }
}
