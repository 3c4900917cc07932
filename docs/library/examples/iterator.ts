import { readFileSync } from 'node:fs'
import { attachIterator, iterate, load, readObject } from 'skep/bpf'

const demo = load(readObject(readFileSync('demo.bpf.o')))
const link = attachIterator(demo.programs.get('tasks')!, { process: process.pid })
const lines = iterate(link).trim().split('\n')
console.log(lines.length > 1, lines.every((line) => Number(line) === process.pid))
link.close()
demo.close()
