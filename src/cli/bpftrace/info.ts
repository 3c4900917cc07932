import { existsSync, readFileSync } from 'node:fs'
import { release } from 'node:os'
import { kernelBtf } from '../../bpf/kernel-btf.ts'

/** `--info`: in the words that wrappers look for. */
export function featureReport(): string {
  const btf = kernelBtf()
  const helpers = new Set(helperNames())
  const yes = (there: boolean) => (there ? 'yes' : 'no')
  const fn = (name: string) => btf.find(name, 'func') !== 0
  const kprobes = existsSync('/sys/bus/event_source/devices/kprobe')
  const helper = (name: string) => `  ${name}: ${yes(helpers.has(name))}\n`
  return `System
  OS: Linux ${release()} ${readFileSync('/proc/version', 'utf8').trim()}
  Arch: x86_64

Build
  version: v0.26.0-skep
  LLVM: none
  bfd: no
  libdw (DWARF support): no
  libsystemd (systemd notify support): no

Kernel helpers
${['probe_read', 'probe_read_str', 'probe_read_user', 'probe_read_user_str', 'probe_read_kernel', 'probe_read_kernel_str', 'get_current_cgroup_id', 'send_signal', 'override_return',
    'get_boot_ns', 'dpath', 'skboutput', 'get_tai_ns', 'get_func_ip', 'jiffies64', 'for_each_map_elem', 'get_ns_current_pid_tgid', 'lookup_percpu_elem', 'loop']
    .map((name) => helper(name)).join('')}
Kernel features
  Instruction limit: 1000000
  Loop support: yes
  btf: yes
  module btf: ${yes(existsSync('/sys/kernel/btf'))}
  Kernel DWARF: no
  map batch: yes
  uprobe refcount: ${yes(existsSync('/sys/bus/event_source/devices/uprobe/format/ref_ctr_offset'))}

Map types
  hash: yes
  array: yes
  percpu array: yes
  stack_trace: yes
  perf_event_array: yes
  ringbuf: yes

Probe types
  kprobe: ${yes(kprobes)}
  tracepoint: yes
  perf_event: yes
  fentry: no
  kprobe_multi: ${yes(kprobes && fn('bpf_kprobe_multi_link_attach'))}
  uprobe_multi: no
  kprobe_session: no
  iter: yes
`
}

function helperNames(): string[] {
  const btf = kernelBtf()
  const id = btf.find('bpf_func_id', 'enum')
  const type = id === 0 ? null : btf.type(id)
  const names = type?.kind === 'enum' ? type.values.map(({ name }) => name.replace('BPF_FUNC_', '')) : []
  const renamed: Record<string, string> = {
    ktime_get_boot_ns: 'get_boot_ns', ktime_get_tai_ns: 'get_tai_ns', d_path: 'dpath', skb_output: 'skboutput', map_lookup_percpu_elem: 'lookup_percpu_elem',
  }
  return names.flatMap((name) => [name, renamed[name] ?? name])
}
