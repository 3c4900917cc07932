import type { AttachTarget } from '../../spec/spec.ts'
import { Errno } from '../../sys/errno.ts'
import { withString } from '../../sys/memory.ts'
import type { AttachOptions } from '../attach.ts'
import { command } from '../command.ts'
import { Descriptor } from '../descriptor.ts'
import { Link, targetName } from '../link.ts'
import { linkError } from '../link-create.ts'
import type { Program } from '../program.ts'
import { TargetError } from '../target-error.ts'

/** Also for tp_btf, whose tracepoint was chosen when it was loaded. Kernel 4.17 (raw_tp), 5.5 (tp_btf). */
export function attachRawTracepoint(
  program: Program, target: AttachTarget & { kind: 'tp_btf' | 'raw_tp' }, options: AttachOptions = {}
): Link {
  const { cookie } = options
  const result = withString(target.name, (name) => command('BPF_RAW_TRACEPOINT_OPEN', cookie === undefined ? 16 : 24, (attr) => {
    attr.u64(0, target.kind === 'raw_tp' ? name : 0)
    attr.u32(8, program.fd)
    if (cookie !== undefined) attr.u64(16, cookie)
  }))
  if (result === -Errno.ENOENT) throw new TargetError(targetName(target), 'this kernel has no such tracepoint')
  if (result < 0) throw linkError('BPF_RAW_TRACEPOINT_OPEN', result, targetName(target))
  return new Link(target, 'link', new Descriptor('link', targetName(target), result))
}
