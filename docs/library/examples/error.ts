import { constantProgram, load, VerifierError } from 'skep/bpf'

const wrong = constantProgram('wrong', 'cgroup_skb', 5)
const attempt = load({ name: 'demo', license: 'GPL', maps: [], btf: null, programs: [wrong] })
const error = attempt.failures.get('wrong')
console.log(error instanceof VerifierError && error.log.includes('processed'))
console.log(error?.message.split(':')[0])
attempt.close()
