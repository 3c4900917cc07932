import { Collection } from '../../bpf/collection.ts'
import { command } from '../../bpf/command.ts'
import { RingBuffer } from '../../bpf/ring-buffer.ts'
import { allocate, release } from '../../sys/memory.ts'
import type { Compiled } from '../compile.ts'
import { MapDeclaration } from '../language/maps.ts'
import { encode, hex, type Contents, type Outcome } from './simulated-kernel.ts'

/** BPF_F_TEST_RUN_ON_CPU: all runs on CPU 0, so that per-CPU maps show what they did. */
const ON_CPU = 1
const CONTEXT_BYTES = 96

/**
 * Runs the one program of a Spec, a raw tracepoint, in the running kernel (BPF_PROG_TEST_RUN, 5.10): once for each context.
 * Nothing is attached, and nothing stays loaded.
 */
export function runInKernel(compiled: Compiled, contexts: readonly (readonly bigint[])[], before: Contents = {}, options: { /** On this thread, which then is the current task, rather than on CPU 0. */ here?: boolean } = {}): Outcome {
  const collection = Collection.load(compiled.spec).requireAll()
  try {
    for (const [name, entries] of Object.entries(before)) {
      const map = collection.map(name)
      const declaration = compiled.maps.get(name) as MapDeclaration
      for (const [key, value] of entries) {
        // Per-CPU values come once for each CPU; the first is that of CPU 0.
        const bytes = new Uint8Array(map.layout.valueStride)
        bytes.set(encode(declaration.value, value))
        map.setRaw(encode(declaration.key, key), bytes)
      }
    }
    const [program] = collection.programs.values()
    for (const context of contexts) testRun(program!.fd, context, options.here === true ? 0 : ON_CPU)
    return outcomeOf(compiled, collection)
  } finally {
    collection.close()
  }
}

function testRun(fd: number, context: readonly bigint[], flags: number): void {
  const memory = allocate(CONTEXT_BYTES)
  try {
    const view = new DataView(memory.u8.buffer, memory.u8.byteOffset, CONTEXT_BYTES)
    memory.u8.fill(0, 0, CONTEXT_BYTES)
    context.forEach((word, index) => view.setBigUint64(index * 8, BigInt.asUintN(64, word), true))
    const status = command('BPF_PROG_TEST_RUN', 80, (attr) => {
      attr.u32(0, fd)
      attr.u32(40, CONTEXT_BYTES)
      attr.u64(48, memory.address)
      attr.u32(64, flags)
      attr.u32(68, 0)
    })
    if (status < 0) throw new Error(`BPF_PROG_TEST_RUN: ${status}`)
  } finally {
    release(memory)
  }
}

function outcomeOf(compiled: Compiled, collection: Collection): Outcome {
  const outcome: Outcome = { maps: {}, rings: {} }
  for (const [name, declaration] of compiled.maps) {
    const map = collection.map(name)
    if (declaration instanceof MapDeclaration) {
      const { keys, values, count, keySize, valueSize, valueStride } = map.readRaw()
      outcome.maps[name] = Array.from({ length: count }, (_, index): [string, string] => [
        hex(keys.subarray(index * keySize, (index + 1) * keySize)), hex(values.subarray(index * valueStride, index * valueStride + valueSize)),
      ]).sort()
      continue
    }
    const ring = new RingBuffer(map)
    const records: string[] = []
    ring.drain((view, offset, length) => records.push(hex(view.u8.subarray(offset, offset + length))), 0, Infinity)
    ring.close()
    outcome.rings[name] = records
  }
  return outcome
}
