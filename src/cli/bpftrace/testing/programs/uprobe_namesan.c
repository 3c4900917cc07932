__attribute__((noinline)) int fn_one(int n) { return n + 1; }
__attribute__((noinline)) int fn_two(int n) { return n + 2; }
int main(int argc, char **argv) { (void)argv; return fn_one(argc) + fn_two(argc) < 0; }
