import { BpfMap, ipv4Prefix, prefix, u32 } from 'skep/bpf'

const zones = BpfMap.create({
  name: 'zones', type: 'lpmTrie', key: ipv4Prefix, keySize: ipv4Prefix.size, value: u32, valueSize: 4, maxEntries: 100, flags: 1,
})
zones.set(prefix('10.0.0.0/8'), 1)
zones.set(prefix('10.20.0.0/16'), 2)
console.log(['10.20.3.4', '10.9.9.9', '192.0.2.1'].map((address) => zones.get(prefix(address))))
zones.close()
