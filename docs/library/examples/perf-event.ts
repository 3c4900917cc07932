import { readFileSync } from 'node:fs'
import { attachPerfEvent, load, readObject } from 'skep/bpf'

const demo = load(readObject(readFileSync('demo.bpf.o')))
const samples = demo.variable<number>('samples')
const profiler = attachPerfEvent(demo.programs.get('sample')!, { event: { software: 'cpuClock' }, sample: { frequency: 997 }, pid: process.pid })
while (samples.get() < 10) Math.sqrt(2)
profiler.close()
console.log('ten samples')
demo.close()
