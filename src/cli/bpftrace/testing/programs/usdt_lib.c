#include <unistd.h>

extern void lib_call(int n);

int main(void)
{
	for (int turn = 0; turn < 100; turn++) {
		lib_call(turn);
		usleep(50000);
	}
	return 0;
}
