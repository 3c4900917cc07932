import { helperNameOf } from '../asm/helper-names.ts'
import type { ProgramSpec } from '../spec/spec.ts'
import { decodeProgram, type Code } from './code.ts'
import { compileCode } from './compiled.ts'
import { helperTable } from './helpers.ts'
import { Machine } from './machine.ts'
import { READ, WRITE } from './memory.ts'
import { alwaysInitialised } from './registers.ts'

/** A program alone with a context that it may read and write: gives r0. */
export class Bench {
  readonly machine = new Machine({ helpers: helperTable(), helperName: helperNameOf, budget: 1_000_000 })
  readonly code: Code
  readonly context
  constructor(spec: ProgramSpec, bytes: number, compiled = false) {
    this.code = decodeProgram(spec)
    this.code.safe = alwaysInitialised(this.code, (id) => this.machine.argumentsOf(id))
    if (compiled) this.code.compiled = compileCode(this.machine, this.code)
    this.context = this.machine.memory.add({ kind: 'context', name: 'the context', size: bytes, flags: READ | WRITE })
  }

  run(context: Uint8Array): bigint {
    this.machine.memory.bytes(this.context).set(context)
    return this.machine.run(this.code, this.context)
  }
}
