import { Btf } from '../../btf/btf.ts'
import { BtfBuilder, type BuiltMember } from '../../btf/builder.ts'

/** A field: a type with its size, or so many bytes of something else. */
interface Type { id: number; size: number; align: number }

/**
 * The types of a small made-up kernel, for tests whose results must not depend on the running one:
 * what the built-in probes touch, at offsets of its own, and tracepoints for numbers of all widths.
 */
class SmallKernel {
  readonly #builder = new BtfBuilder()
  readonly #declared = new Map<string, number>()
  /** Sizes of the named structs, as a first build found them: pointers come before what they point to. */
  readonly sizes = new Map<string, number>()
  readonly #known: ReadonlyMap<string, number>

  constructor(known: ReadonlyMap<string, number>) {
    this.#known = known
  }

  int(name: string, size: number, encoding: { signed?: boolean; char?: boolean; bool?: boolean } = {}): Type {
    return { id: this.#builder.int(name, size, encoding), size, align: size }
  }

  /** A pointer to a struct that may be defined later, or to any type. */
  to(target: string | Type): Type {
    return { id: this.#builder.ptr(typeof target === 'string' ? this.#declare(target) : target.id), size: 8, align: 8 }
  }

  array(element: Type, length: number): Type {
    const index = this.#builder.int('unsigned int', 4)
    return { id: this.#builder.array(element.id, index, length), size: element.size * length, align: element.align }
  }

  enum(name: string, values: Record<string, bigint>): Type {
    return { id: this.#builder.enum(name, 4, false, Object.entries(values).map(([value, number]) => ({ name: value, value: number }))), size: 4, align: 4 }
  }

  typedef(name: string, type: Type): Type {
    return { ...type, id: this.#builder.typedef(name, type.id) }
  }

  /** A struct with C layout; a number leaves so many bytes free, a name that begins with '_' is an anonymous member. */
  struct(name: string, fields: Record<string, Type | number | BitField[]>): Type {
    return this.#aggregate(name, fields, false)
  }

  union(name: string, fields: Record<string, Type>): Type {
    return this.#aggregate(name, fields, true)
  }

  #declare(name: string, union = false): number {
    let id = this.#declared.get(name)
    if (id === undefined) {
      id = this.#builder.declareStruct(name, this.#known.get(name) ?? 0, union)
      this.#declared.set(name, id)
    }
    return id
  }

  #aggregate(name: string, fields: Record<string, Type | number | BitField[]>, union: boolean): Type {
    const members: BuiltMember[] = []
    let [offset, align, size] = [0, 1, 0]
    for (const [field, type] of Object.entries(fields)) {
      if (typeof type === 'number') {
        offset += type
        continue
      }
      if (Array.isArray(type)) {
        const unit = type[0]!.type
        offset = roundUp(offset, unit.align)
        let bit = offset * 8
        for (const { name: bitName, bits, type: bitType } of type) {
          members.push({ name: bitName, type: bitType.id, bitOffset: bit, bitSize: bits })
          bit += bits
        }
        offset += unit.size
        align = Math.max(align, unit.align)
        continue
      }
      offset = union ? 0 : roundUp(offset, type.align)
      members.push({ name: field.startsWith('_anonymous') ? '' : field, type: type.id, bitOffset: offset * 8 })
      align = Math.max(align, type.align)
      offset += type.size
      size = Math.max(size, offset)
    }
    size = roundUp(Math.max(size, offset), align)
    const id = name === '' ? this.#builder.declareStruct('', size, union) : this.#declare(name, union)
    this.#builder.completeStruct(id, members)
    this.sizes.set(name, size)
    return { id, size, align }
  }

  /** `btf_trace_NAME`, as kernels describe the arguments of a tracepoint. */
  tracepoint(name: string, args: Record<string, Type>): void {
    const params = [{ name: '__data', type: this.#builder.ptr(0) }, ...Object.entries(args).map(([arg, type]) => ({ name: arg, type: type.id }))]
    this.#builder.typedef(`btf_trace_${name}`, this.#builder.ptr(this.#builder.funcProto(0, params)))
  }

  build(): Btf {
    return Btf.parse(this.#builder.build())
  }
}

interface BitField { name: string; bits: number; type: Type }

function roundUp(value: number, align: number): number {
  return Math.ceil(value / align) * align
}

let built: Btf | undefined

export function smallKernel(): Btf {
  if (built === undefined) {
    const first = new SmallKernel(new Map())
    describe(first)
    const second = new SmallKernel(first.sizes)
    describe(second)
    built = second.build()
  }
  return built
}

function describe(k: SmallKernel): void {
  const [u8, u16, u32, u64] = [k.int('unsigned char', 1), k.int('unsigned short', 2), k.int('unsigned int', 4), k.int('unsigned long', 8)]
  const [s8, s16, s32, s64] = [
    k.int('signed char', 1, { signed: true }), k.int('short', 2, { signed: true }), k.int('int', 4, { signed: true }), k.int('long', 8, { signed: true }),
  ]
  const char = k.int('char', 1, { signed: true, char: true })
  const bool = k.int('_Bool', 1, { bool: true })
  const pid = k.typedef('pid_t', s32)

  k.struct('kernfs_node', { count: 24, id: u64 })
  k.struct('cgroup_root', { kf: 40, hierarchy_id: s32 })
  k.struct('cgroup', { self: 208, kn: k.to('kernfs_node'), root: k.to('cgroup_root') })
  k.struct('css_set', { subsys: 112, dfl_cgrp: k.to('cgroup') })
  const kuid = k.struct('', { val: u32 })
  k.struct('cred', { usage: 8, uid: k.typedef('kuid_t', kuid) })
  const atomic = k.typedef('atomic_t', k.struct('', { counter: s32 }))
  k.struct('signal_struct', { sigcnt: atomic, live: atomic, group_exit_code: s32, flags: u32 })
  const policy = k.enum('task_policy', { POLICY_NORMAL: 0n, POLICY_FIFO: 1n })
  k.struct('task_struct', {
    thread_info: 24, __state: u32, flags: u32, policy, prio: s32, vruntime: s64, stack: 900,
    bits: [{ name: 'in_execve', bits: 1, type: u32 }, { name: 'sched_class', bits: 5, type: u32 }, { name: 'nice', bits: 6, type: s32 }],
    pid, tgid: pid, real_parent: k.to('task_struct'), group_leader: k.to('task_struct'), start_time: u64, exit_code: s32,
    cred: k.to('cred'), comm: k.array(char, 16), signal: k.to('signal_struct'), cgroups: k.to('css_set'),
    counts: k.array(u32, 8), parents: k.array(k.to('task_struct'), 2),
  })
  k.struct('linux_binprm', { vma: 96, filename: k.to(char) })
  k.struct('pt_regs', { r15: u64, r14: u64, ax: u64 })

  const in6 = k.struct('in6_addr', { words: k.array(u32, 4) })
  k.struct('net', { passive: 16, ns: k.struct('ns_common', { stashed: 8, inum: u32 }) })
  const addresses = k.union('', {
    skc_addrpair: u64, _anonymous: k.struct('', { skc_daddr: u32, skc_rcv_saddr: u32 }),
  })
  const ports = k.union('', { skc_portpair: u32, _anonymous: k.struct('', { skc_dport: u16, skc_num: u16 }) })
  const common = k.struct('sock_common', {
    _anonymous1: addresses, hash: 4, _anonymous2: ports, skc_family: u16, skc_state: u8, reuse: 13,
    skc_net: k.struct('possible_net_t', { net: k.to('net') }), skc_v6_daddr: in6, skc_v6_rcv_saddr: in6, skc_flags: u64,
  })
  const sock = k.struct('sock', { __sk_common: common, sk_lock: 40, sk_protocol: u16 })
  k.struct('inet_sock', { sk: { ...sock, align: 8 }, pinet6: 8, inet_opts: 8, inet_sport: u16 })
  k.struct('tcp_sock', { inet_conn: { ...sock, align: 8 }, rest: 200, bytes_received: u64, bytes_sent: u64, bytes_retrans: u64 })
  k.struct('gendisk', { major: s32, first_minor: s32 })
  k.struct('request_queue', { queuedata: 72, disk: k.to('gendisk') })
  k.struct('request', { q: k.to('request_queue'), mq_ctx: 16, cmd_flags: u32, rq_flags: u32, __data_len: u32 })

  const task = k.to('task_struct')
  k.tracepoint('sched_switch', { preempt: bool, prev: task, next: task, prev_state: u32 })
  for (const name of ['sched_wakeup', 'sched_wakeup_new']) k.tracepoint(name, { p: task })
  k.tracepoint('sched_process_exit', { p: task, group_dead: bool })
  k.tracepoint('sched_process_fork', { parent: task, child: task })
  k.tracepoint('sched_process_exec', { p: task, old_pid: pid, bprm: k.to('linux_binprm') })
  k.tracepoint('sys_exit', { regs: k.to('pt_regs'), ret: s64 })
  for (const name of ['cgroup_mkdir', 'cgroup_rmdir']) k.tracepoint(name, { cgrp: k.to('cgroup'), path: k.to(char) })
  k.tracepoint('inet_sock_set_state', { sk: k.to('sock'), oldstate: s32, newstate: s32 })
  for (const name of ['block_rq_issue']) k.tracepoint(name, { rq: k.to('request') })
  k.tracepoint('block_rq_complete', { rq: k.to('request'), error: u8, nr_bytes: u32 })

  k.tracepoint('nothing', {})
  for (const [name, type] of Object.entries({ u8, u16, u32, u64, s8, s16, s32, s64 })) {
    k.tracepoint(`two_${name}`, { a: type, b: type })
    k.tracepoint(`mixed_${name}_u32`, { a: type, b: u32 })
    k.tracepoint(`mixed_${name}_s64`, { a: type, b: s64 })
  }
  k.tracepoint('three_u64', { a: u64, b: u64, c: u64 })
  k.tracepoint('text', { text: k.to(char), length: u32 })
}
