import { existsSync, readFileSync } from 'node:fs'
import { Btf } from '../btf/btf.ts'
import { BtfBuilder, type BuiltMember } from '../btf/builder.ts'

/** A kernel with the few types that the built-in probes look at, so that their tests run on any machine. */
export function smallKernel(): Btf {
  const b = new BtfBuilder()
  const sizes = new Map<number, { size: number; align: number }>()
  const sized = (id: number, size: number, align = size) => {
    sizes.set(id, { size, align })
    return id
  }
  const int = sized(b.int('int', 4, { signed: true }), 4)
  const char = sized(b.int('char', 1, { signed: true, char: true }), 1)
  const u8 = sized(b.int('unsigned char', 1), 1)
  const u16 = sized(b.int('unsigned short', 2), 2)
  const u32 = sized(b.int('unsigned int', 4), 4)
  const long = sized(b.int('long', 8, { signed: true }), 8)
  const u64 = sized(b.int('unsigned long', 8), 8)
  const bool = sized(b.int('_Bool', 1, { bool: true }), 1)
  const ptr = (id: number) => sized(b.ptr(id), 8)
  const array = (id: number, length: number) => sized(
    b.array(id, u32, length), sizes.get(id)!.size * length, sizes.get(id)!.align,
  )
  const lay = (fields: Record<string, number>, union: boolean) => {
    let offset = 0
    let align = 1
    let size = 0
    const members: BuiltMember[] = []
    for (const [name, type] of Object.entries(fields)) {
      const of = sizes.get(type)!
      const at = union ? 0 : Math.ceil(offset / of.align) * of.align
      members.push({ name: name.startsWith('_anonymous') ? '' : name, type, bitOffset: at * 8 })
      offset = at + of.size
      size = Math.max(size, offset)
      align = Math.max(align, of.align)
    }
    return { members, size: Math.ceil(size / align) * align, align }
  }
  const struct = (name: string, fields: Record<string, number>) => {
    const { members, size, align } = lay(fields, false)
    return sized(b.struct(name, size, members), size, align)
  }
  const union = (name: string, fields: Record<string, number>) => {
    const { members, size, align } = lay(fields, true)
    return sized(b.union(name, size, members), size, align)
  }

  const kernfs = struct('kernfs_node', { padding: u64, id: u64 })
  const root = struct('cgroup_root', { padding: u64, hierarchy_id: int })
  const cgroup = struct('cgroup', { self: u64, kn: ptr(kernfs), root: ptr(root) })
  const cssSet = struct('css_set', { refcount: u64, dfl_cgrp: ptr(cgroup) })
  const kuid = struct('', { val: u32 })
  const cred = struct('cred', { usage: u64, uid: kuid })
  const atomic = struct('', { counter: int })
  const signal = struct('signal_struct', { sigcnt: u32, live: atomic, group_exit_code: int, flags: u32 })
  // Points to itself, so its size is known before its members are.
  const task = sized(b.declareStruct('task_struct', 0), 0, 8)
  const taskFields = {
    thread_info: u64, __state: u32, flags: u32, exit_code: int, pid: int, tgid: int, real_parent: ptr(task), group_leader: ptr(task), start_time: u64, cred: ptr(cred),
    comm: array(char, 16), signal: ptr(signal), cgroups: ptr(cssSet),
  }
  const binprm = struct('linux_binprm', { vma: u64, filename: ptr(char) })
  const registers = struct('pt_regs', { r15: u64, ax: u64 })
  const nsCommon = struct('ns_common', { count: u32, inum: u32 })
  const net = struct('net', { passive: u64, ns: nsCommon })
  const possibleNet = struct('', { net: ptr(net) })
  const in6 = struct('in6_addr', { in6_u: array(u8, 16) })
  const common = struct('sock_common', {
    skc_daddr: u32, skc_rcv_saddr: u32, skc_dport: u16, skc_num: u16, skc_family: u16, skc_state: u8, skc_net: possibleNet, skc_v6_daddr: in6, skc_v6_rcv_saddr: in6,
    _anonymous: union('', { skc_flags: u64, skc_listener: u64 }),
  })
  const sock = struct('sock', { __sk_common: common, sk_protocol: u16 })
  const inet = struct('inet_sock', { sk: sock, inet_sport: u16 })
  const icsk = struct('inet_connection_sock', { icsk_inet: inet, icsk_retransmits: u8 })
  struct('tcp_sock', { inet_conn: icsk, bytes_received: u64, bytes_sent: u64, bytes_retrans: u64 })
  const disk = struct('gendisk', { major: int, first_minor: int })
  const queue = struct('request_queue', { padding: u64, disk: ptr(disk) })
  const request = struct('request', { q: ptr(queue), cmd_flags: u32, __data_len: u32 })
  const laid = lay(taskFields, false)
  b.completeStruct(task, laid.members)

  const hook = (name: string, params: Record<string, number>) => {
    const proto = b.funcProto(
      0, [{ name: '', type: b.ptr(0) }, ...Object.entries(params).map(([param, type]) => ({ name: param, type }))],
    )
    b.typedef(`btf_trace_${name}`, b.ptr(proto))
  }
  hook('sched_wakeup', { p: ptr(task) })
  hook('sched_wakeup_new', { p: ptr(task) })
  hook('sched_switch', { preempt: bool, prev: ptr(task), next: ptr(task), prev_state: u32 })
  hook('sched_process_fork', { parent: ptr(task), child: ptr(task) })
  hook('sched_process_exec', { p: ptr(task), old_pid: int, bprm: ptr(binprm) })
  hook('sched_process_exit', { p: ptr(task), group_dead: bool })
  hook('sys_exit', { regs: ptr(registers), ret: long })
  hook('inet_sock_set_state', { sk: ptr(sock), oldstate: int, newstate: int })
  hook('cgroup_mkdir', { cgrp: ptr(cgroup), path: ptr(char) })
  hook('cgroup_rmdir', { cgrp: ptr(cgroup), path: ptr(char) })
  hook('block_rq_issue', { rq: ptr(request) })
  hook('block_rq_complete', { rq: ptr(request), error: u8, nr_bytes: u32 })
  b.func('task_changed', b.funcProto(int, [{ name: 'task', type: ptr(task) }, { name: 'flags', type: int }]))
  b.func('bpf_rcu_read_lock', b.funcProto(0, []))
  return withSize(b.build(), task, laid.size)
}

