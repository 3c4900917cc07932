/** Kinds of BTF types by number (linux/btf.h); 0 is void. */
export const kindNames = [
  'void', 'int', 'ptr', 'array', 'struct', 'union', 'enum', 'fwd', 'typedef', 'volatile', 'const', 'restrict',
  'func', 'funcProto', 'var', 'datasec', 'float', 'declTag', 'typeTag', 'enum64',
] as const
/** `other`: kinds newer than this reader, of which only the size is known. */
export type BtfKind = (typeof kindNames)[number] | 'other'
export const kindNumber = Object.fromEntries(kindNames.map((name, number) => [name, number])) as Record<Exclude<BtfKind, 'other'>, number>

export interface BtfMember { name: string; type: number; /** From the start of the struct. */ bitOffset: number; /** 0 unless a bitfield. */ bitSize: number }

/** An inflated type. Ids of other types may be 0: void. Sizes are bytes. */
export type BtfType =
  | { kind: 'void'; id: 0 }
  | { kind: 'int'; id: number; name: string; size: number; bits: number; /** First bit of an old-style bitfield, else 0. */ shift: number; signed: boolean; char: boolean; bool: boolean }
  | { kind: 'ptr'; id: number; type: number }
  | { kind: 'array'; id: number; element: number; index: number; length: number }
  | { kind: 'struct' | 'union'; id: number; name: string; size: number; members: BtfMember[] }
  | { kind: 'enum' | 'enum64'; id: number; name: string; size: number; signed: boolean; values: { name: string; value: bigint }[] }
  | { kind: 'fwd'; id: number; name: string; union: boolean }
  | { kind: 'typedef' | 'const' | 'volatile' | 'restrict' | 'typeTag'; id: number; name: string; type: number }
  | { kind: 'func'; id: number; name: string; type: number; linkage: 'static' | 'global' | 'extern' }
  | { kind: 'funcProto'; id: number; returns: number; params: { name: string; type: number }[] }
  | { kind: 'var'; id: number; name: string; type: number; linkage: number }
  | { kind: 'datasec'; id: number; name: string; size: number; vars: { type: number; offset: number; size: number }[] }
  | { kind: 'float'; id: number; name: string; size: number }
  | { kind: 'declTag'; id: number; name: string; type: number; component: number }
  | { kind: 'other'; id: number; name: string; number: number }

/** Where a member is, found through anonymous members too. */
export interface MemberPath {
  type: number
  /** From the start of the outer struct. */
  bitOffset: number
  /** 0 unless a bitfield. */
  bitSize: number
  /** Member indexes from the outer struct inwards. */
  path: number[]
}

export const MAGIC = 0xeb9f
export const HEADER_BYTES = 24
/** Since 7.x the header may tell the size of every kind, so that old readers can step over new ones. */
export const HEADER_BYTES_WITH_LAYOUT = 32
