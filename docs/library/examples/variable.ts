import { readFileSync } from 'node:fs'
import { load, readObject } from 'skep/bpf'

const demo = load(readObject(readFileSync('demo.bpf.o')), { variables: { watched: 1 } })
const calls = demo.variable<number>('calls')
calls.set(100)
console.log(calls.get(), demo.variable('watched').get())
try {
  demo.variable('watched').set(2)
} catch (error) {
  console.log((error as Error).message)
}
demo.close()
