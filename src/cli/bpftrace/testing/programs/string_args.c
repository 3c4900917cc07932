struct F { char s[8]; };

__attribute__((noinline)) int print(struct F *f) { return f->s[0]; }

int main(void)
{
	struct F f = { "hello" };
	return print(&f) < 0;
}
