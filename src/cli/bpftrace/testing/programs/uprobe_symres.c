__attribute__((noinline)) int test(int n) { return n + 1; }
int main(int argc, char **argv) { (void)argv; return test(argc) < 0; }