/** Puts the size of a struct in that was declared before its members were known. */
function withSize(bytes: Uint8Array, id: number, size: number): Btf {
  const view = new DataView(bytes.buffer)
  const name = Btf.parse(bytes).nameOf(id)
  for (let at = 24; at < bytes.length - 12; at += 4) {
    // A struct of size 0 with this name: name offset, kind 4 with members, size.
    const named = view.getUint32(at + 4, true) >>> 24 === 4 && view.getUint32(at + 8, true) === 0
    if (!named || textAt(bytes, view, view.getUint32(at, true)) !== name) continue
    view.setUint32(at + 8, size, true)
    return Btf.parse(bytes)
  }
  throw new Error(`no struct ${name}`)
}

function textAt(bytes: Uint8Array, view: DataView, offset: number): string {
  const start = 24 + view.getUint32(16, true) + offset
  return new TextDecoder().decode(bytes.subarray(start, bytes.indexOf(0, start)))
}

const vmlinux = '/sys/kernel/btf/vmlinux'

/** The kernels that probes are tried on: the small one, and the running one where there is one. */
export function kernels(): [name: string, btf: Btf][] {
  return [
    ['a small kernel', smallKernel()],
    ...(existsSync(vmlinux) ? [['the running kernel', Btf.parse(readFileSync(vmlinux))] as [string, Btf]] : []),
  ]
}
