#include "usdt.h"

int main(void)
{
	volatile long v[12] = { 0xdeadbeef, 1, -1L, 0xcafebabe, 0x8badf00d, 0xfeedface, 0x123456789abcdefL, 0, 0x7fffffffffffffffL, 0x5555555555555555L, 42, (long)0xaaaaaaaaaaaaaaaaUL };
	volatile long *p = v;
	__asm__ volatile(USDT_NOTE("usdt_multi_args", "probe1", "8@(%0) 8@8(%0) 8@16(%0) 8@24(%0) 8@32(%0) 8@40(%0) 8@48(%0) 8@56(%0) 8@64(%0) 8@72(%0) 8@80(%0) 8@88(%0)", "0") :: "r"(p) : "memory");
	return 0;
}
