#include <stdio.h>
#include <unistd.h>
#include "usdt.h"

__attribute__((section(".probes"), used)) volatile unsigned short tracetest_testprobe_semaphore;

int main(void)
{
	char text[32];
	for (int turn = 0; turn < 200; turn++) {
		snprintf(text, sizeof(text), "USDT semaphore: %d", tracetest_testprobe_semaphore);
		USDT2_SEMAPHORE("tracetest", "testprobe", "tracetest_testprobe_semaphore", turn, text);
		usleep(30000);
	}
	return 0;
}
