#include "usdt.h"

void lib_call(int n) { USDT1("tracetestlib", "lib_probe_1", n); }
