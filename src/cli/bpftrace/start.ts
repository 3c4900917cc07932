import { bpftrace } from './main.ts'

/** The executable `bpftrace`. */
process.exitCode = await bpftrace(process.argv.slice(2))
process.exit()
