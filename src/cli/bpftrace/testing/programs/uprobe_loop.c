#include <unistd.h>

__attribute__((noinline)) int uprobeFunction1(int *n) { return *n + 1; }
__attribute__((noinline)) void spin(void)
{
	int n = 0;
	for (int turn = 0; turn < 100; turn++) {
		n = uprobeFunction1(&n);
		usleep(50000);
	}
}

int main(void)
{
	spin();
	return 0;
}
