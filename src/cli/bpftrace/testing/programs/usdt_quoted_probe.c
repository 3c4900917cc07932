#include <unistd.h>
#include "usdt.h"

int main(void)
{
	for (int turn = 0; turn < 100; turn++) {
		USDT1("test", "\\\"probe1\\\"", 1);
		usleep(50000);
	}
	return 0;
}
