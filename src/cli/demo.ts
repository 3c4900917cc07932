import type { Arguments } from './arguments.ts'

export async function demo(_args: Arguments): Promise<number> {
  return 1
}
