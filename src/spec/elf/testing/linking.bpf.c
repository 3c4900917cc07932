// Functions, callbacks, maps and global variables: what has to be put together before loading.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct value { unsigned long long count, last; };

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, unsigned int);
	__type(value, struct value);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 4);
	__uint(key_size, 4);
	__uint(value_size, 16);
	__uint(map_flags, 0);
} stats SEC(".maps");

const volatile unsigned int wanted = 7;
const volatile char prefix[8] = "abc";
volatile unsigned long long total;
volatile int state = 42;
static volatile int hidden_state = 3;
volatile int special SEC(".data.special") = 9;
static const char format[] SEC(".rodata.format") = "count %d";

static __attribute__((noinline)) int leaf(int x)
{
	hidden_state += x;
	return hidden_state * 3;
}

__attribute__((noinline)) int global_function(int x)
{
	return leaf(x) + wanted;
}

static __attribute__((noinline)) int middle(int x)
{
	total += x;
	return leaf(x) + global_function(x + 1);
}

__attribute__((visibility("hidden"), noinline)) int hidden_function(int x)
{
	return x * state;
}

static int each(void *map, unsigned int *key, struct value *value, void *context)
{
	value->last = total;
	return leaf(*key) & 1;
}

static int other_each(void *map, unsigned int *key, struct value *value, void *context)
{
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_getppid")
int first(void *ctx)
{
	unsigned int key = 1;
	struct value *found = bpf_map_lookup_elem(&counts, &key);

	if (found)
		found->count++;
	bpf_trace_printk(format, sizeof(format), 1);
	return middle(special) + prefix[1];
}

SEC("tracepoint/syscalls/sys_enter_getppid")
int second(void *ctx)
{
	bpf_for_each_map_elem(&counts, other_each, 0, 0);
	bpf_for_each_map_elem(&counts, each, 0, 0);
	return hidden_function(2) + leaf(1);
}

SEC("socket")
int plain(struct __sk_buff *skb)
{
	unsigned int key = 0;
	unsigned long long *slot = bpf_map_lookup_elem(&stats, &key);

	if (slot)
		__sync_fetch_and_add(slot, skb->len);
	return global_function(skb->len);
}

SEC("xdp")
int pass(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	return data + 14 > end ? XDP_DROP : XDP_PASS;
}

SEC("?raw_tp/sys_enter")
int optional(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
unsigned int VERSION SEC("version") = 0x060102;
