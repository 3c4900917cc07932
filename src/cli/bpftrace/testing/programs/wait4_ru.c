#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	struct rusage usage;
	pid_t child = fork();
	if (child == 0)
		_exit(0);
	wait4(child, 0, 0, &usage);
	return 0;
}
