/* A USDT probe: a nop, and a note that says where it is. Arguments are 64-bit values in registers. */
#ifndef USDT_H
#define USDT_H
#define USDT_NOTE(provider, name, args, semaphore) \
	"990: nop\n" \
	".pushsection .note.stapsdt,\"?\",\"note\"\n" \
	".balign 4\n.4byte 992f-991f, 994f-993f, 3\n" \
	"991: .asciz \"stapsdt\"\n992: .balign 4\n" \
	"993: .8byte 990b\n.8byte _.stapsdt.base\n.8byte " semaphore "\n" \
	".asciz \"" provider "\"\n.asciz \"" name "\"\n.asciz \"" args "\"\n" \
	"994: .balign 4\n.popsection\n" \
	".ifndef _.stapsdt.base\n.pushsection .stapsdt.base,\"aG\",\"progbits\",.stapsdt.base,comdat\n" \
	".weak _.stapsdt.base\n.hidden _.stapsdt.base\n_.stapsdt.base: .space 1\n.size _.stapsdt.base, 1\n.popsection\n.endif\n"
#define USDT2(provider, name, a, b) __asm__ volatile(USDT_NOTE(provider, name, "8@%0 8@%1", "0") :: "r"((long)(a)), "r"((long)(b)))
#define USDT1(provider, name, a) __asm__ volatile(USDT_NOTE(provider, name, "8@%0", "0") :: "r"((long)(a)))
/* As USDT2, with a counter of those who listen. */
#define USDT2_SEMAPHORE(provider, name, semaphore, a, b) __asm__ volatile(USDT_NOTE(provider, name, "8@%0 8@%1", semaphore) :: "r"((long)(a)), "r"((long)(b)))
#endif
