import { availableCpus } from '../../sys/machine.ts'
import { writeU64 } from '../../sys/memory.ts'
import type { AttachTarget } from '../../spec/spec.ts'
import { linkGroup } from '../link.ts'
import type { Link } from '../link.ts'
import type { Program } from '../program.ts'
import { attachToPerfEvent, openPerfEvent } from './perf-open.ts'

const software = {
  cpuClock: 0, taskClock: 1, pageFaults: 2, contextSwitches: 3, cpuMigrations: 4, minorFaults: 5, majorFaults: 6, alignmentFaults: 7,
  emulationFaults: 8, dummy: 9, bpfOutput: 10, cgroupSwitches: 11,
} as const
const hardware = {
  cycles: 0, instructions: 1, cacheReferences: 2, cacheMisses: 3, branches: 4, branchMisses: 5, busCycles: 6, stalledFrontend: 7,
  stalledBackend: 8, referenceCycles: 9,
} as const

export interface PerfEventOptions {
  /** Counted by the kernel, by the processor, or any event by its numbers (`/sys/bus/event_source/devices/NAME/type`). */
  event: { software: keyof typeof software } | { hardware: keyof typeof hardware } | { type: number; config: number }
  /** The program runs so many times a second, about, on each CPU; or once every so many events. */
  sample: { frequency: number } | { period: number }
  /** One process; all by default. */
  pid?: number
  /** CPUs to watch; all that run by default. */
  cpus?: readonly number[]
  cookie?: bigint
}

const FLAG_FREQUENCY = 1 << 10
const given: AttachTarget = { kind: 'given', name: '' }

/**
 * Runs a program at samples of an event: a profiler. Kernel 4.9; links 5.15. One event for each CPU, closed together.
 * @throws TargetError if the processor or virtual machine counts no such event
 */
export function attachPerfEvent(program: Program, options: PerfEventOptions): Link {
  const { event, sample, pid = -1, cookie } = options
  const [type, config, name] = 'software' in event ? [1, software[event.software], event.software]
    : 'hardware' in event ? [0, hardware[event.hardware], event.hardware] : [event.type, event.config, `${event.type}:${event.config}`]
  const place = `perf event ${name}`
  const links: Link[] = []
  try {
    for (const cpu of options.cpus ?? availableCpus()) {
      const descriptor = openPerfEvent(`${place} on CPU ${cpu}`, { pid, cpu }, ({ u32 }) => {
        u32[0] = type
        writeU64(u32, 8, config)
        writeU64(u32, 16, 'frequency' in sample ? sample.frequency : sample.period)
        if ('frequency' in sample) u32[10] = FLAG_FREQUENCY
      })
      links.push(attachToPerfEvent(program, given, descriptor, place, cookie))
    }
  } catch (error) {
    for (const link of links) link.close()
    throw error
  }
  return linkGroup(given, links, place)
}
