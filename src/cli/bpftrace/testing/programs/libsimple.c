int fun(void) { return 31337; }
