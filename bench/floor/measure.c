/*
 * Runs a program and writes what it took to descriptor 3: user and system
 * time in microseconds, and the peak resident set in KiB.
 *
 * The peak of a process begins at that of the process which started it
 * (setmax_mm_hiwater_rss in the kernel's exec_mmap): a small starter is needed
 * to measure small programs.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	struct rusage u;
	int status;
	pid_t pid;

	if (argc < 2)
		return 2;
	pid = fork();
	if (pid < 0)
		return 1;
	if (pid == 0) {
		close(3);
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	if (wait4(pid, &status, 0, &u) < 0)
		return 1;
	dprintf(3, "%lld %lld %ld\n",
	    u.ru_utime.tv_sec * 1000000LL + u.ru_utime.tv_usec,
	    u.ru_stime.tv_sec * 1000000LL + u.ru_stime.tv_usec, u.ru_maxrss);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
