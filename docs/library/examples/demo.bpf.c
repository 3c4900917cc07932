#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <asm/ptrace.h>

char LICENSE[] SEC("license") = "GPL";

const volatile int watched;
long calls, samples, cookie;

struct record { long number; char command[16]; };
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 65536); } records SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY); __uint(key_size, 4); __uint(value_size, 4); } output SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PROG_ARRAY); __uint(max_entries, 4); __uint(key_size, 4); __uint(value_size, 4); } next SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_USER_RINGBUF); __uint(max_entries, 4096); } input SEC(".maps");

static __always_inline int is_watched(void) { return bpf_get_current_pid_tgid() >> 32 == watched; }

SEC("tp/syscalls/sys_enter_getppid") int count(void *ctx)
{
	if (!is_watched())
		return 0;
	cookie = bpf_get_attach_cookie(ctx);
	struct record *record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	calls++;
	if (!record)
		return 0;
	record->number = calls;
	bpf_get_current_comm(record->command, sizeof(record->command));
	bpf_ringbuf_submit(record, 0);
	return 0;
}

SEC("raw_tp/sys_enter") int send(struct bpf_raw_tracepoint_args *ctx)
{
	long number = ctx->args[1];
	bpf_perf_event_output(ctx, &output, BPF_F_CURRENT_CPU, &number, sizeof(number));
	return 0;
}

SEC("uprobe/libc.so.6:getppid") int in_libc(struct pt_regs *ctx) { calls++; return 0; }
SEC("perf_event") int sample(struct bpf_perf_event_data *ctx) { samples++; return 0; }
SEC("xdp") int pass(struct xdp_md *ctx) { return XDP_PASS; }
SEC("tc") int shorten(struct __sk_buff *skb) { return bpf_skb_change_tail(skb, 20, 0) ? 2 : 0; }
SEC("tc") int head(struct __sk_buff *skb) { bpf_tail_call(skb, &next, 0); return 1; }
SEC("tc") int tail(struct __sk_buff *skb) { return 42; }
SEC("cgroup/connect4") int refuse(struct bpf_sock_addr *ctx) { return 0; }

static long take(struct bpf_dynptr *record, void *context)
{
	long value;
	if (!bpf_dynptr_read(&value, sizeof(value), record, 0, 0))
		calls += value;
	return 0;
}
SEC("syscall") int drain(void *ctx) { return bpf_user_ringbuf_drain(&input, take, 0, 0); }

struct seq_file;
struct bpf_iter_meta { struct seq_file *seq; } __attribute__((preserve_access_index));
struct task_struct { int pid, tgid; } __attribute__((preserve_access_index));
struct bpf_iter__task { struct bpf_iter_meta *meta; struct task_struct *task; } __attribute__((preserve_access_index));
SEC("iter/task") int tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	if (!task)
		return 0;
	unsigned long long values[] = { task->tgid };
	bpf_seq_printf(ctx->meta->seq, "%d\n", sizeof("%d\n"), values, sizeof(values));
	return 0;
}
