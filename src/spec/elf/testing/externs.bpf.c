// What the kernel provides: configuration, symbols, functions.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>

extern int LINUX_KERNEL_VERSION __kconfig;
extern bool CONFIG_BPF_SYSCALL __kconfig;
extern enum libbpf_tristate CONFIG_NO_SUCH_OPTION __kconfig __weak;
extern char CONFIG_NO_SUCH_TEXT[16] __kconfig __weak;
extern unsigned long long CONFIG_HZ __kconfig;
extern short CONFIG_NR_CPUS __kconfig __weak;

extern const void schedule __ksym;
extern const void no_such_symbol __ksym __weak;
extern const int no_such_variable __ksym __weak;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
extern void bpf_no_such_function(int x) __ksym __weak;

volatile unsigned long long sum;

SEC("raw_tp/sys_enter")
int configuration(void *ctx)
{
	sum += LINUX_KERNEL_VERSION + CONFIG_BPF_SYSCALL + CONFIG_NO_SUCH_OPTION + CONFIG_NO_SUCH_TEXT[2] + CONFIG_HZ + CONFIG_NR_CPUS;
	return 0;
}

SEC("raw_tp/sys_exit")
int symbols(void *ctx)
{
	sum += (unsigned long long)&schedule;
	if (&no_such_symbol)
		sum++;
	if (&no_such_variable)
		sum++;
	return 0;
}

SEC("tp_btf/sched_wakeup")
int functions(void *ctx)
{
	bpf_rcu_read_lock();
	if (&no_such_symbol)
		bpf_no_such_function(1);
	bpf_rcu_read_unlock();
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
