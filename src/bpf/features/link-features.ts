import { AttachType } from '../../spec/spec.ts'
import type { AttachTypeName, ProgramTypeName } from '../../spec/spec.ts'
import { Errno } from '../../sys/errno.ts'
import { allocate, release, withString } from '../../sys/memory.ts'
import { close } from '../../sys/syscall.ts'
import { command } from '../command.ts'
import type { Attr } from '../command.ts'
import { kernelBtf } from '../kernel-btf.ts'
import { loadBytes, Op } from '../tiny-program.ts'
import { feature, verdictOf } from './feature.ts'
import type { Feature } from './feature.ts'

const returnZero = [Op.mov(0, 0), Op.exit]
const noDescriptor = 0xffff_ffff

/**
 * A kind of link as a feature, as libbpf asks: a valid program is attached to what cannot be there, and the kernel's errno tells
 * whether it looked for it or did not know the kind.
 */
function linkFeature(
  name: string, since: string, type: ProgramTypeName, attachType: AttachTypeName, looked: readonly number[],
  request: { size: number; fill(attr: Attr): void; load?(attr: Attr): void },
): Feature {
  return feature(name, since, () => {
    const program = loadBytes(type, returnZero, (attr) => {
      attr.u32(68, AttachType[attachType])
      request.load?.(attr)
    })
    if (program < 0) return verdictOf('BPF_PROG_LOAD', program, name)
    try {
      const result = command('BPF_LINK_CREATE', request.size, (attr) => {
        attr.u32(0, program)
        attr.u32(8, AttachType[attachType])
        request.fill(attr)
      })
      return looked.includes(-result) ? 'yes' : verdictOf('BPF_LINK_CREATE', result, name)
    } finally {
      close(program)
    }
  })
}

/** A path that is no file for probes: the kernel looks at the request's shape first. */
function uprobeMulti(name: string, since: string, attachType: AttachTypeName): Feature {
  return feature(name, since, () => {
    const program = loadBytes('kprobe', returnZero, (attr) => attr.u32(68, AttachType[attachType]))
    if (program < 0) return verdictOf('BPF_PROG_LOAD', program, name)
    const offsets = allocate(8)
    try {
      const result = withString('/', (path) => command('BPF_LINK_CREATE', 64, (attr) => {
        attr.u32(0, program)
        attr.u32(8, AttachType[attachType])
        attr.u64(16, path)
        attr.u64(24, offsets.address)
        attr.u32(48, 1)
      }))
      // '/' is no regular file: EBADF says that the kernel came to look at it.
      return result === -Errno.EBADF ? 'yes' : verdictOf('BPF_LINK_CREATE', result, name)
    } finally {
      release(offsets)
      close(program)
    }
  })
}

function kprobeMulti(name: string, since: string, attachType: AttachTypeName): Feature {
  return feature(name, since, () => {
    const program = loadBytes('kprobe', returnZero, (attr) => attr.u32(68, AttachType[attachType]))
    if (program < 0) return verdictOf('BPF_PROG_LOAD', program, name)
    const names = allocate(16)
    try {
      const result = withString('skep_no_such_function', (text) => {
        names.u32.set([text % 2 ** 32, Math.floor(text / 2 ** 32)])
        return command('BPF_LINK_CREATE', 48, (attr) => {
          attr.u32(0, program)
          attr.u32(8, AttachType[attachType])
          attr.u32(20, 1)
          attr.u64(24, names.address)
        })
      })
      return result === -Errno.ESRCH || result === -Errno.ENOENT ? 'yes' : verdictOf('BPF_LINK_CREATE', result, name)
    } finally {
      release(names)
      close(program)
    }
  })
}

/** Kinds of link whose errors do not tell what was missing: the kernel's own types show whether it has them. */
function typedFeature(name: string, since: string, struct: string): Feature {
  return feature(name, since, () => (kernelBtf().find(struct, 'struct') === 0 ? 'no' : 'yes'))
}

const noInterface = (attr: Attr) => attr.u32(4, 0x7fff_fff0)
const noFile = (attr: Attr) => attr.u32(4, noDescriptor)

export const linkFeatures = {
  cgroupLink: linkFeature('links to cgroups', '5.7', 'cgroup_skb', 'cgroup_inet_ingress', [Errno.EBADF], { size: 16, fill: noFile }),
  netnsLink: typedFeature('links to network namespaces', '5.8', 'bpf_netns_link'),
  xdpLink: typedFeature('links to XDP', '5.9', 'bpf_xdp_link'),
  tcx: linkFeature('tcx', '6.6', 'sched_cls', 'tcx_ingress', [Errno.ENODEV], { size: 32, fill: noInterface }),
  netkit: linkFeature('netkit', '6.7', 'sched_cls', 'netkit_primary', [Errno.ENODEV], { size: 32, fill: noInterface }),
  netfilter: linkFeature('netfilter', '6.4', 'netfilter', 'netfilter', [Errno.EAFNOSUPPORT], { size: 32, fill: (attr) => attr.u32(16, 250) }),
  uprobeMulti: uprobeMulti('uprobe.multi', '6.6', 'trace_uprobe_multi'),
  uprobeSession: uprobeMulti('uprobe.session', '6.13', 'trace_uprobe_session'),
  kprobeMulti: kprobeMulti('kprobe.multi', '5.18', 'trace_kprobe_multi'),
  kprobeSession: kprobeMulti('kprobe.session', '6.10', 'trace_kprobe_session'),
} as const satisfies Record<string, Feature>
