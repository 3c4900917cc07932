import { attachNetfilter, attachNetworkNamespace, constantProgram, inNetworkNamespace, load } from 'skep/bpf'

const demo = load({
  name: 'demo', license: 'GPL', maps: [], btf: null,
  programs: [constantProgram('accept', 'netfilter', 1), constantProgram('choose', 'sk_lookup', 1)],
})
const links = [
  inNetworkNamespace('/run/netns/skep-demo', () =>
    attachNetfilter(demo.programs.get('accept')!, { family: 'ipv4', hook: 'input', priority: -100 })),
  attachNetworkNamespace(demo.programs.get('choose')!, '/run/netns/skep-demo'),
]
for (const link of links) console.log(link.place, link.info().kind)
for (const link of links) link.close()
demo.close()
