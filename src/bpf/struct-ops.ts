import type { Btf, BtfMember } from '../btf/btf.ts'
import { essentialName } from '../btf/flavours.ts'
import type { MapSpec, ProgramSpec } from '../spec/spec.ts'
import { BpfMap } from './map.ts'
import { MapFlags } from './map-layout.ts'
import type { Descriptor } from './descriptor.ts'
import { findKernelType } from './module-btf.ts'
import type { StructOpsMember } from './program-target.ts'
import { TargetError } from './target-error.ts'

/** A table of callbacks as the running kernel defines it. */
export interface KernelStructOps {
  /** 'tcp_congestion_ops' */
  name: string
  btf: Btf
  /** The struct itself, and the map's value that holds it at `offset` bytes. */
  type: number
  members: readonly BtfMember[]
  valueType: number
  valueSize: number
  offset: number
  /** Of the module that defines it; the caller closes it. */
  descriptor: Descriptor | undefined
}

/**
 * The kernel's struct for a structOps map, by the name of the Spec's (5.6).
 * @throws TargetError if the kernel has no such table of callbacks
 */
export function kernelStructOps(spec: MapSpec, local: Btf, kernel: Btf): KernelStructOps {
  const name = essentialName(local.nameOf(spec.structOps!.type))
  const target = `struct_ops:${name}`
  const value = findKernelType(kernel, `bpf_struct_ops_${name}`, 'struct')
  if (value === undefined) throw new TargetError(
    target, `this kernel lets no programs fill it (its BTF has no bpf_struct_ops_${name})`
  )
  const { btf, id, descriptor } = value
  try {
    const whole = btf.type(id)
    const data = whole.kind === 'struct' ? whole.members.find((member) => member.name === 'data') : undefined
    const type = btf.type(btf.resolve(data?.type ?? 0))
    if (data === undefined || type.kind !== 'struct') throw new TargetError(
      target, 'the kernel describes it in a way that is not known'
    )
    return {
      name, btf, type: btf.resolve(data.type), members: type.members, valueType: id, valueSize: btf.sizeOf(id),
      offset: data.bitOffset / 8, descriptor,
    }
  } catch (error) {
    descriptor?.close()
    throw error
  }
}

/** Creates the map; its value comes when the programs are loaded. */
export function createStructOps(spec: MapSpec, table: KernelStructOps, btfFd: number | undefined): BpfMap {
  const module = table.descriptor === undefined ? {} : { moduleBtfFd: table.descriptor.fd }
  const flags = spec.flags | (spec.structOps!.link ? MapFlags.link : 0)
  const made: MapSpec = { ...spec, flags, keySize: 4, valueSize: table.valueSize, maxEntries: 1 }
  return BpfMap.create(made, {
    kernelValue: { type: table.valueType, size: table.valueSize, ...module }, ...(btfFd === undefined ? {} : { btfFd }),
  })
}

/** Where a program stands in the kernel's table; undefined if it is none of the map's. */
export function memberOf(spec: MapSpec, table: KernelStructOps, program: ProgramSpec): StructOpsMember | undefined {
  const used = spec.structOps!.programs.find((one) => one.program === program.name)
  if (used === undefined) return undefined
  const member = table.members.findIndex((one) => one.name === used.member)
  if (member < 0) throw new TargetError(`struct_ops:${table.name}`, `this kernel's struct has no member '${used.member}'`)
  return { type: table.type, member, ...(table.descriptor === undefined ? {} : { module: table.descriptor }) }
}

/**
 * The map's value: the Spec's members at the kernel's places, programs as descriptors.
 * @throws TargetError if the kernel's struct lacks a member that is set, or has it in another size
 */
export function structOpsValue(
  spec: MapSpec, local: Btf, table: KernelStructOps, programFd: (name: string) => number
): Uint8Array {
  const { contents, type, programs } = spec.structOps!
  const value = new Uint8Array(table.valueSize)
  const view = new DataView(value.buffer)
  const struct = local.type(local.resolve(type))
  if (struct.kind !== 'struct') throw new TargetError(`struct_ops:${table.name}`, 'the Spec describes it as no struct')
  for (const member of struct.members) {
    const from = member.bitOffset / 8
    const bytes = contents.subarray(from, from + local.sizeOf(member.type))
    const place = table.members.find((one) => one.name === member.name)
    const program = programs.find((one) => one.offset === from)
    if (place === undefined) {
      if (program === undefined && bytes.every((byte) => byte === 0)) continue
      throw new TargetError(`struct_ops:${table.name}`, `this kernel's struct has no member '${member.name}'`)
    }
    const at = table.offset + place.bitOffset / 8
    if (program !== undefined) {
      view.setBigUint64(at, BigInt(programFd(program.program)), true)
    } else if (bytes.some((byte) => byte !== 0)) {
      const size = table.btf.sizeOf(place.type)
      if (size !== bytes.length) {
        throw new TargetError(
          `struct_ops:${table.name}`, `its member '${member.name}' has ${size} bytes in this kernel, not ${bytes.length}`
        )
      }
      value.set(bytes, at)
    }
  }
  return value
}
