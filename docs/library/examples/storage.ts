import { BpfMap, openProcess, storageSpec, u64 } from 'skep/bpf'

const startedAt = BpfMap.create<number, number>(storageSpec('started_at', 'task', u64))
const self = openProcess(process.pid)
startedAt.set(self.fd, 1234)
console.log(startedAt.get(self.fd))
self.close()
startedAt.close()
