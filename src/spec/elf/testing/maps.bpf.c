// Definitions of maps: inner maps, static values, every field.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct stored { long a, b; };

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, int);
	__type(value, long);
} inner_one SEC(".maps"), inner_two SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 8);
	__type(key, int);
	__array(values, struct inner);
} outer SEC(".maps") = { .values = { [1] = &inner_two, [5] = &inner_one } };

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 3);
	__type(key, int);
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_HASH);
		__uint(max_entries, 1);
		__uint(key_size, 4);
		__uint(value_size, 8);
	});
} outer_hash SEC(".maps");

int called(void *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__uint(key_size, 4);
	__array(values, int (void *));
} programs SEC(".maps") = { .values = { [2] = (void *)&called } };

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 128);
	__uint(map_flags, BPF_F_NO_COMMON_LRU);
	__uint(numa_node, 0);
	__uint(key_size, 12);
	__uint(value_size, 20);
} lru SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__uint(max_entries, 100);
	__uint(map_extra, 3);
	__type(value, unsigned int);
} bloom SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct stored);
} storage SEC(".maps");

#ifdef PINNED
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, int);
	__type(value, int);
} pinned SEC(".maps");
#endif

SEC("socket")
int called(void *ctx)
{
	return 1;
}

SEC("socket")
int caller(void *ctx)
{
	int key = 1;
	void *map = bpf_map_lookup_elem(&outer, &key);

	if (map)
		bpf_map_lookup_elem(map, &key);
	bpf_tail_call(ctx, &programs, 2);
	bpf_map_push_elem(&bloom, &key, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
