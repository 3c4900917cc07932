#include <time.h>
#include <unistd.h>
#include "usdt.h"

int main(void)
{
	/* On the stack, so that the text is in memory when the probe reads it. */
	char one[] = "Hello World1", two[] = "Hello World2", three[] = "Hello World3";
	for (int turn = 0; turn < 100; turn++) {
		long now = (long)time(NULL);
		USDT2("tracetest", "testprobe", now, one);
		USDT2("tracetest", "testprobe2", now, two);
		USDT2("tracetest2", "testprobe2", now, three);
		usleep(50000);
	}
	return 0;
}
