import type { AttachTypeName, MapTypeName, ProgramTypeName } from './kernel-enums.ts'
import type { Schema } from './schema.ts'

export { AttachType, MapFlag, MapType, ProgramFlag, ProgramType } from './kernel-enums.ts'
export type { AttachTypeName, MapTypeName, ProgramTypeName } from './kernel-enums.ts'

/**
 * The Spec: programs, maps, types and relocations as plain data. Everything meets here:
 * the compiler and the ELF reader make Specs; bpf/ loads them, vm/ runs them, the ELF writer ships them.
 * A Spec depends on no running kernel.
 */
export interface Spec {
  name: string
  /** Licence string given to the kernel; GPL-only helpers need a GPL-compatible one. */
  license: string
  maps: MapSpec[]
  programs: ProgramSpec[]
  /**
   * The Spec's own .BTF: function types, line strings and the local types that CO-RE relocations name.
   * The kernel takes it as `loadableBtf(spec)` gives it, which differs where there are externs.
   */
  btf: Uint8Array | null
  /** What the object expects of the kernel's configuration and of its symbols. */
  externs?: ExternSpec[]
  /** LINUX_VERSION_CODE that old kernels (before 5.0) want to see for kprobes. */
  kernelVersion?: number
}

export interface MapSpec {
  name: string
  type: MapTypeName
  /** Bytes; 0 for ring buffers. */
  keySize: number
  /** Bytes of one value (of one CPU for per-CPU types); 0 for ring buffers. */
  valueSize: number
  /** Entries; bytes for ring buffers; pages for arenas. 0 leaves it to who creates the map (number of CPUs, say). */
  maxEntries: number
  /** BPF_F_* of map creation. */
  flags: number
  key?: Schema
  value?: Schema
  /** Types of key and value in Spec.btf. For a data section the value is its DATASEC. */
  keyType?: number
  valueType?: number
  /** What the type makes of it: hash functions of a bloom filter, address of an arena; 5.16. */
  mapExtra?: number
  numaNode?: number
  /** What the maps in this map are like (arrayOfMaps, hashOfMaps); its name says whose template it is. */
  inner?: MapSpec
  /** Pinned under its name, and reused if it is there. */
  pinning?: 'byName'
  /** What the slots hold from the start: maps of the Spec in a map of maps, its programs in a progArray. */
  slots?: MapSlot[]
  /** Set for sections of global variables, arrays of one value. */
  data?: DataSection
  /** Set for maps of type structOps. Their value's size is the kernel's to say: valueSize is 0. */
  structOps?: StructOps
}

export interface MapSlot { key: number; map?: string; program?: string }

/** Global variables: the one value of an array, or the first bytes of an arena. */
export interface DataSection {
  /** Of the object: `.data`, `.rodata.cst16`, `.bss`, `.kconfig`. */
  section: string
  /** The value before loading; null: all zero. `.kconfig` gets its bytes from the externs. */
  contents: Uint8Array | null
  /** To be frozen once loaded: programs and processes can then rely on it. */
  frozen: boolean
  variables: VariableSpec[]
}

export interface VariableSpec {
  name: string
  /** Bytes from the start of the section. */
  offset: number
  size: number
  /** In Spec.btf. */
  type: number
  /** A `static` variable is not seen outside of the object. */
  static: boolean
}

/** A table of kernel callbacks. */
export interface StructOps {
  /** The struct in Spec.btf, of the name and with the members of the kernel's. */
  type: number
  /** Its bytes, with zeros where programs are called. */
  contents: Uint8Array
  /** Programs of the Spec by the offset (bytes) of the function pointer that they fill. */
  programs: { offset: number; member: string; program: string }[]
  /** Attached by a link (6.4), otherwise by an update of the map. */
  link: boolean
  /** Not made unless asked for (`?.struct_ops`). */
  optional: boolean
}

/**
 * What a program attaches to. `name` is empty where the Spec leaves the target to whoever attaches it.
 * Kinds are libbpf's section names without their flavours (`.s`, `.frags`).
 */
export type AttachTarget =
  | { kind: 'tp_btf'; name: string }
  | { kind: 'raw_tp'; name: string }
  | { kind: 'tracepoint'; category: string; name: string }
  /** A function of the kernel (for freplace of another program; for iter what is iterated). */
  | { kind: 'fentry' | 'fexit' | 'fmod_ret' | 'freplace' | 'lsm' | 'lsm_cgroup' | 'iter'; name: string }
  /** `offset`: bytes into the function. */
  | { kind: 'kprobe' | 'kretprobe'; name: string; offset: number }
  /** `name`: a pattern with `*` and `?`. */
  | { kind: 'kprobe.multi' | 'kretprobe.multi' | 'kprobe.session'; name: string }
  /** `name`: a system call, as in `openat`. */
  | { kind: 'ksyscall' | 'kretsyscall'; name: string }
  /** `path`: a file, or a library's or command's name to be looked for; `name`: a symbol, or empty for an offset in the file. */
  | { kind: 'uprobe' | 'uretprobe'; path: string; name: string; offset: number }
  | { kind: 'uprobe.multi' | 'uretprobe.multi' | 'uprobe.session'; path: string; name: string }
  | { kind: 'usdt'; path: string; provider: string; name: string }
  /** A callback in the structOps map that names the program; `name` says for which member it was written. */
  | { kind: 'struct_ops'; name: string }
  /** Something that only the one who attaches knows: an interface, a cgroup, a socket, a map, a perf event; `name` is empty. */
  | { kind: 'given'; name: '' }

