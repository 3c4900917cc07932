/**
 * A Spec running in process: no kernel, no root. For tests of probes; see docs/vm.md.
 *
 *     import { kernelObject, simulate } from 'skep/vm'
 */
export { simulate, traceText, Simulation } from './simulate.ts'
export type { Cost, RunResult, SimulateOptions, SimulationSource, Step } from './simulate.ts'
export { kernelObject, FixtureError, KernelObject, MemberAddress } from './kernel-object.ts'
export type { Fields, FieldValue, KernelObjectOptions } from './kernel-object.ts'
export { packet, Packet } from './context.ts'
export type { Context } from './context.ts'
export { VmFault, VmRefusal } from './fault.ts'
export type { FaultKind, FaultPlace, SourceLine } from './fault.ts'
export { lcov } from './coverage.ts'
export type { MapView } from './map-view.ts'
export type { PerfView, RingView } from './ring-view.ts'
export type { CurrentTask } from './world.ts'
export { modelledHelpers } from './helpers.ts'
export { modelledMaps } from './maps/make-map.ts'
