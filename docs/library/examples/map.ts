import { BpfMap, struct, u32, u64 } from 'skep/bpf'

const traffic = BpfMap.create<number, { packets: number; bytes: number }>({
  name: 'traffic', type: 'hash', key: u32, keySize: 4, value: struct({ packets: u64, bytes: u64 }), valueSize: 16, maxEntries: 1024, flags: 0,
})
traffic.set(443, { packets: 2, bytes: 3000 })
traffic.setMany([[80, { packets: 1, bytes: 60 }], [53, { packets: 9, bytes: 800 }]])
console.log(traffic.get(443), traffic.get(22))
console.log(traffic.set(443, { packets: 0, bytes: 0 }, 'create'), traffic.delete(53), traffic.take(80))
for (const [port, { bytes }] of traffic) console.log(port, bytes)
console.log(traffic.info.typeName, traffic.info.maxEntries)
traffic.close()
