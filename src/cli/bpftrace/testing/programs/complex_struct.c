struct MyStruct { const char *ignore; char mac[6]; };

__attribute__((noinline)) int func(struct MyStruct *s) { return s->mac[0]; }

int main(void)
{
	struct MyStruct s = { "ignore", { 5, 4, 3, 2, 1, 2 } };
	return func(&s) < 0;
}
