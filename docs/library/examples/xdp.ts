import { readFileSync } from 'node:fs'
import { attachXdp, inNetworkNamespace, load, readObject, xdpProgram } from 'skep/bpf'

const demo = load(readObject(readFileSync('demo.bpf.o')))
const pass = demo.programs.get('pass')!
inNetworkNamespace('/run/netns/skep-demo', () => {
  const link = attachXdp(pass, { interface: 'lo', mode: 'generic' })
  console.log(xdpProgram('lo')?.mode, xdpProgram('lo')?.programId === pass.info().id)
  link.close()
  console.log(xdpProgram('lo'))
})
demo.close()
