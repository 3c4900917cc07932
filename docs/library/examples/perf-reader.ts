import { readFileSync } from 'node:fs'
import { i64, load, PerfReader, readObject } from 'skep/bpf'

const demo = load(readObject(readFileSync('demo.bpf.o')))
const reader = PerfReader.open(demo.map('output'))
const context = new Uint8Array(new BigInt64Array([0n, 39n]).buffer)
for (let times = 0; times < 2; times++) demo.programs.get('send')!.testRun({ context, cpu: 0 })
let left = 2
for await (const { value, cpu } of reader.records(i64)) {
  console.log(value, cpu)
  if (--left === 0) break
}
console.log(reader.lost)
reader.close()
demo.close()
