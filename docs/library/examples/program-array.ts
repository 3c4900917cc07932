import { readFileSync } from 'node:fs'
import { load, ProgramArray, readObject } from 'skep/bpf'

const demo = load(readObject(readFileSync('demo.bpf.o')))
const [head, tail] = [demo.programs.get('head')!, demo.programs.get('tail')!]
const next = new ProgramArray(demo.map('next'))
const before = head.testRun().returnValue
next.set(0, tail)
console.log(before, head.testRun().returnValue, next.idOf(0) === tail.info().id)
next.clear()
demo.close()
