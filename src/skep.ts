/**
 * The library: what a probe module is written with, and what loads and reads it.
 *
 *     import { hash, histogram, tp_btf, ktime, u32, u64 } from 'skep'
 */
export { address, assign, currentCgroup, currentCpu, currentPid, currentTask, currentTid, ktime, local, log2, max, min, networkOrder16, range } from './compiler/language/intrinsics.ts'
export {
  arrayMap, hash, lruHash, percpuArray, percpuHash, ringbuf, MapDeclaration, RingDeclaration, RING_FORCE_WAKEUP, RING_NO_WAKEUP,
} from './compiler/language/maps.ts'
export type { MapOptions, RingOptions } from './compiler/language/maps.ts'
export { raw_tp, tp_btf, tracepoint, ProgramDeclaration } from './compiler/language/programs.ts'
export type { KnownTracepoints, TracepointArgumentsOf } from './compiler/language/programs.ts'
export { option, optionsOf, OptionDeclaration } from './compiler/language/options.ts'
export { user } from './compiler/language/user.ts'
export { TASK_RUNNING } from './compiler/language/constants.ts'

export { array, bool, bytes, chars, i16, i32, i64, i8, struct, u16, u32, u64, u8 } from './spec/schema.ts'
export type { FieldsOf, Schema, StructSchema, ValueOf } from './spec/schema.ts'
export { CodecError, decoder, encoder, recordView } from './spec/codec.ts'
export type { RecordView } from './spec/codec.ts'
export type { MapSpec, ProgramSpec, Spec } from './spec/spec.ts'
export { ObjectError, readObject } from './spec/elf/read.ts'
export { writeObject } from './spec/elf/write.ts'
export { RelocationError, Relocator } from './spec/relocate.ts'

export { counter } from './signals/counter.ts'
export { counterGroup } from './signals/counter-group.ts'
export { event } from './signals/event.ts'
export { histogram } from './signals/histogram.ts'
export { defineProbe } from './signals/probe.ts'
export type { CounterGroupSignal, CounterSignal, EventSignal, HistogramSignal, Signal } from './signals/signal.ts'

export { compileModule } from './compiler/compile.ts'
export type { Compiled, CompileOptions } from './compiler/compile.ts'
export { CompileError } from './compiler/errors.ts'
export { Btf, BtfError } from './btf/btf.ts'

export { Collection, load } from './bpf/collection.ts'
export { kernelBtf } from './bpf/kernel-btf.ts'
export { PolicyError, VerifierError } from './bpf/load-error.ts'
export { BpfMap } from './bpf/map.ts'
export { Program } from './bpf/program.ts'
export { RingReader } from './bpf/ring.ts'
