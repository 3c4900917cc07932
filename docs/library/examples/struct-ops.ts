import { readFileSync } from 'node:fs'
import { load, readObject } from 'skep/bpf'

const control = load(readObject(readFileSync('congestion.bpf.o')))
const available = () => readFileSync('/proc/sys/net/ipv4/tcp_available_congestion_control', 'latin1').includes('skep_demo')
const link = control.attachStructOps('table')
console.log(available(), link.info().kind)
control.close()
console.log(available())
