struct x { unsigned long x; };

__attribute__((noinline)) unsigned long test_signed_ints(struct x *x) { return x->x; }

int main(void)
{
	struct x x = { 0 };
	return test_signed_ints(&x) != 0;
}
