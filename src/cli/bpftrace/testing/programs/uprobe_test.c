#include <unistd.h>

int GLOBAL_A = 0x55555555;
int GLOBAL_B = 0x88888888;
int GLOBAL_C = 0x33333333;
char GLOBAL_D = 8;

struct Foo { int a; char b[10]; int c[3]; };

__attribute__((noinline)) int uprobeFunction1(int *n, char c) { return *n + c; }
__attribute__((noinline)) int uprobeFunction2(struct Foo *foo1, struct Foo *foo2) { return foo1->a + foo2->a; }

int main(int argc, char **argv)
{
	struct Foo foo1 = { 123, "hello", { 1, 2, 3 } }, foo2 = { 456, "world", { 4, 5, 6 } };
	int n = 13;
	(void)argv;
	for (int turn = 0; turn < 100; turn++) {
		uprobeFunction1(&n, 'x');
		uprobeFunction2(&foo1, &foo2);
		usleep(50000);
	}
	return argc < 0;
}
