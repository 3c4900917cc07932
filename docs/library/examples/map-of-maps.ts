import { BpfMap, MapOfMaps, u32, u64 } from 'skep/bpf'
import type { MapSpec } from 'skep/bpf'

const counts: MapSpec = { name: 'counts', type: 'array', key: u32, keySize: 4, value: u64, valueSize: 8, maxEntries: 8, flags: 0 }
const byTenant = new MapOfMaps<number>(BpfMap.create({
  name: 'by_tenant', type: 'hashOfMaps', key: u32, keySize: 4, valueSize: 4, maxEntries: 100, flags: 0, inner: counts,
}))
const mine = BpfMap.create<number, number>(counts)
mine.set(3, 30)
byTenant.set(1001, mine)
mine.close()
const found = byTenant.open<number, number>(1001)
console.log(byTenant.keys(), found?.get(3), byTenant.open(1002))
found?.close()
byTenant.map.close()
