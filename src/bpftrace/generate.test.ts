import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { checkProgram } from './check/check.ts'
import { renderDiagnostic } from './diagnostic.ts'
import { generate, type Generated } from './generate/generate.ts'
import { GenerateError } from './generate/generation.ts'
import { imaginaryMachine } from './imaginary-machine.ts'
import { Source } from './source.ts'
import type { Vector } from './vectors.ts'

const machine = imaginaryMachine()
const data = process.env.SKEP_PEER_DATA ?? fileURLToPath(new URL('../../../shared/peer', import.meta.url))
const file = `${data}/bpftrace-frontend-vectors.json`
const vectors: Vector[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : []

/** The program's Spec, its IR checked after every pass; null if the front end refuses it. */
function compile(text: string): Generated | null {
  const source = new Source('stdin', text)
  const { checked } = checkProgram(source, {
    environment: machine, positional: ['123', 'hello', '0x123', '456'], unsafe: true,
    config: { unstable_typeinfo: 'enable', unstable_tseries: 'enable', unstable_dw_ustack: 'enable' },
  })
  if (checked === null) return null
  return generate(checked, machine.btf!, {
    environment: machine, source, named: new Map(), isa: 4, pid: null, childPid: null, helperErrors: false, startNs: 0n, pidNamespace: null, taiOffset: 0n, validate: true,
  })
}

describe('generate', () => {
  it('makes a program an attach point, with its maps and events', () => {
    const { spec, events, targets } = compile(
      'kprobe:f { @[pid] = count(); printf("%d %s\\n", pid, comm); } end { @x = hist(5); }',
    )!
    expect(spec.programs.map(({ name, type, attach }) => ({ name, type, kind: attach.kind }))).toEqual([
      { name: 'kprobe_f', type: 'kprobe', kind: 'kprobe' }, { name: 'end', type: 'raw_tracepoint', kind: 'given' },
    ])
    expect(spec.maps.map(({ name, type, keySize, valueSize }) => ({ name, type, keySize, valueSize }))).toEqual([
      { name: 'events', type: 'ringbuf', keySize: 0, valueSize: 0 }, { name: 'lost', type: 'array', keySize: 4, valueSize: 8 },
      { name: '@', type: 'percpuHash', keySize: 8, valueSize: 8 }, { name: '@x', type: 'percpuHash', keySize: 16, valueSize: 8 },
    ])
    expect(events.filter(({ kind }) => kind !== 'helperError')).toMatchObject([
      { kind: 'printf', format: '%d %s\n', args: [{ offset: 8 }, { offset: 12 }] },
    ])
    expect([...targets.keys()]).toEqual(['kprobe_f', 'end'])
  })

  it('puts loops that the kernel drives into functions of their own, and leaves out empty ones', () => {
    const [loop] = compile('begin { @m[1] = 2; for ($kv : @m) { print($kv); } }')!.spec.programs
    expect(loop!.subprograms?.map(({ name }) => name)).toEqual(['begin_1'])
    expect(loop!.functions).toHaveLength(2)
    const [empty] = compile('begin { for ($i : 5..0) { print($i); } }')!.spec.programs
    expect(empty!.functions).toHaveLength(1)
  })

  it('reads fields of the kernel by CO-RE', () => {
    const [program] = compile('kprobe:f { print(((struct Foo3 *)arg0).foo1.c); }')!.spec.programs
    expect(program!.relocations.map(({ kind, access }) => ({ kind, access }))).toEqual([
      { kind: 'fieldByteOffset', access: '0:0' }, { kind: 'fieldByteOffset', access: '0:0' },
    ])
  })

  it.skipIf(vectors.length === 0)('makes valid code of every program that the front end accepts, or says what is missing', () => {
    const wrong: string[] = []
    for (const { kind, file: stage, src } of vectors) {
      if (kind === 'error' || stage === 'fold_literals' || stage === 'parser') continue
      try {
        compile(src)
      } catch (error) {
        if (error instanceof GenerateError && error.message.endsWith(' is not supported yet')) continue
        wrong.push(`${src}: ${(error as Error).message}`)
      }
    }
    expect(wrong).toEqual([])
  })
})

describe('diagnostics', () => {
  const message = (text: string) => {
    const source = new Source('stdin', text)
    return checkProgram(source, { environment: machine }).diagnostics.list.map((one) => renderDiagnostic(source, one))
  }

  it('are framed as bpftrace frames them', () => {
    expect(message('config = { bad_config=raw } begin {}')).toEqual([
      [
        'stdin:1:12-26: ERROR: bad_config: not a known configuration option', 'config = { bad_config=raw } begin {}', '           ~~~~~~~~~~~~~~',
      ].join('\n'),
    ])
  })

  it('name the calls of macros that led there', () => {
    expect(message('macro bad() { nonsense } begin { print(bad()); }')[0]).toBe([
      "stdin:1:15-23: ERROR: Unknown identifier: 'nonsense'", 'macro bad() { nonsense } begin { print(bad()); }', '              ~~~~~~~~',
      'stdin:1:40-45: ERROR: expanded from', 'macro bad() { nonsense } begin { print(bad()); }', '                                       ~~~~~',
    ].join('\n'))
  })
})
