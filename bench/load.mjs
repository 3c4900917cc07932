/** The load generator for machines without a C compiler; see load.c. Switches are those of two threads that wake each other. */
import { isMainThread, Worker, workerData } from 'node:worker_threads'

if (isMainThread) main()
else answer(workerData)

function answer(turns) {
  for (let turn = 1; ; turn += 2) {
    while (Atomics.load(turns, 0) < turn) Atomics.wait(turns, 0, turn - 1)
    if (Atomics.load(turns, 1) !== 0) return
    Atomics.store(turns, 0, turn + 1)
    Atomics.notify(turns, 0)
  }
}

function main() {
  const [kind, rate, seconds] = [process.argv[2], Number(process.argv[3]), Math.min(60, Number(process.argv[4]))]
  const turns = new Int32Array(new SharedArrayBuffer(8))
  const other = kind === 'switches' ? new Worker(new URL(import.meta.url), { workerData: turns }) : null
  other?.unref()
  let [events, cpuNs, wallNs, turn] = [0, 0, 0, 0]
  const begin = performance.now()
  const burst = Math.floor(rate / 1000)
  const tick = () => {
    const cpu = process.cpuUsage()
    const wall = performance.now()
    if (kind === 'switches') {
      for (let trip = 0; trip < burst / 2; trip++) {
        Atomics.store(turns, 0, ++turn)
        Atomics.notify(turns, 0)
        while (Atomics.load(turns, 0) === turn) Atomics.wait(turns, 0, turn)
        turn++
      }
    } else for (let call = 0; call < burst; call++) void process.ppid
    const used = process.cpuUsage(cpu)
    cpuNs += (used.user + used.system) * 1000
    wallNs += (performance.now() - wall) * 1e6
    events += burst
    const now = performance.now()
    if (now - begin < seconds * 1000) return void setTimeout(tick, 1)
    Atomics.store(turns, 1, 1)
    Atomics.store(turns, 0, turn + 1)
    Atomics.notify(turns, 0)
    console.log(JSON.stringify({ events, cpuNs, wallNs, perSecond: Math.round(events / (now - begin) * 1000) }))
  }
  tick()
}
