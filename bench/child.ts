import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { btfChild } from './btf.ts'
import { compileChild } from './compile.ts'

/** What runs in a fresh process of its own: `bench --child NAME ARG…`, one JSON object on standard output. */
export const children: Record<string, (args: string[]) => Promise<void> | void> = { btf: btfChild, compile: compileChild }

export async function inChild<T>(name: string, ...args: string[]): Promise<T> {
  const { stdout } = await promisify(execFile)(process.execPath, [process.argv[1]!, '--child', name, ...args], { encoding: 'utf8' })
  return JSON.parse(stdout) as T
}
