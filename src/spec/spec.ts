import type { Schema } from './schema.ts'

/**
 * The Spec: programs, maps, types and relocations as plain data. Everything meets here:
 * the compiler and the ELF reader make Specs; bpf/ loads them, vm/ runs them.
 * A Spec depends on no running kernel.
 */
export interface Spec {
  name: string
  /** Licence string given to the kernel; GPL-only helpers need a GPL-compatible one. */
  license: string
  maps: MapSpec[]
  programs: ProgramSpec[]
  /** The Spec's own .BTF: function types, line strings and the local types that CO-RE relocations name. */
  btf: Uint8Array | null
}

/** `enum bpf_map_type` of linux/bpf.h, the ones in use so far. */
export const MapType = {
  hash: 1, array: 2, percpuHash: 5, percpuArray: 6, lruHash: 9, lruPercpuHash: 10, ringbuf: 27,
} as const
export type MapTypeName = keyof typeof MapType

export interface MapSpec {
  name: string
  type: MapTypeName
  /** Bytes; 0 for ring buffers. */
  keySize: number
  /** Bytes of one value (of one CPU for per-CPU types); 0 for ring buffers. */
  valueSize: number
  /** Entries; bytes for ring buffers. */
  maxEntries: number
  /** BPF_F_* of map creation. */
  flags: number
  key?: Schema
  value?: Schema
}

/** What a program attaches to. */
export type AttachTarget =
  | { kind: 'tp_btf'; name: string }
  | { kind: 'raw_tp'; name: string }
  | { kind: 'tracepoint'; category: string; name: string }

/** `enum bpf_prog_type` of linux/bpf.h, the ones in use so far. */
export const ProgramType = { tracepoint: 5, raw_tracepoint: 17, tracing: 26 } as const
export type ProgramTypeName = keyof typeof ProgramType

export interface ProgramSpec {
  name: string
  type: ProgramTypeName
  attach: AttachTarget
  /** Encoded instructions, 8 bytes a slot, little endian. */
  code: Uint8Array
  /** lddw slots that name a map. */
  maps: MapReference[]
  /** CO-RE relocations, in slot order. */
  relocations: CoreRelocation[]
  /** BTF function records, in slot order; the first is slot 0. */
  functions: FunctionInfo[]
  /** BTF line records, in slot order. */
  lines: LineInfo[]
}

export interface MapReference { slot: number; map: string }
/** As `struct bpf_func_info`. `type` is a FUNC in Spec.btf. */
export interface FunctionInfo { slot: number; type: number }
/** As `struct bpf_line_info`: string offsets in Spec.btf. */
export interface LineInfo { slot: number; file: number; text: number; line: number; column: number }

/** `enum bpf_core_relo_kind`. */
export const CoreKind = {
  fieldByteOffset: 0, fieldByteSize: 1, fieldExists: 2, fieldSigned: 3, fieldShiftLeft: 4, fieldShiftRight: 5,
  typeIdLocal: 6, typeIdTarget: 7, typeExists: 8, typeSize: 9, enumvalExists: 10, enumvalValue: 11, typeMatches: 12,
} as const
export type CoreKindName = keyof typeof CoreKind

/** As `struct bpf_core_relo`: `type` is a local type in Spec.btf, `access` its accessor string such as "0:3:1". */
export interface CoreRelocation { slot: number; kind: CoreKindName; type: number; access: string }
