struct Foo { int m; int n; };

__attribute__((noinline)) int func(struct Foo *foo) { return foo->m; }
__attribute__((noinline)) int n_func(int *n) { return *n; }

int main(void)
{
	struct Foo foo = { 2, 3 };
	return func(&foo) + n_func(&foo.n) < 0;
}
