/* Makes one system call by name: syscall NAME [argument...] */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	char path[256];
	const char *folder = getenv("TMPDIR");
	snprintf(path, sizeof(path), "%s/bpftrace_runtime_test_syscall_gen_open_temp", folder == NULL ? "/tmp" : folder);
	if (strcmp(name, "nanosleep") == 0) {
		double ns = argc > 2 ? atof(argv[2]) : 0;
		struct timespec time = { (long)(ns / 1e9), (long)(ns - (double)(long)(ns / 1e9) * 1e9) };
		return (int)syscall(SYS_nanosleep, &time, NULL);
	}
	if (strcmp(name, "openat") == 0) {
		int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_CREAT, 0600);
		unlink(path);
		return fd < 0;
	}
	if (strcmp(name, "open") == 0) {
		int fd = (int)syscall(SYS_open, path, O_CREAT, 0600);
		unlink(path);
		return fd < 0;
	}
	if (strcmp(name, "read") == 0) {
		char buffer[16];
		int fd = open("/proc/self/comm", O_RDONLY);
		return read(fd, buffer, sizeof(buffer)) < 0;
	}
	if (strcmp(name, "execve") == 0 && argc > 2) {
		execve(argv[2], argv + 2, NULL);
		return 1;
	}
	if (strcmp(name, "kill") == 0)
		return kill(getpid(), 0);
	return 2;
}
