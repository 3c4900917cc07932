/**
 * Writes types/vmlinux.d.ts, the kernel types that the package brings: those that the built-in probes and most
 * probes of others use. `skep types` writes all of a kernel. Run it with `npm run vmlinux` on a machine with BTF.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { Btf } from '../src/btf/btf.ts'
import { vmlinuxTypes } from '../src/btf/typescript.ts'

const types = [
  'task_struct', 'signal_struct', 'cred', 'kuid_t', 'mm_struct', 'files_struct', 'fs_struct', 'nsproxy', 'css_set', 'cgroup', 'cgroup_root',
  'kernfs_node', 'linux_binprm', 'file', 'path', 'dentry', 'inode', 'super_block', 'qstr', 'pt_regs',
  'sock', 'sock_common', 'tcp_sock', 'inet_sock', 'inet_connection_sock', 'socket', 'sk_buff', 'net', 'ns_common', 'net_device',
  'request', 'request_queue', 'gendisk', 'bio', 'block_device', 'pid', 'pid_namespace', 'uts_namespace', 'atomic_t',
]
const prefixes = ['sched_', 'block_', 'inet_sock_', 'tcp_', 'sock_', 'cgroup_', 'signal_', 'task_', 'sys_', 'net_', 'napi_', 'kfree_skb', 'page_fault_', 'oom_', 'softirq_', 'irq_handler_', 'timer_', 'hrtimer_', 'mm_vmscan_', 'module_']

const btf = Btf.parse(readFileSync('/sys/kernel/btf/vmlinux'))
const tracepoints: string[] = []
for (let id = 1; id < btf.typeCount; id++) {
  const name = btf.kindOf(id) === 'typedef' ? btf.nameOf(id) : ''
  const tracepoint = name.startsWith('btf_trace_') ? name.slice('btf_trace_'.length) : ''
  if (tracepoint !== '' && prefixes.some((prefix) => tracepoint.startsWith(prefix))) tracepoints.push(tracepoint)
}
const header = '// Kernel types that probes use most, for editors and tsc; made by `npm run vmlinux`. `skep types` writes all of your kernel\'s.'
const text = vmlinuxTypes(btf, { types, tracepoints: tracepoints.sort(), header })
writeFileSync(new URL('../types/vmlinux.d.ts', import.meta.url), text)
console.log(`types/vmlinux.d.ts: ${text.length} bytes, ${tracepoints.length} tracepoints`)
