struct Foo { int a; char b[10]; };

__attribute__((noinline)) int function(struct Foo **foo) { return (*foo)->a; }

int main(void)
{
	struct Foo foo = { 123, "hello" }, *pointer = &foo;
	return function(&pointer) < 0;
}
