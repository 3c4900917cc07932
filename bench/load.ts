import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './places.ts'
import { Running } from './running.ts'

export type LoadKind = 'switches' | 'calls'
/** Events a second. */
export const rates: Record<LoadKind, number> = { switches: 100_000, calls: 200_000 }

export interface LoadFigures { events: number; cpuNs: number; wallNs: number; perSecond: number }

let command: string[] | undefined

/** The generator: C, compiled now; Node where there is no compiler. */
export function generator(): string[] {
  if (command !== undefined) return command
  const folder = mkdtempSync(join(tmpdir(), 'skep-bench-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  const binary = join(folder, 'load')
  const compiled = spawnSync('cc', ['-O2', '-pthread', '-o', binary, join(root, 'bench/load.c')], { encoding: 'utf8' })
  if (compiled.status === 0) return command = [binary]
  if (compiled.error === undefined) throw new Error(`cc bench/load.c: ${compiled.stderr}`)
  return command = [process.execPath, join(root, 'bench/load.mjs')]
}

export function generatorName(): string {
  return generator().length === 1 ? 'load generator: C, on CPU 0' : 'load generator: Node, since there is no C compiler'
}

/** Runs the load to its end. */
export async function runLoad(kind: LoadKind, seconds: number): Promise<LoadFigures> {
  const load = startLoad(kind, seconds)
  const figures = JSON.parse(await load.line()) as LoadFigures
  await load.end()
  return figures
}

export function startLoad(kind: LoadKind, seconds: number): Running {
  const [file, ...args] = generator()
  return new Running(file!, [...args, kind, String(rates[kind]), String(seconds), '0'])
}

/** A process that makes system calls all the time, for tracers to see. */
export function startVisibleLoad(seconds: number): Running {
  const [file, ...args] = generator()
  return new Running(file!, [...args, 'calls', '10000', String(seconds)])
}

export function isRoot(): boolean {
  return process.geteuid?.() === 0
}
