import { readFileSync } from 'node:fs'

/** Version of the package that this command is of. */
export function packageVersion(): string {
  return (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version
}
