import { typeName } from '../types/type.ts'
import type { CheckContext } from './context.ts'

export const mapTypes: Readonly<Record<string, { perCpu: boolean }>> = {
  hash: { perCpu: false }, lruhash: { perCpu: false }, percpuhash: { perCpu: true }, percpulruhash: { perCpu: true },
  array: { perCpu: false }, percpuarray: { perCpu: true },
}

/** What can be said of maps only when everything has been seen. */
export function checkMaps(c: CheckContext): void {
  for (const info of c.maps.values()) {
    const { declaration } = info
    if (declaration === null) {
      if (info.value.kind === 'none') c.error(`Undefined map: ${info.name}`, info.span)
      continue
    }
    const kind = mapTypes[declaration.type]
    if (kind === undefined || declaration.type.endsWith('array')) {
      c.error(
        `Invalid bpf map type: ${declaration.type}`, declaration.span, 'Valid map types: percpulruhash, percpuhash, lruhash, hash',
      )
      continue
    }
    if (declaration.size <= 0) c.error('Max entries must be greater than zero', declaration.span)
    if (info.value.kind === 'none') {
      c.warn(`Unused map: ${info.name}`, declaration.span)
      continue
    }
    const aggregate = info.value.kind === 'aggregate'
    if (kind.perCpu !== aggregate) {
      c.error(
        `Type mismatch for ${info.name}: ${declaration.type} cannot hold values of type '${typeName(info.value)}'`, declaration.span, `use ${aggregate ? 'percpuhash or percpulruhash' : 'hash or lruhash'}`,
      )
    }
  }
}
