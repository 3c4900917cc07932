import { decode } from '../asm/decode.ts'
import { slotsOf } from '../asm/encode.ts'
import { helperNameOf } from '../asm/helper-names.ts'
import type { Btf } from '../btf/btf.ts'
import { contextBytes } from './context-use.ts'
import { RelocationError, Relocator } from './relocate.ts'
import { AttachType, MapType, ProgramType, type AttachTarget, type ProgramSpec, type Spec } from './spec.ts'

/** Why a program would not do on a kernel what it does on the one it was compiled for. */
export interface Obstacle {
  kind: 'field' | 'hook' | 'prototype' | 'helper' | 'map' | 'program type'
  /** `struct task_struct.__state (0:0)`, 'tp_btf/block_rq_issue', 'bpf_loop'. */
  what: string
  /** To follow `what` in a sentence. */
  reason: string
  /** Slot of the instruction that it is about; null for what concerns the whole program. */
  slot: number | null
}

export interface ProgramPortability { program: string; obstacles: Obstacle[] }

/**
 * Holds a Spec against the types of another kernel, without that kernel: do all relocations resolve, are the hooks there
 * with arguments of the same types, does the kernel list the helpers and the map and program types? What a kernel was
 * configured without is listed all the same, so an empty answer is necessary for a program to work, not sufficient.
 * @param compiledFor types of the kernel that the Spec was compiled on, for the prototypes of its hooks; null when not known
 */
export function portability(spec: Spec, local: Btf | null, target: Btf, compiledFor: Btf | null): ProgramPortability[] {
  const relocator = local === null ? null : new Relocator(local, target)
  const listed = new KernelLists(target)
  return spec.programs.map((program) => ({
    program: program.name,
    obstacles: [
      ...hookObstacles(program, target, compiledFor), ...listed.program(program), ...listed.maps(spec, program),
      ...relocationObstacles(program, relocator), ...listed.helpers(program),
    ],
  }))
}

function relocationObstacles(program: ProgramSpec, relocator: Relocator | null): Obstacle[] {
  if (relocator === null || program.relocations.length === 0) return []
  try {
    return relocator.relocate(program).poisoned.map(({ slot, spec, reason }) => ({ kind: 'field', what: spec, reason, slot }))
  } catch (error) {
    if (error instanceof RelocationError) return [{ kind: 'field', what: error.spec, reason: error.problem, slot: error.slot }]
    throw error
  }
}

/** Hooks that types tell of; others need the symbols of the running kernel. */
function hookObstacles({ attach, code }: ProgramSpec, target: Btf, compiledFor: Btf | null): Obstacle[] {
  const what = attach.kind === 'tracepoint' ? `tracepoint/${attach.category}/${attach.name}` : `${attach.kind}/${attach.name}`
  const lookUp = lookUpOf(attach)
  if (lookUp === null) return []
  const there = prototypeOf(target, ...lookUp)
  if (there === null) return [{ kind: 'hook', what, reason: 'is not among the types of this kernel', slot: null }]
  const here = compiledFor === null ? null : prototypeOf(compiledFor, ...lookUp)
  if (here === null) return []
  // Each argument is a word of 8 bytes; those that the program does not read may be of any type, or absent.
  const used = Math.min(Math.ceil(contextBytes(code) / 8), here.length)
  if (here.slice(0, used).join() === there.slice(0, used).join()) return []
  return [{ kind: 'prototype', what, reason: `has the arguments (${there.join(', ')}) here, (${here.join(', ')}) where it was compiled`, slot: null }]
}

function lookUpOf(attach: AttachTarget): [name: string, kind: 'typedef' | 'func'] | null {
  switch (attach.kind) {
    case 'tp_btf': return [`btf_trace_${attach.name}`, 'typedef']
    case 'fentry': case 'fexit': case 'fmod_ret': return [attach.name, 'func']
    case 'lsm': case 'lsm_cgroup': return [`bpf_lsm_${attach.name}`, 'func']
    case 'iter': return [`bpf_iter_${attach.name}`, 'func']
    default: return null
  }
}

