import { btf } from './btf.ts'
import { compile } from './compile.ts'
import { cost } from './cost.ts'
import { memory } from './memory.ts'
import { programs } from './programs.ts'
import { start } from './start.ts'
import type { Result } from './table.ts'

export interface Options {
  quick: boolean
  /** Another checkout, measured in the same rounds. */
  peer: string | null
}

export interface Measurement { summary: string; run: (options: Options) => Promise<Result[]> }

export const measurements: Record<string, Measurement> = {
  start: { summary: 'from the start of the process to the first figures shown, beside node and bpftrace', run: start },
  btf: { summary: "the index of the kernel's types: lazy beside eager", run: btf },
  compile: { summary: 'compile time of each built-in probe, cold and warm, beside the time that the kernel takes to load it', run: compile },
  programs: { summary: 'time of each kernel program a run, as the kernel measures it under load', run: programs },
  cost: { summary: 'added cost to context switches and system calls, beside bpftrace', run: cost },
  memory: { summary: "resident memory under load, the maps' kernel memory, the size of the bundle", run: memory },
}
