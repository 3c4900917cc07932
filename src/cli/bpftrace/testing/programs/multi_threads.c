#define _GNU_SOURCE
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((noinline)) int stub(void) { return getppid(); }

static void *grandson(void *unused)
{
	(void)unused;
	prctl(PR_SET_NAME, "grandson-thread");
	stub();
	return NULL;
}

static void *son(void *unused)
{
	pthread_t thread;
	(void)unused;
	prctl(PR_SET_NAME, "son-thread");
	stub();
	pthread_create(&thread, NULL, grandson, NULL);
	pthread_join(thread, NULL);
	return NULL;
}

int main(void)
{
	if (fork() == 0) {
		pthread_t thread;
		prctl(PR_SET_NAME, "parent-thread");
		pthread_create(&thread, NULL, son, NULL);
		pthread_join(thread, NULL);
		_exit(0);
	}
	wait(NULL);
	return 0;
}
