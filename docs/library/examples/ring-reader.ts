import { readFileSync } from 'node:fs'
import { chars, i64, load, readObject, RingReader, struct } from 'skep/bpf'

const demo = load(readObject(readFileSync('demo.bpf.o')), { variables: { watched: process.pid } })
const reader = RingReader.open(demo.map('records'))
demo.attach('count')
for (let times = 0; times < 3; times++) void process.ppid
for await (const { value } of reader.records(struct({ number: i64, command: chars(16) }))) {
  console.log(value.number, value.command.length > 0)
  if (value.number === 3) break
}
demo.close()
