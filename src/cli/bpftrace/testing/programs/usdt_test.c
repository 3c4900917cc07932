#include <time.h>
#include <unistd.h>
#include "usdt.h"

int main(void)
{
	for (int turn = 0; turn < 100; turn++) {
		long now = (long)time(NULL);
		USDT2("tracetest", "testprobe", now, "Hello World1");
		USDT2("tracetest", "testprobe2", now, "Hello World2");
		USDT2("tracetest2", "testprobe2", now, "Hello World3");
		usleep(50000);
	}
	return 0;
}
