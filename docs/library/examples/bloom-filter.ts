import { BloomFilter, BpfMap, u64 } from 'skep/bpf'

const seen = new BloomFilter<number>(BpfMap.create({
  name: 'seen', type: 'bloomFilter', keySize: 0, value: u64, valueSize: 8, maxEntries: 1000, flags: 0, mapExtra: 7,
}))
seen.add(41)
console.log(seen.has(41))
seen.map.close()
