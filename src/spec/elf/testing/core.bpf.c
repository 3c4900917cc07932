// CO-RE: every kind of relocation, against the types of the running kernel.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#define relocated __attribute__((preserve_access_index))

struct qspinlock_like { int x; };
struct list_head { struct list_head *next, *prev; } relocated;
struct mm_struct { unsigned long start_code; int no_such_member; } relocated;

struct task_struct {
	int pid;
	unsigned int flags;
	char comm[16];
	struct list_head tasks;
	struct mm_struct *mm;
	unsigned sched_reset_on_fork : 1;
	unsigned sched_contributes_to_load : 1;
	struct task_struct *group_leader;
	int never_was_here;
	unsigned int atomic_flags;
} relocated;

/* Flavours: other layouts of the same type. */
struct task_struct___other { struct task_struct *real_parent; } relocated;
struct task_struct___old { long state; } relocated;
struct task_struct___new { unsigned int __state; } relocated;
struct no_such_struct { int x; } relocated;
struct no_such_struct___b { int x; } relocated;
union bpf_attr_like { int x; } relocated;

/* A union whose anonymous parts are to be looked through. */
struct sk_buff { unsigned int len; unsigned char *data; unsigned short protocol; unsigned char pkt_type : 3; unsigned char ip_summed : 2; } relocated;
struct sock_common { unsigned short skc_dport; unsigned short skc_num; unsigned short skc_family; } relocated;
struct sock { struct sock_common __sk_common; } relocated;
struct bpf_prog { unsigned short pages; unsigned short jited : 1, sleepable : 1; unsigned int len; } relocated;

enum bpf_like___x { BPF_LIKE_NOTHING = 5 };
enum bpf_attach_type___kernel { BPF_TRACE_ITER___k = 1, BPF_NEVER_TYPE = 2 };
enum pid_type { PIDTYPE_PID = 77, PIDTYPE_SID = 78 };
typedef int pid_t;
typedef struct { int counter; } atomic_t;

SEC("raw_tp/sys_enter")
int offsets(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct task_struct___other *other = (void *)task;
	struct sk_buff *skb = (void *)task;
	struct sock *sk = (void *)task;
	char comm = 0;
	int sum = 0;

	sum += BPF_CORE_READ(task, pid);
	sum += BPF_CORE_READ(task, group_leader, pid);
	sum += BPF_CORE_READ(other, real_parent, flags);
	sum += (long)BPF_CORE_READ(task, tasks.next);
	bpf_core_read(&comm, 1, &task->comm[8]);
	sum += comm;
	sum += BPF_CORE_READ(skb, len) + BPF_CORE_READ(skb, protocol);
	sum += BPF_CORE_READ(sk, __sk_common.skc_dport) + BPF_CORE_READ(sk, __sk_common.skc_family);
	return sum;
}

SEC("raw_tp/sys_exit")
int bitfields(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct sk_buff *skb = (void *)task;
	long sum = 0;

	sum += BPF_CORE_READ_BITFIELD_PROBED(task, sched_reset_on_fork);
	sum += BPF_CORE_READ_BITFIELD_PROBED(task, sched_contributes_to_load);
	sum += BPF_CORE_READ_BITFIELD_PROBED(skb, pkt_type);
	sum += BPF_CORE_READ_BITFIELD_PROBED(skb, ip_summed);
	return sum;
}

SEC("raw_tp/sched_switch")
int existence(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct task_struct___old *old = (void *)task;
	struct task_struct___new *new = (void *)task;
	struct no_such_struct *missing = (void *)task;
	int sum = 0;

	if (bpf_core_field_exists(task->never_was_here))
		sum += BPF_CORE_READ(task, never_was_here);
	if (bpf_core_field_exists(old->state))
		sum += BPF_CORE_READ(old, state);
	if (bpf_core_field_exists(new->__state))
		sum += BPF_CORE_READ(new, __state);
	if (bpf_core_type_exists(struct no_such_struct))
		sum += BPF_CORE_READ(missing, x);
	if (bpf_core_type_exists(struct no_such_struct___b))
		sum += 1;
	sum += bpf_core_field_size(task->comm);
	sum += bpf_core_field_size(task->comm[0]);
	sum += bpf_core_type_size(struct task_struct);
	sum += bpf_core_type_size(struct no_such_struct);
	return sum;
}

SEC("raw_tp/sched_wakeup")
int types(void *ctx)
{
	long sum = 0;

	sum += bpf_core_type_id_kernel(struct task_struct);
	sum += bpf_core_type_id_kernel(pid_t);
	sum += bpf_core_type_id_local(struct task_struct);
	sum += bpf_core_type_exists(pid_t) + bpf_core_type_exists(enum pid_type);
	sum += bpf_core_enum_value_exists(enum bpf_attach_type___kernel, BPF_TRACE_ITER___k);
	sum += bpf_core_enum_value_exists(enum bpf_attach_type___kernel, BPF_NEVER_TYPE);
	if (bpf_core_enum_value_exists(enum bpf_attach_type___kernel, BPF_NEVER_TYPE))
		sum += bpf_core_enum_value(enum bpf_attach_type___kernel, BPF_NEVER_TYPE);
	sum += bpf_core_enum_value(enum bpf_attach_type___kernel, BPF_TRACE_ITER___k);
	sum += bpf_core_enum_value(enum pid_type, PIDTYPE_SID);
	sum += bpf_core_type_exists(enum bpf_like___x);
	return sum;
}

/* Direct loads, whose own offset and size are relocated. */
SEC("tp_btf/sched_wakeup")
int loads(unsigned long long *ctx)
{
	struct task_struct *task = (void *)ctx[0];

	return task->pid + task->flags + task->group_leader->pid + task->atomic_flags + (task->mm != 0);
}

char LICENSE[] SEC("license") = "GPL";
