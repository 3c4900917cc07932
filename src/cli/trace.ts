import { bpftrace } from './bpftrace/main.ts'

/** `skep trace 'PROGRAM' [parameters]`: a program in the bpftrace language, with bpftrace's own options. */
export function traceProgram(args: readonly string[]): Promise<number> {
  return bpftrace(args, true)
}

/** `skep run file.bt [parameters]`. */
export function traceFile(args: readonly string[]): Promise<number> {
  return bpftrace(args)
}
