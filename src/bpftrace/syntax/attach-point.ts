import { ProgramError } from '../diagnostic.ts'
import type { Span } from '../source.ts'
import type { AttachPoint } from './ast.ts'
import type { Lexer } from './lexer.ts'
import { parseInteger } from './lexer.ts'
import { providersOf } from './probe-names.ts'

/** Reads one attach point, which is not made of tokens: names, paths, wildcards, quotes and parameters. */
export function readAttachPoint(lexer: Lexer, params: readonly string[] | null): AttachPoint[] {
  const start = lexer.skip()
  lexer.at = start
  const { text } = lexer
  const parts: string[] = ['']
  const quoted: boolean[] = [false]
  let path = false
  reading: while (lexer.at < text.length) {
    const char = text[lexer.at]!
    switch (char) {
      case '"': {
        const token = lexer.next()
        if (token.kind !== 'string') break reading
        parts[parts.length - 1] += token.value
        quoted[parts.length - 1] = true
        continue
      }
      case '$': {
        const token = lexer.next()
        if (token.kind !== 'positional') {
          throw new ProgramError('invalid trailing character for positional param', { start: token.start, end: token.end })
        }
        parts[parts.length - 1] += params === null ? `$${token.index}` : params[token.index - 1] ?? ''
        continue
      }
      case ':':
        if (parts.length === 1) path = providersOf(parts[0]!).some((provider) => provider.path)
        parts.push('')
        quoted.push(false)
        lexer.at++
        continue
      case '/':
        if (!(parts.length === 2 && path) && !(parts.length === 3 && /^it(er)?$/i.test(parts[0]!))) break reading
        if (/^\/\s*[^/{}:]*\/\s*\{/.test(text.slice(lexer.at)) && parts[1] !== '' && parts.length > 2) break reading
        break
      case '{': case '}': case ',': case ';': case ' ': case '\t': case '\n': case '\r': case '(': case ')': case '=':
        break reading
    }
    parts[parts.length - 1] += char
    lexer.at++
  }
  const span = { start, end: Math.max(lexer.at, start + 1) }
  return checkAttachPoint({ parts, quoted, span, text: text.slice(start, lexer.at), unresolved: params === null })
}

interface Raw { parts: string[]; quoted: boolean[]; span: Span; text: string; unresolved: boolean }

function checkAttachPoint({ parts, quoted, span, text, unresolved }: Raw): AttachPoint[] {
  const [written, ...rest] = parts as [string, ...string[]]
  if (written === '') {
    throw new ProgramError(`syntax error, unexpected ${text === '' ? 'end of file' : text}, expecting a probe`, span)
  }
  const named = providersOf(written)
  if (named.length === 0) throw new ProgramError(`Invalid probe type: ${written}`, span)
  const points: AttachPoint[] = []
  let problem: ProgramError | null = null
  for (const { name } of named) {
    const point: AttachPoint = { provider: name, text, parts: rest.map((part) => part), quoted: quoted.slice(1), span }
    try {
      if (!(unresolved && rest.some((part) => part.includes('$')))) checkParts(point)
      points.push(point)
    } catch (error) {
      if (!(error instanceof ProgramError)) throw error
      problem ??= error
    }
  }
  if (points.length === 0) throw problem!
  return points
}

const units = new Set(['s', 'ms', 'us', 'hz'])

/** What the syntax of each provider demands; whether the thing exists is for the checker. */
export function checkParts(point: AttachPoint): void {
  const { provider, parts, span } = point
  const refuse = (message: string, hint?: string): never => { throw new ProgramError(message, span, hint) }
  const count = (least: number, most: number) => {
    if (parts.length >= least && parts.length <= most) return
    if (most === 0) refuse(`${provider} probe requires 0 arguments`)
    refuse(least === most ? `${provider} probe type requires ${least} argument${least === 1 ? '' : 's'}, found ${parts.length}`
      : `${provider} probe type takes ${least}-${most} arguments, found ${parts.length}`)
  }
  const number = (text: string) => {
    if (!/^[0-9][0-9A-Za-z_]*$/.test(text)) refuse(`Invalid number: ${text}`)
    return parseInteger(text, span)
  }
  switch (provider) {
    case 'begin': case 'end': return count(0, 0)
    case 'self':
      count(2, 2)
      if (parts[0] !== 'signal') refuse(`self probe only supports signal, not ${parts[0]}`)
      return
    case 'test': case 'bench':
      count(1, 1)
      if (parts[0] === '') refuse(`${provider} probes must have a name`)
      return
    case 'interval': case 'profile': return checkTimer(point, refuse, number)
    case 'software': case 'hardware':
      count(1, 2)
      if (parts[0] === '') refuse(`${provider} probe must have a ${provider} event name`)
      if (parts.length === 2 && parts[1] !== '') number(parts[1]!)
      return
    case 'tracepoint':
      count(2, 2)
      if (parts[0] === '' || parts[1] === '') refuse('tracepoint probe must have a target and an event')
      return
    case 'rawtracepoint': return count(1, 2)
    case 'kprobe': case 'kretprobe': case 'uprobe': case 'uretprobe': return checkFunction(point, refuse)
    case 'fentry': case 'fexit':
      count(1, 3)
      if (parts.at(-1) === '') refuse(`${provider} must have a function`)
      if (parts.length === 3 && parts[0] !== 'bpf') refuse(`${provider} probe type takes 1-2 arguments, found 3`)
      return
    case 'usdt':
      count(2, 3)
      if (parts.at(-1) === '' && parts.length === 3) refuse('usdt probe must have a target function or wildcard')
      return
    case 'watchpoint': case 'asyncwatchpoint':
      count(3, 3)
      number(parts[0]!)
      number(parts[1]!)
      return
    case 'iter': return count(1, 2)
  }
}

function checkTimer({ provider, parts }: AttachPoint, refuse: (message: string, hint?: string) => never, number: (text: string) => bigint): void {
  if (parts.length === 1) {
    const [text] = parts as [string]
    if (text === '') refuse(`${provider} probe must have unit of time`)
    if (number(text) < 1000n) {
      refuse(`Invalid rate of ${provider} probe. Minimum is 1000 or 1us. Found: ${number(text)} nanoseconds`)
    }
    return
  }
  if (parts.length !== 2) refuse(`${provider} probe type requires 1 or 2 arguments`)
  const [unit, rate] = parts as [string, string]
  if (!units.has(unit)) refuse(`${unit} is not an accepted unit`)
  if (!/^[0-9_]+$/.test(rate)) refuse(`Invalid rate of ${provider} probe: ${rate}`)
  if (number(rate) === 0n) refuse(`${provider} frequency should be a positive integer`)
}

function checkFunction(point: AttachPoint, refuse: (message: string, hint?: string) => never): void {
  const { provider, parts, quoted } = point
  const user = provider.startsWith('u')
  const returns = provider.includes('ret')
  const least = user ? (parts[0]?.includes('@') ? 1 : 2) : 1
  const most = user ? 3 : 2
  if (parts.length < least || parts.length > most + (user && parts[0]?.includes('@') ? 1 : 0)) {
    refuse(`${provider} probe type takes ${least}-${most} arguments, found ${parts.length}`)
  }
  if (least === 1 && user) return
  const target = parts.at(-1)!
  if (target === '') refuse(`${provider} must have a function or address`)
  // A quoted name may be followed by an offset: "fn.abc"+0x10.
  const plus = target.lastIndexOf('+')
  if (plus <= 0 || (quoted.at(-1) === true && !point.text.trimEnd().match(/"\+[0-9A-Za-z]+$/))) return
  const offset = target.slice(plus + 1)
  if (!/^(0[xX][0-9a-fA-F]+|[0-9]+)$/.test(offset)) refuse('Invalid offset')
  if (returns) refuse(`Offset not allowed`)
}
