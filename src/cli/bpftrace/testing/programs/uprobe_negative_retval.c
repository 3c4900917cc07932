__attribute__((noinline)) int function1(int n) { return n; }

int main(void)
{
	int sum = 0;
	for (int n = -120; n <= 100; n++)
		sum += function1(n);
	return sum > 0;
}
