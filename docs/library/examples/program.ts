import { readFileSync } from 'node:fs'
import { load, readObject } from 'skep/bpf'

const demo = load(readObject(readFileSync('demo.bpf.o')))
const shorten = demo.programs.get('shorten')!
const { returnValue, data } = shorten.testRun({ data: new Uint8Array(64), repeat: 10 })
console.log(returnValue, data.length)
const info = shorten.info()
console.log(info.typeName, info.gplCompatible, shorten.translatedCode().length === info.translatedBytes, shorten.machineCode().functions.length)
demo.close()
