#include <stdint.h>

__attribute__((noinline)) int fn(uint16_t *p) { return *p; }

int main(void)
{
	uint16_t values[4] = { 1, 1110, 3, 4 };
	return fn(values) < 0;
}
