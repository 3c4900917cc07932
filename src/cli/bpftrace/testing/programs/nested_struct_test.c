struct Foo { int m; struct { int x; int y; } bar; int n; };

__attribute__((noinline)) int test_nested_struct(struct Foo *foo) { return foo->m; }

int main(void)
{
	struct Foo foo = { 10, { 20, 30 }, 40 };
	return test_nested_struct(&foo) < 0;
}
