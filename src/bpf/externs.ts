import type { Btf } from '../btf/btf.ts'
import { kconfigBytes } from '../spec/kconfig.ts'
import type { ExternSpec, KconfigExtern, KsymExtern, ProgramSpec, Spec } from '../spec/spec.ts'
import type { Descriptor } from './descriptor.ts'
import { kernelSymbol } from './kallsyms.ts'
import { kernelOption } from './kernel-config.ts'
import { findKernelType } from './module-btf.ts'
import { TargetError } from './target-error.ts'

const BPF_PSEUDO_BTF_ID = 3

/** Descriptors that a program's instructions name by their place: modules whose functions it calls. */
export interface FdArray { fds: number[]; close(): void }

/**
 * Puts what externs turn out to be into a program's code.
 * @returns descriptors to load the program with, to be closed then
 * @throws TargetError for a symbol that the kernel does not have, unless it is weak
 */
export function resolveExterns(program: ProgramSpec, code: Uint8Array, externs: readonly ExternSpec[], kernel: Btf): FdArray {
  const view = new DataView(code.buffer, code.byteOffset, code.byteLength)
  const modules = new Map<string, { descriptor: Descriptor; index: number }>()
  // Place 0 means the kernel itself.
  const fds = [0]
  const fdArray = { fds, close() { for (const { descriptor } of modules.values()) descriptor.close() } }
  try {
    for (const { slot, extern: name } of program.externs ?? []) {
      const extern = externs.find((one) => one.kind === 'ksym' && one.name === name) as KsymExtern | undefined
      if (extern === undefined) throw new Error(
        `program '${program.name}': slot ${slot} names '${name}', which the Spec does not have`
      )
      if (extern.type === 0) placeAddress(view, slot, extern)
      else placeType(view, slot, extern, kernel, (module, descriptor) => {
        const known = modules.get(module)
        if (known !== undefined) {
          descriptor.close()
          return { fd: known.descriptor.fd, index: known.index }
        }
        const index = fds.push(descriptor.fd) - 1
        modules.set(module, { descriptor, index })
        return { fd: descriptor.fd, index }
      })
    }
    return fdArray
  } catch (error) {
    fdArray.close()
    throw error
  }
}

function missing(extern: KsymExtern): void {
  if (!extern.weak) {
    throw new TargetError(
      `ksym:${extern.name}`,
      `this kernel has no such ${extern.function ? 'function' : 'symbol'}; __weak says that it may be absent`,
    )
  }
}

function placeAddress(view: DataView, slot: number, extern: KsymExtern): void {
  const address = kernelSymbol(extern.name)
  if (address === undefined) return missing(extern)
  view.setUint32(slot * 8 + 4, Number(address & 0xffff_ffffn), true)
  view.setUint32(slot * 8 + 12, Number(address >> 32n), true)
}

type Use = (module: string, descriptor: Descriptor) => { fd: number; index: number }

function placeType(view: DataView, slot: number, extern: KsymExtern, kernel: Btf, use: Use): void {
  const found = findKernelType(kernel, extern.name, extern.function ? 'func' : 'var')
  if (found === undefined) return missing(extern)
  const module = found.descriptor === undefined ? { fd: 0, index: 0 } : use(found.module!, found.descriptor)
  view.setInt32(slot * 8 + 4, found.id, true)
  if (extern.function) {
    view.setInt16(slot * 8 + 2, module.index, true)
    return
  }
  view.setUint8(slot * 8 + 1, view.getUint8(slot * 8 + 1) & 0x0f | BPF_PSEUDO_BTF_ID << 4)
  view.setInt32(slot * 8 + 12, module.fd, true)
}

/** The value of the Spec's map `.kconfig`, from the running kernel's configuration. @throws KconfigError */
export function kconfigContents(spec: Spec, size: number): Uint8Array {
  const externs = (spec.externs ?? []).filter((extern): extern is KconfigExtern => extern.kind === 'kconfig')
  return kconfigBytes(externs, size, kernelOption)
}
