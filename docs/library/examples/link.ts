import { readFileSync } from 'node:fs'
import { attach, load, readObject } from 'skep/bpf'

const demo = load(readObject(readFileSync('demo.bpf.o')), { variables: { watched: process.pid } })
const link = attach(demo.programs.get('count')!, undefined, { cookie: 7n })
void process.ppid
console.log(link.place, link.mechanism, demo.variable('cookie').get())
console.log(link.info().kind)
link.close()
void process.ppid
console.log(demo.variable('calls').get())
demo.close()
