#define _GNU_SOURCE
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

static volatile char *place;

static void *writer(void *unused)
{
	(void)unused;
	for (int turn = 0; turn < 100; turn++) {
		*place = (char)turn;
		usleep(50000);
	}
	return NULL;
}

int main(void)
{
	pthread_t thread;
	place = mmap((void *)0x10000000, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	pthread_create(&thread, NULL, writer, NULL);
	pthread_join(thread, NULL);
	return 0;
}
