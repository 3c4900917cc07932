#include <unistd.h>
int main(void) { for (int turn = 0; turn < 1000; turn++) usleep(10000); return 0; }
