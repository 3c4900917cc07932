import { checkProgram, type Stage } from './check/check.ts'
import { imaginaryMachine } from './imaginary-machine.ts'
import { Source } from './source.ts'
import { int } from './types/type.ts'

/** A program text with what the front end must say of it, as the public test data give it. */
export interface Vector { file: string; fn: string; kind: 'ok' | 'error' | 'warn'; src: string }

/** Where the stage that decides lies in our front end. */
const stages: Record<string, Stage> = {
  parser: 'parse', clang_parser: 'parse', macro_expansion: 'macro', fold_literals: 'fold', attachpoint_passes: 'targets', ap_probe_expansion: 'targets',
}
const machine = imaginaryMachine()
const positional = ['123', 'hello', '0x123', '456']

/** Runs one vector up to its stage. `warn` stands for tests that accept the program and look at its warnings, some of them for none. */
export function runVector({ file, kind, src }: Vector): { passed: boolean; reason: string } {
  const folding = file === 'fold_literals'
  const text = folding ? `begin { ${src} }` : src
  const { diagnostics } = checkProgram(new Source('stdin', text), {
    environment: machine, until: stages[file] ?? 'types', unsafe: true, positional: folding ? ['1', 'foo'] : file === 'parser' ? ['aa', 'bb', 'cc', 'dd'] : positional,
    config: {
      unstable_typeinfo: 'enable', unstable_tseries: 'enable', unstable_dw_ustack: 'enable', missing_probes: file === 'ap_probe_expansion' || file === 'pid_filter_pass' ? 'warn' : 'error',
    },
    externs: new Map([['foo', { params: [int(32, true), int(64, true)], returns: int(32, true) }]]),
    read: (path) => (path === 'lib/foo.bt' ? new Source(path, 'macro foo() { 1 }') : null),
    named: new Map(),
    mode: /^bench/i.test(src) ? 'bench' : 'run',
  })
  const passed = kind === 'error' ? diagnostics.failed : !diagnostics.failed
  const first = diagnostics.list.find(({ severity }) => severity === 'error') ?? diagnostics.list[0]
  return {
    passed, reason: first === undefined ? `no ${kind === 'warn' ? 'warning' : 'error'}` : `${first.severity}: ${first.message}`,
  }
}
