import { readFileSync } from 'node:fs'
import { attach, Executable, findExecutable, load, readObject } from 'skep/bpf'

const libc = Executable.open(findExecutable('libc.so.6'))
console.log(libc.function('getppid').offset > 0, libc.matching('mallo?').map(({ name }) => name))
const demo = load(readObject(readFileSync('demo.bpf.o')))
const link = attach(demo.programs.get('in_libc')!, { kind: 'uprobe', path: libc.path, name: 'getppid', offset: 0 }, { pid: process.pid })
for (let times = 0; times < 3; times++) void process.ppid
console.log(demo.variable('calls').get())
link.close()
demo.close()
