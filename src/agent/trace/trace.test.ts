import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { trace, TraceError, type TraceMessage } from './trace.ts'

const can = existsSync('/sys/kernel/btf/vmlinux') && process.getuid?.() === 0

async function all(program: string, options = {}): Promise<TraceMessage[]> {
  const messages: TraceMessage[] = []
  for await (const message of trace(program, options)) messages.push(message)
  return messages
}

describe.skipIf(!can)('trace (needs root and BTF)', () => {
  it('gives what a program says, and its maps at the end', async () => {
    const messages = await all(
      'begin { printf("%s %d\\n", str($1), 2); @a["x"] = count(); @h = hist(5); exit(); }', { parameters: ['hello'] },
    )
    expect(messages).toEqual([
      { type: 'printf', data: 'hello 2\n' },
      { type: 'map', data: { '@a': { x: 1 } } },
      { type: 'hist', data: { '@h': [{ min: 4, max: 7, count: 1 }] } },
    ])
  })

  it('counts exactly, on every CPU', async () => {
    const messages = await all('begin { for ($i : 0..1000) { @c = count(); @s = sum($i); } }')
    expect(messages).toEqual([{ type: 'map', data: { '@c': 1000 } }, { type: 'map', data: { '@s': 499_500 } }])
  })

  it('ends when it is told to', async () => {
    const stop = new AbortController()
    const seen: string[] = []
    for await (const message of trace('interval:ms:10 { printf("tick\\n"); }', { signal: stop.signal })) {
      seen.push(message.type)
      stop.abort()
    }
    expect(seen[0]).toBe('printf')
  })

  it('names the place of what is wrong', async () => {
    await expect(all('begin { @x = 0; @x = "a"; }')).rejects.toThrow(TraceError)
    await expect(all('begin { @x = 0; @x = "a"; }')).rejects.toThrow(/^program:1:17-25: ERROR: Type mismatch for @x/)
  })
})
