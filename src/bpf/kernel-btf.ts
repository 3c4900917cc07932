import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { Btf } from '../btf/btf.ts'
import { Errno, SysError } from '../sys/errno.ts'
import { Mapping } from '../sys/mapping.ts'
import { recordClosed, recordOpened } from './ledger.ts'
import type { OpenObject } from './ledger.ts'

export const vmlinuxBtfPath = '/sys/kernel/btf/vmlinux'

interface Opened { btf: Btf; mapping: Mapping | undefined; entry: OpenObject | undefined }
let opened: Opened | undefined

/**
 * The running kernel's types (5.4 with CONFIG_DEBUG_INFO_BTF). Opened once a process; mapped where the kernel allows
 * it (6.16), read otherwise.
 * @throws Error that says what is missing
 */
export function kernelBtf(): Btf {
  opened ??= open()
  return opened.btf
}

/** Unmaps it. The Btf given out before must not be used any more; kernelBtf() opens it anew. */
export function closeKernelBtf(): void {
  if (opened?.entry !== undefined) recordClosed(opened.entry)
  opened?.mapping?.close()
  opened = undefined
}

function open(): Opened {
  let fd: number
  try {
    fd = openSync(vmlinuxBtfPath, 'r')
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    throw new Error(missing
      ? `this kernel has no BTF (${vmlinuxBtfPath}): it needs Linux 5.4 or later built with CONFIG_DEBUG_INFO_BTF`
      : `the kernel's BTF cannot be opened: ${(cause as Error).message}`, { cause })
  }
  try {
    const mapping = map(fd, fstatSync(fd).size)
    if (mapping === undefined) return { btf: Btf.parse(new Uint8Array(readFileSync(fd))), mapping, entry: undefined }
    return { btf: Btf.parse(new Uint8Array(mapping.buffer)), mapping, entry: recordOpened('mapping', vmlinuxBtfPath) }
  } finally {
    closeSync(fd)
  }
}

function map(fd: number, length: number): Mapping | undefined {
  try {
    return Mapping.open(fd, { length, private: true })
  } catch (error) {
    if (error instanceof SysError && (error.errno === Errno.ENODEV || error.errno === Errno.EINVAL)) return undefined
    throw error
  }
}
