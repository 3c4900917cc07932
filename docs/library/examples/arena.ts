import { Arena, BpfMap, MapFlags } from 'skep/bpf'

const map = BpfMap.create({
  name: 'heap', type: 'arena', keySize: 0, valueSize: 0, maxEntries: 16, flags: MapFlags.mmapable, mapExtra: 2 ** 44,
})
const heap = new Arena(map)
heap.view.u32[0] = 7
console.log(heap.address === 2 ** 44, heap.offsetOf(2 ** 44 + 12), heap.view.u32[0])
heap.close()
map.close()
