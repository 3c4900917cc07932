import { allPrograms, BpfMap, objectOwners, u32 } from 'skep/bpf'

const map = BpfMap.create({ name: 'listed', type: 'array', key: u32, keySize: 4, value: u32, valueSize: 4, maxEntries: 1, flags: 0 })
const owners = objectOwners()
console.log(owners.maps.get(map.info.id)?.map(({ pid }) => pid === process.pid))
console.log(allPrograms().every(({ name, type }) => typeof name === 'string' && type > 0))
map.close()
