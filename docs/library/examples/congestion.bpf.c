#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

struct sock;
struct tcp_congestion_ops {
	__u32 (*ssthresh)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, __u32 ack, __u32 acked);
	__u32 (*undo_cwnd)(struct sock *sk);
	char name[16];
};

SEC("struct_ops") __u32 ssthresh(void *ctx) { return 2; }
SEC("struct_ops") int cong_avoid(void *ctx) { return 0; }
SEC("struct_ops") __u32 undo_cwnd(void *ctx) { return 2; }
SEC(".struct_ops.link") struct tcp_congestion_ops table = {
	.ssthresh = (void *)ssthresh, .cong_avoid = (void *)cong_avoid, .undo_cwnd = (void *)undo_cwnd, .name = "skep_demo",
};
