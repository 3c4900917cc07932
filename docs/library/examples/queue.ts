import { BpfMap, Queue, u32 } from 'skep/bpf'

const waiting = new Queue<number>(BpfMap.create({ name: 'waiting', type: 'queue', keySize: 0, value: u32, valueSize: 4, maxEntries: 2, flags: 0 }))
console.log([1, 2, 3].map((value) => waiting.push(value)))
waiting.push(3, { overwrite: true })
console.log(waiting.peek(), [...waiting.drain()])
waiting.map.close()
