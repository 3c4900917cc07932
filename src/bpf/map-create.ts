import { MapType } from '../spec/spec.ts'
import type { MapSpec, MapTypeName } from '../spec/spec.ts'
import { Errno } from '../sys/errno.ts'
import { close } from '../sys/syscall.ts'
import { possibleCpus } from '../sys/machine.ts'
import { loadBtf } from './btf-load.ts'
import { command, commandError } from './command.ts'
import { PolicyError } from './load-error.ts'
import { checkMapSpec, MapFlags, storageTypes } from './map-layout.ts'
import { withMemlock } from './memlock.ts'
import { schemaTypes } from './schema-btf.ts'

/** What a map's making needs beside its Spec. */
export interface MapCreation {
  /** Descriptor of the BTF that keyType and valueType of the Spec are in. */
  btfFd?: number
  /** A delegated permission; see Token. */
  tokenFd?: number
  /** structOps: type id of the value in the kernel's BTF, and its size. */
  kernelValue?: { type: number; size: number; /** The module whose BTF it is in. */ moduleBtfFd?: number }
  /** For hardware that runs the programs: an interface's index. */
  interfaceIndex?: number
}

/** Types whose keys and values the kernel wants no BTF for (libbpf keeps the same list). */
const untyped = new Set<MapTypeName>([
  'perfEventArray', 'cgroupArray', 'stackTrace', 'arrayOfMaps', 'hashOfMaps', 'devmap', 'devmapHash', 'cpumap', 'xskmap', 'sockmap',
  'sockhash', 'queue', 'stack', 'ringbuf', 'userRingbuf', 'progArray', 'reuseportSockarray', 'bloomFilter', 'insnArray',
])

interface Types { btfFd: number; key: number; value: number }

/** Creates the map and returns its descriptor. @throws as BpfMap.create */
export function createMap(spec: MapSpec, creation: MapCreation = {}): number {
  checkMapSpec(spec)
  const inner = spec.inner === undefined ? undefined : createMap(innerSpec(spec.inner), creation)
  try {
    return createTyped(spec, creation, inner)
  } finally {
    if (inner !== undefined) close(inner)
  }
}

/** A template may leave open how many entries the maps have. */
function innerSpec(spec: MapSpec): MapSpec {
  return spec.maxEntries === 0 && !storageTypes.has(spec.type) && spec.type !== 'perfEventArray' ? { ...spec, maxEntries: 1 } : spec
}

function createTyped(spec: MapSpec, creation: MapCreation, inner: number | undefined): number {
  if (storageTypes.has(spec.type) && spec.keyType === undefined && spec.key !== undefined && spec.value !== undefined) {
    const { bytes, key, value } = schemaTypes(spec.key, spec.value)
    const btf = loadBtf(spec.name, bytes, creation.tokenFd)
    try {
      return checked(spec, createFrom(spec, creation, inner, { btfFd: btf.fd, key, value }))
    } finally {
      btf.close()
    }
  }
  const { btfFd } = creation
  const typed = btfFd !== undefined && !untyped.has(spec.type) && (spec.valueType !== undefined || creation.kernelValue !== undefined)
  if (!typed) return checked(spec, createFrom(spec, creation, inner))
  const result = createFrom(spec, creation, inner, { btfFd, key: spec.keyType ?? 0, value: spec.valueType ?? 0 })
  // A kernel that takes no such types for this kind of map does without, as it does for libbpf.
  const required = storageTypes.has(spec.type) || spec.type === 'structOps'
  if ((result === -Errno.EINVAL || result === -Errno.ENOTSUPP) && !required) return checked(spec, createFrom(spec, creation, inner))
  return checked(spec, result)
}

function checked(spec: MapSpec, result: number): number {
  if (result >= 0) return result
  const what = `map '${spec.name}' (${spec.type})`
  if (result === -Errno.EPERM || result === -Errno.EACCES) throw new PolicyError('bpf(BPF_MAP_CREATE)', -result, `making ${what}`)
  throw commandError('BPF_MAP_CREATE', result, what)
}

function createFrom(spec: MapSpec, creation: MapCreation, inner: number | undefined, types?: Types): number {
  const { kernelValue, tokenFd } = creation
  let flags = spec.flags
  if (spec.numaNode !== undefined) flags |= MapFlags.numaNode
  if (tokenFd !== undefined) flags |= MapFlags.tokenFd
  if (kernelValue?.moduleBtfFd !== undefined) flags |= MapFlags.valueTypeBtf
  return withMemlock(() => command('BPF_MAP_CREATE', tokenFd === undefined && kernelValue?.moduleBtfFd === undefined ? 72 : 80, (attr) => {
    attr.u32(0, MapType[spec.type])
    attr.u32(4, spec.keySize)
    attr.u32(8, kernelValue?.size ?? spec.valueSize)
    attr.u32(12, spec.type === 'perfEventArray' && spec.maxEntries === 0 ? possibleCpus() : spec.maxEntries)
    attr.u32(16, flags)
    attr.u32(20, inner ?? 0)
    attr.u32(24, spec.numaNode ?? 0)
    attr.name(28, spec.name)
    attr.u32(44, creation.interfaceIndex ?? 0)
    if (types !== undefined) {
      attr.u32(48, types.btfFd)
      if (kernelValue === undefined) {
        attr.u32(52, types.key)
        attr.u32(56, types.value)
      } else {
        attr.u32(60, kernelValue.type)
      }
    }
    attr.u64(64, spec.mapExtra ?? 0)
    attr.u32(72, kernelValue?.moduleBtfFd ?? 0)
    attr.u32(76, tokenFd ?? 0)
  }))
}
