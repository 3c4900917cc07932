import { readObject } from '../../spec/elf/read.ts'
import { clang, compileText } from '../../spec/elf/testing/toolchain.ts'
import type { Spec } from '../../spec/spec.ts'

/** Whether programs for tests can be compiled; tests that need it skip by "clang". */
export const compiler = clang !== undefined

const prologue = `
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
char LICENSE[] SEC("license") = "GPL";
#define bool _Bool
`

/** A Spec from C text; the usual headers and the licence are there. */
export function fromC(text: string, name = 'test'): Spec {
  const machine = { x64: 'x86', arm64: 'arm64', riscv64: 'riscv' }[process.arch as 'x64']
  return readObject(compileText(prologue + text, ['-O2', '-g', '-mcpu=v3', `-D__TARGET_ARCH_${machine}`]).bytes, { name })
}
