import { AttachType } from '../../spec/spec.ts'
import { openNetworkNamespace } from '../handles.ts'
import { Link } from '../link.ts'
import { createLink } from '../link-create.ts'
import type { Program } from '../program.ts'
import { TargetError } from '../target-error.ts'

/**
 * Which socket gets a connection (sk_lookup, 5.9), or how packets are taken apart (flow_dissector, 5.8), in a network namespace.
 * @param path `/run/netns/NAME`, `/proc/PID/ns/net`; the thread's own by default
 */
export function attachNetworkNamespace(program: Program, path?: string): Link {
  const { type } = program.spec
  if (type !== 'sk_lookup' && type !== 'flow_dissector') {
    throw new TargetError(
      `'${program.name}'`, `a ${type} program is not for network namespaces; those of sk_lookup and flow_dissector are`
    )
  }
  const namespace = openNetworkNamespace(path)
  const place = `${type} of ${namespace.name}`
  try {
    return Link.at(place, createLink({ place, fd: program.fd, target: namespace.fd, attachType: AttachType[type], size: 16 }))
  } finally {
    namespace.close()
  }
}
