import { existsSync } from 'node:fs'
import type { Preamble } from '../../bpftrace/syntax/ast.ts'

/** Headers whose types the kernel's BTF has, or that define what is built in. */
const known = /^(linux|net|uapi|asm|asm-generic|generated|trace|scsi|sound|acpi|crypto|rdma)\/|^(bpf|blk.*|std(int|def|io|bool|lib|arg)|string|limits|stddef|errno|unistd|time|signal|inttypes|sys\/.*|netinet\/.*|arpa\/.*|xfs.*)\.h$/

/** The message of a C compiler for a header that is nowhere; null if all are there or not needed. */
export function missingInclude(preamble: Preamble): string | null {
  for (const { name, line } of preamble.includes) {
    if (known.test(name) || ['/usr/include', '.'].some((folder) => existsSync(`${folder}/${name}`))) continue
    return `definitions.h:${line + 1}:10: fatal error: '${name}' file not found`
  }
  return null
}
