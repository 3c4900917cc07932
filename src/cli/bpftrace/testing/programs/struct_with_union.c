union N { int i; float f; };
struct Foo { int m; union N n; };

__attribute__((noinline)) int func(struct Foo *foo) { return foo->m; }

int main(void)
{
	struct Foo foo = { 2, { 5 } };
	return func(&foo) < 0;
}
