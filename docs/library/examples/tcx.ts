import { attachClsact, attachTcx, clsactFilters, constantProgram, inNetworkNamespace, interfaceIndex, load, queryPrograms } from 'skep/bpf'

const NEXT = -1
const demo = load({
  name: 'demo', license: 'GPL', maps: [], btf: null, programs: ['one', 'two'].map((name) => constantProgram(name, 'sched_cls', NEXT)),
})
const [one, two] = [demo.programs.get('one')!, demo.programs.get('two')!]
inNetworkNamespace('/run/netns/skep-demo', () => {
  const first = attachTcx(one, { interface: 'lo', direction: 'egress' })
  const before = attachTcx(two, { interface: 'lo', direction: 'egress', order: { before: { link: first } } })
  const { programs } = queryPrograms(interfaceIndex('lo'), 'tcx_egress')
  console.log(programs.map(({ id }) => (id === one.info().id ? 'one' : 'two')))
  first.close()
  before.close()
  const filter = attachClsact(one, { interface: 'lo', direction: 'ingress', priority: 10 })
  console.log(clsactFilters('lo', 'ingress').map(({ name, priority }) => `${name} at ${priority}`))
  filter.close()
})
demo.close()