export interface ProgramSpec {
  name: string
  type: ProgramTypeName
  attach: AttachTarget
  /**
   * Encoded instructions, 8 bytes a slot, little endian: the program, then every function that it calls, calls resolved.
   * What `maps` and `externs` list is open: the loader fills the immediates.
   */
  code: Uint8Array
  /** lddw slots that name a map. */
  maps: MapReference[]
  /** CO-RE relocations, in slot order. */
  relocations: CoreRelocation[]
  /** BTF function records, in slot order; the first is slot 0. */
  functions: FunctionInfo[]
  /** BTF line records, in slot order. */
  lines: LineInfo[]
  /** expected_attach_type of loading; its default is 0, or what the type of program implies. */
  attachType?: AttachTypeName
  /** BPF_F_* of loading: see ProgramFlag. */
  flags?: number
  /** Section of the object it came from, as written there. */
  section?: string
  /** False for programs that are loaded only when asked for (`SEC("?…")`). */
  autoload?: boolean
  /** lddw and call slots that name an extern of Spec.externs. */
  externs?: ExternReference[]
  /** Where the functions that the program calls begin, in slot order; the program itself, at slot 0, is left out. */
  subprograms?: { slot: number; name: string }[]
}

/**
 * An lddw that gets the address of a map, or with `offset` the address of that byte in the map's only value (5.2):
 * the loader sets `src` to BPF_PSEUDO_MAP_FD or BPF_PSEUDO_MAP_VALUE, the immediate to the descriptor and the second one to
 * the offset.
 */
export interface MapReference { slot: number; map: string; offset?: number }
/** As `struct bpf_func_info`. `type` is a FUNC in Spec.btf. */
export interface FunctionInfo { slot: number; type: number }
/** As `struct bpf_line_info`: string offsets in Spec.btf. */
export interface LineInfo { slot: number; file: number; text: number; line: number; column: number }

/**
 * A slot that gets what an extern turns out to be. In `code` it is as if a weak extern were absent: an lddw of 0, or a call
 * that must not be reached. An untyped symbol's address goes into the lddw; a typed one makes it BPF_PSEUDO_BTF_ID with the
 * id of the kernel's VAR and the descriptor of the module's BTF (0: the kernel); a function sets the call's immediate to the
 * id of its FUNC.
 */
export interface ExternReference { slot: number; extern: string }

/** What the object expects from the kernel. A weak one may be absent: it is 0, and code that calls it must not be reached. */
export type ExternSpec = KconfigExtern | KsymExtern

/**
 * A value of the kernel's configuration, at `offset` of the map `.kconfig`; the loader finds it in /boot/config or
 * /proc/config.gz, and `kconfigBytes` puts it into the map's value.
 * Names without CONFIG_: LINUX_KERNEL_VERSION, LINUX_HAS_BPF_COOKIE, LINUX_HAS_SYSCALL_WRAPPER.
 */
export interface KconfigExtern {
  kind: 'kconfig'
  name: string
  weak: boolean
  /** Of the variable, in Spec.btf. */
  type: number
  value: 'bool' | 'tristate' | 'char' | 'int' | 'chars'
  signed: boolean
  offset: number
  size: number
}

export interface KsymExtern {
  kind: 'ksym'
  name: string
  weak: boolean
  /** A kernel function (kfunc) that is called; otherwise the address of a variable or, without a type, of any symbol. */
  function: boolean
  /** In Spec.btf: the FUNC, or the type of the variable; 0 for a symbol without a type, found in /proc/kallsyms. */
  type: number
}

/** `enum bpf_core_relo_kind`. */
export const CoreKind = {
  fieldByteOffset: 0, fieldByteSize: 1, fieldExists: 2, fieldSigned: 3, fieldShiftLeft: 4, fieldShiftRight: 5,
  typeIdLocal: 6, typeIdTarget: 7, typeExists: 8, typeSize: 9, enumvalExists: 10, enumvalValue: 11, typeMatches: 12,
} as const
export type CoreKindName = keyof typeof CoreKind

/** As `struct bpf_core_relo`: `type` is a local type in Spec.btf, `access` its accessor string such as "0:3:1". */
export interface CoreRelocation { slot: number; kind: CoreKindName; type: number; access: string }
