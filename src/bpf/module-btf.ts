import { readdirSync, readFileSync } from 'node:fs'
import { Btf } from '../btf/btf.ts'
import type { BtfKind } from '../btf/btf.ts'
import { Errno } from '../sys/errno.ts'
import { allocate, release, writeU64 } from '../sys/memory.ts'
import { close } from '../sys/syscall.ts'
import { command, commandError, mustCommand, objectInfo } from './command.ts'
import { Descriptor } from './descriptor.ts'
import { kernelBtf } from './kernel-btf.ts'

const directory = '/sys/kernel/btf'

interface ModuleTypes { name: string; btf: Btf }
let opened: { base: Btf; modules: ModuleTypes[] } | undefined

/**
 * Types of the loaded kernel modules (5.11), each continuing the kernel's. Read once, and again when the kernel's BTF is
 * reopened.
 */
export function moduleBtfs(): readonly ModuleTypes[] {
  const base = kernelBtf()
  if (opened?.base !== base) opened = { base, modules: readModules(base) }
  return opened.modules
}

function readModules(base: Btf): ModuleTypes[] {
  const names = readdirSync(directory).filter((name) => name !== 'vmlinux')
  return names.map((name) => ({ name, btf: Btf.parse(new Uint8Array(readFileSync(`${directory}/${name}`)), base) }))
}

/**
 * A type of the kernel or of one of its modules. `descriptor` is of the module's BTF, to be closed; undefined for the kernel's.
 */
export interface KernelType { btf: Btf; id: number; module: string | undefined; descriptor: Descriptor | undefined }

/** Finds a named type, in the kernel's own types first; undefined if nothing here has it. */
export function findKernelType(kernel: Btf, name: string, kind: BtfKind): KernelType | undefined {
  const id = kernel.find(name, kind)
  if (id !== 0) return { btf: kernel, id, module: undefined, descriptor: undefined }
  // Types given by a file have no modules.
  if (kernel !== kernelBtf()) return undefined
  for (const { name: module, btf } of moduleBtfs()) {
    const found = btf.find(name, kind)
    if (found >= kernel.typeCount) return { btf, id: found, module, descriptor: openModuleBtf(module) }
  }
  return undefined
}

/** The kernel's descriptor of a module's types. */
function openModuleBtf(module: string): Descriptor {
  for (let last = 0; ;) {
    let next = 0
    const result = command('BPF_BTF_GET_NEXT_ID', 12, (attr) => attr.u32(0, last), (attr) => { next = attr.read(4) })
    if (result < 0) throw commandError('BPF_BTF_GET_NEXT_ID', result, `the types of module ${module}`)
    last = next
    const fd = command('BPF_BTF_GET_FD_BY_ID', 12, (attr) => attr.u32(0, last))
    if (fd === -Errno.ENOENT) continue
    if (fd < 0) throw commandError('BPF_BTF_GET_FD_BY_ID', fd, `the types of module ${module}`)
    const info = btfInfo(fd)
    if (info.kernel && info.name === module) return new Descriptor('btf', module, fd)
    close(fd)
  }
}

/** What the kernel says of a BTF object. */
export interface BtfInfo { id: number; bytes: number; name: string; kernel: boolean }

/** `struct bpf_btf_info` of a descriptor (4.18; names from 5.11 on). */
export function btfInfo(fd: number): BtfInfo {
  const name = allocate(64)
  try {
    return objectInfo(fd, 32, ({ u32 }) => ({
      bytes: u32[2]!, id: u32[3]!, kernel: u32[7] !== 0,
      name: new TextDecoder().decode(name.u8.slice(0, Math.max(0, name.u8.indexOf(0)))),
    }), ({ u32 }) => {
      writeU64(u32, 16, name.address)
      u32[6] = 64
    })
  } finally {
    release(name)
  }
}

/** The types of a BTF object on the system, as bytes (4.18; needs CAP_SYS_ADMIN). */
export function btfBytesById(id: number): Uint8Array {
  const fd = mustCommand('BPF_BTF_GET_FD_BY_ID', 12, (attr) => attr.u32(0, id), `BTF ${id}`)
  try {
    const { bytes } = btfInfo(fd)
    const memory = allocate(bytes)
    try {
      objectInfo(fd, 32, () => undefined, ({ u32 }) => {
        writeU64(u32, 0, memory.address)
        u32[2] = bytes
      })
      return memory.u8.slice(0, bytes)
    } finally {
      release(memory)
    }
  } finally {
    close(fd)
  }
}
