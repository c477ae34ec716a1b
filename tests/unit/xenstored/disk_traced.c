/* SPDX-License-Identifier: MIT */
/*
 * disk_traced.c - a program that does with the durable side what the worker does, its file
 * operations recorded, or the one asked for failing (iotrace.h): starts, commits of a script, an
 * earlier state now and then, an orderly end or none. It says which revisions are acknowledged.
 *
 * argv: STATE RUN SEED ROUNDS ACKED. ACKED: a file that holds the last acknowledged revision; it
 * goes on behind it. Status 0; 3: the disk has refused something, which is told.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "disk_script.h"
#include "iotrace.h"

static const char *acked_file;

/* Not by the functions that are watched. */
static void mark(enum io_op op, uint64_t number)
{
	const struct io_event e = { .op = op, .offset = number };
	const char *trace = getenv("XS_IO_TRACE");
	long fd;

	if (trace) {
		fd = syscall(SYS_openat, AT_FDCWD, trace, O_WRONLY | O_APPEND | O_CREAT, 0600);
		if (fd < 0 || syscall(SYS_write, fd, &e, sizeof(e)) != sizeof(e))
			abort();
		syscall(SYS_close, fd);
	}
	if (op != IO_ACKED)
		return;
	fd = syscall(SYS_openat, AT_FDCWD, acked_file, O_WRONLY | O_CREAT, 0600);
	if (fd < 0 || syscall(SYS_pwrite64, fd, &number, sizeof(number), 0) != sizeof(number))
		abort();
	syscall(SYS_close, fd);
}

static uint64_t last_acked(void)
{
	uint64_t number = 0;
	long fd = syscall(SYS_openat, AT_FDCWD, acked_file, O_RDONLY, 0);

	if (fd >= 0 && syscall(SYS_read, fd, &number, sizeof(number)) != sizeof(number))
		number = 0;
	if (fd >= 0)
		syscall(SYS_close, fd);
	return number;
}

static void generation(struct disk *d)
{
	static uint64_t now_ns = 1;
	int status;
	pid_t pid;

	/* The first call of a start sets the time. */
	disk_generation(d, now_ns);
	now_ns += 400 * 1000000000ull;
	disk_generation(d, now_ns);
	pid = waitpid(-1, &status, 0);
	if (pid > 0)
		disk_generation_ended(d, pid, status);
}

static int one_round(const struct disk_config *cfg, unsigned int seed, unsigned int round)
{
	struct disk_found found;
	struct disk *d;
	struct disk_room room;
	int ret = disk_open(cfg, &d, &found);

	if (ret < 0)
		return ret;
	if (found.applied < cfg->told || found.degraded) {
		fprintf(stderr, "told %llu, found %llu%s\n", (unsigned long long)cfg->told,
			(unsigned long long)found.applied, found.degraded ? ", degraded" : "");
		_exit(9);
	}
	disk_room(d, &room);
	for (unsigned int i = 0; i < 4 + script_rnd(seed, round, 1, 8) && ret == 0; i++) {
		uint64_t from = disk_applied(d) + 1, to = from + script_rnd(seed, from, 2, 3);

		mark(IO_SENT, to);
		ret = script_commit(d, seed, from, to);
		if (ret == 0)
			mark(IO_ACKED, to);
		if (ret == 0 && script_rnd(seed, to, 3, 6) == 0)
			generation(d);
		disk_room(d, &room);
	}
	disk_close(d, ret == 0 && script_rnd(seed, round, 4, 2));
	return ret;
}

int main(int argc, char **argv)
{
	struct disk_config cfg = { .map_size = 16u << 20 };
	int ret = 0;

	if (argc < 6)
		return 2;
	cfg.state_dir = argv[1];
	cfg.run_dir = argv[2];
	acked_file = argv[5];
	for (unsigned int round = 0; round < (unsigned int)atoi(argv[4]) && ret == 0; round++) {
		cfg.told = last_acked();
		ret = one_round(&cfg, (unsigned int)atoi(argv[3]), round);
	}
	return ret < 0 ? 3 : 0;
}
