import { readFileSync } from 'node:fs'
import { load, readObject } from 'skep/bpf'

const demo = load(readObject(readFileSync('demo.bpf.o')), { variables: { watched: process.pid } })
console.log(demo.failures.size, demo.programs.has('count'), demo.map('records').spec.type)
demo.attach('count')
for (let times = 0; times < 5; times++) void process.ppid
console.log(demo.variable('calls').get())
demo.close()
