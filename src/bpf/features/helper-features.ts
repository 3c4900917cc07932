import { helperNumberOf } from '../../asm/helper-names.ts'
import { helperSince } from '../../asm/helper-since.ts'
import type { ProgramTypeName } from '../../spec/spec.ts'
import { Errno } from '../../sys/errno.ts'
import { allocate, release } from '../../sys/memory.ts'
import { close } from '../../sys/syscall.ts'
import { kernelBtf } from '../kernel-btf.ts'
import { loadBytes, Op } from '../tiny-program.ts'
import { feature, verdictOf } from './feature.ts'
import type { Feature } from './feature.ts'

const logSize = 16 * 1024

/** Types whose expected_attach_type must be said. */
const attachTypes: Partial<Record<ProgramTypeName, number>> = { cgroup_sock_addr: 10, cgroup_sockopt: 21, sk_lookup: 36, netfilter: 45, tracing: 23 }

/**
 * Whether programs of a type may call a helper ('ringbuf_output', with or without `bpf_`). The one question that takes a
 * program which the verifier may
 * refuse: a call without arguments. It says what it refused, the helper or the arguments, before anything runs.
 * @throws RangeError if no helper has that name
 */
export function helperFeature(helper: string, type: ProgramTypeName): Feature {
  const short = helper.replace(/^bpf_/, '')
  const number = helperNumberOf(short)
  if (number === undefined) throw new RangeError(`no helper is called '${helper}'`)
  return feature(`bpf_${short} in ${type} programs`, helperSince(number)!, () => {
    const log = allocate(logSize)
    try {
      const target = type === 'tracing' ? kernelBtf().find('btf_trace_sched_process_exec', 'typedef') : 0
      const result = loadBytes(type, [Op.call(number), Op.mov(0, 0), Op.exit], (attr) => {
        attr.u32(24, 1)
        attr.u32(28, logSize)
        attr.u64(32, log.address)
        attr.u32(44, type === 'syscall' ? 1 << 4 : 0)
        attr.u32(68, attachTypes[type] ?? 0)
        attr.u32(108, target)
      })
      if (result >= 0) {
        close(result)
        return 'yes'
      }
      const text = new TextDecoder().decode(log.u8.slice(0, Math.max(0, log.u8.indexOf(0))))
      if (text === '') return verdictOf('BPF_PROG_LOAD', result, `a program of type ${type}`)
      // 'unknown func' is what kernels say, 'invalid func' for numbers beyond their list, the rest from 6.13 on.
      if (/(unknown|invalid) func |program of this type cannot use helper/.test(text)) return 'no'
      return result === -Errno.EINVAL || result === -Errno.EACCES ? 'yes' : verdictOf('BPF_PROG_LOAD', result, text)
    } finally {
      release(log)
    }
  })
}

/**
 * Whether the kernel (without its modules) has a function that programs can call. Which types may call it, the verifier tells
 * only when loading.
 */
export function kfuncFeature(name: string, since: string): Feature {
  return feature(`the kernel function ${name}`, since, () => (kernelBtf().find(name, 'func') === 0 ? 'no' : 'yes'))
}
