/* SPDX-License-Identifier: MIT */
/*
 * clock.c - COMMAND...: runs it and prints how much the time stamp counter moved on meanwhile.
 * Under -icount shift=0 on one CPU that is the whole machine's instructions.
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <x86intrin.h>

int main(int argc, char **argv)
{
	unsigned long long start = __rdtsc();
	int status = 1;
	pid_t pid = argc > 1 ? vfork() : -1;

	if (pid == 0) {
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status)
		return 1;
	printf("%llu\n", __rdtsc() - start);
	return 0;
}