/** The arguments as C writes them, roughly: what they point to and their names count, qualifiers do not. Null if there is no such type. */
function prototypeOf(btf: Btf, name: string, kind: 'typedef' | 'func'): string[] | null {
  const id = btf.find(name, kind)
  if (id === 0) return null
  const type = btf.type(id)
  let proto = type.kind === 'func' ? btf.type(type.type) : btf.type(btf.resolve(id))
  if (proto.kind === 'ptr') proto = btf.type(btf.resolve(proto.type))
  if (proto.kind !== 'funcProto') return null
  // The first argument of a tracepoint's function is the kernel's own.
  return proto.params.slice(kind === 'typedef' ? 1 : 0).map((param) => typeName(btf, param.type, 0))
}

function typeName(btf: Btf, id: number, depth: number): string {
  const type = btf.type(btf.resolve(id))
  if (type.kind === 'ptr') return depth > 4 ? '…' : `${typeName(btf, type.type, depth + 1)} *`
  if (type.kind === 'int') return type.bool ? 'bool' : `${type.signed ? 's' : 'u'}${type.size * 8}`
  const name = 'name' in type ? type.name : ''
  return name === '' ? type.kind : `${type.kind === 'enum64' ? 'enum' : type.kind} ${name}`
}

/** What a kernel's types list of helpers and of kinds of maps and programs. A kernel without such a list is not judged by it. */
class KernelLists {
  readonly #helpers: Set<string> | null
  readonly #maps: Set<number> | null
  readonly #programs: Set<number> | null
  readonly #attach: Set<number> | null

  constructor(btf: Btf) {
    const values = (name: string) => {
      const id = btf.find(name, 'enum', 'enum64')
      const type = id === 0 ? null : btf.type(id)
      return type !== null && 'values' in type ? type.values : null
    }
    const numbers = (name: string) => {
      const all = values(name)
      // The last one is the number of those before it.
      return all === null ? null : new Set(all.filter((one) => !/__MAX/.test(one.name)).map(({ value }) => Number(value)))
    }
    const helpers = values('bpf_func_id')
    this.#helpers = helpers === null ? null : new Set(helpers.map(({ name }) => name.replace(/^BPF_FUNC_/, '')))
    this.#maps = numbers('bpf_map_type')
    this.#programs = numbers('bpf_prog_type')
    this.#attach = numbers('bpf_attach_type')
  }

  program({ type, attachType }: ProgramSpec): Obstacle[] {
    const absent: Obstacle[] = []
    if (this.#programs?.has(ProgramType[type]) === false) absent.push({ kind: 'program type', what: type, reason: 'is no type of program of this kernel', slot: null })
    if (attachType !== undefined && this.#attach?.has(AttachType[attachType]) === false) {
      absent.push({ kind: 'program type', what: attachType, reason: 'is no way of attaching of this kernel', slot: null })
    }
    return absent
  }

  maps(spec: Spec, program: ProgramSpec): Obstacle[] {
    const used = new Set(program.maps.map(({ map }) => map))
    const types = new Set(spec.maps.filter(({ name }) => used.has(name)).map(({ type }) => type))
    return [...types].filter((type) => this.#maps?.has(MapType[type]) === false)
      .map((type) => ({ kind: 'map', what: type, reason: 'is no type of map of this kernel', slot: null }))
  }

  helpers({ code }: ProgramSpec): Obstacle[] {
    if (this.#helpers === null) return []
    const absent = new Map<string, Obstacle>()
    let slot = 0
    for (const instruction of decode(code)) {
      const name = instruction.code === 0x85 && instruction.src === 0 ? helperNameOf(instruction.imm) : undefined
      if (name !== undefined && !this.#helpers.has(name) && !absent.has(name)) {
        absent.set(name, { kind: 'helper', what: `bpf_${name}`, reason: 'is no helper of this kernel', slot })
      }
      slot += slotsOf(instruction)
    }
    return [...absent.values()]
  }
}
