import { readFileSync, statSync } from 'node:fs'
import { kernelBtf } from '../../bpf/kernel-btf.ts'
import { readTracefs } from '../../bpf/tracefs.ts'
import type { Environment, TracepointField } from '../../bpftrace/environment.ts'
import { possibleCpus } from '../../sys/machine.ts'
import { elfSymbols } from './elf-symbols.ts'
import { machineHooks } from './hooks.ts'
import { kernelAddress } from './kernel-symbols.ts'

/** What the front end asks about the machine it runs on. */
export function machineEnvironment(options: { pid: number | null; functionList: string | null }): Environment {
  return {
    btf: kernelBtf(),
    hooks: machineHooks(options),
    tracepointFields,
    userSymbol: (path, name) => {
      const elf = elfSymbols(path)
      const found = elf?.functions.find((one) => one.name === name) ?? elf?.objects.find((one) => one.name === name)
      return found === undefined ? undefined : { address: found.address, size: found.size, relocatable: elf!.relocatable }
    },
    kernelSymbol: kernelAddress,
    perCpuSymbol: (name) => kernelBtf().find(name, 'var') !== 0,
    cgroupId: (path) => {
      try {
        return statSync(path, { bigint: true }).ino
      } catch {
        return undefined
      }
    },
    cpus: possibleCpus(),
  }
}

const field = /field:(.*?)\s*([A-Za-z_]\w*)((?:\[[^\]]*\])*);\s*offset:(\d+);\s*size:(\d+);\s*signed:(\d);/

/** The fields of a tracepoint, as its format file describes them. */
export function tracepointFields(category: string, name: string): TracepointField[] | undefined {
  const text = readTracefs(`events/${category}/${name}/format`)
  if (text === undefined) return undefined
  return text.split('\n').flatMap((line) => {
    const match = field.exec(line)
    return match === null ? [] : [
      {
        type: match[1]! + match[3]!, name: match[2]!, offset: Number(match[4]), size: Number(match[5]), signed: match[6] === '1',
      },
    ]
  })
}

/** Nanoseconds between the clock `boot` and 1970, and TAI's lead over UTC. */
export function clockOffsets(): { wall: bigint; tai: bigint; boot: bigint } {
  const uptime = BigInt(Math.round(Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]) * 1e9))
  const now = BigInt(Date.now()) * 1_000_000n
  return { wall: now - uptime, tai: now - uptime + 37_000_000_000n, boot: uptime }
}

/** The namespace of process ids that this process counts in, if it is not the first one. */
export function pidNamespace(): { device: bigint; inode: bigint } | null {
  const { dev, ino } = statSync('/proc/self/ns/pid', { bigint: true })
  const first = 0xefff_fffcn
  return ino === first ? null : { device: dev, inode: ino }
}
