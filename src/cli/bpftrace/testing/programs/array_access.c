struct A { int x[4]; };
struct B { int y[2][2]; };
struct C { int *z[4]; };

__attribute__((noinline)) int test_struct(struct A *a, struct B *b) { return a->x[0] + b->y[0][0]; }
__attribute__((noinline)) int test_array(int *a) { return a[0]; }
__attribute__((noinline)) int test_ptr_array(struct C *c) { return *c->z[0]; }

int main(void)
{
	struct A a = { { 1, 2, 3, 4 } };
	struct B b = { { { 5, 6 }, { 7, 8 } } };
	struct C c = { { &a.x[0], &a.x[1], &a.x[2], &a.x[3] } };
	return test_struct(&a, &b) + test_array(a.x) + test_ptr_array(&c) < 0;
}
