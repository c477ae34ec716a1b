/* SPDX-License-Identifier: MIT */
/*
 * hasty.c - a daemon whose worker's minute without a change is a tenth of a second, and which keeps
 * a MiB of history; for test_compacting.c. The environment steers it:
 *   XS_HASTY_POINT=NAME	stops the process (SIGSTOP) that comes to that point of a compaction first
 *   XS_HASTY_AT=FILE		which gets its pid before
 *   XS_HASTY_GO=FILE		there is no compaction while that is not there
 */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "storage/disk_copy.h"
#include "storage/disk_priv.h"

#define HASTE 600u

static bool in_copy, in_exchange;

static void stop_here(void)
{
	const char *at = getenv("XS_HASTY_AT");
	char text[16], part[200];
	int fd, len = snprintf(text, sizeof(text), "%d", (int)getpid());

	snprintf(part, sizeof(part), "%s.part", at);
	/* Whole when it has its name; and only once. */
	fd = open(part, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text, (size_t)len) != len || close(fd) < 0)
		abort();
	if (link(part, at) == 0)
		raise(SIGSTOP);
}

static void point(bool of_these, const char *name)
{
	const char *wanted = getenv("XS_HASTY_POINT");

	if (of_these && wanted && strcmp(wanted, name) == 0)
		stop_here();
}

#define WRAP(type, name, params)                                                                   \
	type __real_##name params;                                                                 \
	type __wrap_##name params;                                                                 \
	type __wrap_##name params

WRAP(int, disk_open, (const struct disk_config *cfg, struct disk **out, struct disk_found *found))
{
	struct disk_config c = *cfg;

	c.history_bytes = 1u << 20;
	return __real_disk_open(&c, out, found);
}

WRAP(void, disk_compact, (struct disk *d, uint64_t now_ns))
{
	if (access(getenv("XS_HASTY_GO"), F_OK) < 0)
		return;
	in_copy = true;
	__real_disk_compact(d, now_ns * HASTE);
	in_copy = false;
}

WRAP(bool, disk_compact_ended, (struct disk *d, int pid, int status, int *result))
{
	bool ours;

	in_exchange = d->compact.pid && d->compact.pid == pid;
	ours = __real_disk_compact_ended(d, pid, status, result);
	point(in_exchange, "ended");
	in_exchange = false;
	return ours;
}

WRAP(int, disk_copy, (void *arg))
{
	point(in_copy, "copy");
	return __real_disk_copy(arg);
}

WRAP(int, disk_check, (void *arg))
{
	int ret;

	point(in_copy, "check");
	ret = __real_disk_check(arg);
	point(in_copy, "checked");
	return ret;
}

WRAP(void, disk_env_close, (struct disk_env *e))
{
	point(in_exchange, "close");
	__real_disk_env_close(e);
}

WRAP(int, disk_rename, (const char *from, const char *to, const char *dir))
{
	int ret;

	point(in_exchange, "rename");
	ret = __real_disk_rename(from, to, dir);
	point(in_exchange, "renamed");
	return ret;
}

WRAP(int, disk_env_open, (struct disk_env *e, const char *path, uint64_t map_size, enum disk_mode mode))
{
	point(in_exchange, "open");
	return __real_disk_env_open(e, path, map_size, mode);
}

WRAP(void, disk_room_init, (struct disk *d))
{
	point(in_exchange, "room");
	__real_disk_room_init(d);
}
