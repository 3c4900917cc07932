import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { attachCgroup, load, readObject } from 'skep/bpf'

const cgroup = process.env['DEMO_CGROUP'] ?? '/sys/fs/cgroup/demo'
const demo = load(readObject(readFileSync('demo.bpf.o')))
const link = attachCgroup(demo.programs.get('refuse')!, { cgroup })
const connect = `require('net').connect(9, '127.0.0.1').on('error', (error) => console.log(error.code))`
const inside = (script: string) => execFileSync('/bin/sh', ['-c', `echo $$ > ${cgroup}/cgroup.procs; exec "$0" -e "$1"`, process.execPath, script])
console.log(String(inside(connect)).trim())
link.close()
console.log(String(inside(connect)).trim())
demo.close()
