import { readFileSync } from 'node:fs'
import { load, readObject, UserRing } from 'skep/bpf'

const demo = load(readObject(readFileSync('demo.bpf.o')))
const input = new UserRing(demo.map('input'))
for (const value of [1, 2, 3]) input.send(8, (view, offset) => view.u32.set([value, 0], offset >> 2))
const taken = demo.programs.get('drain')!.testRun().returnValue
console.log(taken, demo.variable('calls').get(), input.waitingBytes)
demo.close()
