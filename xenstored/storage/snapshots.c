/* SPDX-License-Identifier: MIT */
/* snapshots.c - see snapshots.h. */
#include "snapshots.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk_copy.h"
#include "disk_env.h"
#include "in_child.h"
#include "numbered.h"

#define SUFFIX ".mdb"

/* No reader of names takes this one for a snapshot. */
const struct numbered snapshot_part = { .prefix = "part-", .suffix = "" };

bool snapshot_name_good(const char *name)
{
	size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				  "0123456789-_");

	return len > 0 && len <= SNAPSHOT_NAME_MAX && name[len] == '\0' && name[0] != '-';
}

void snapshot_dir(const char *state_dir, char *out)
{
	snprintf(out, NUMBERED_PATH, "%.400s/snapshots", state_dir);
}

void snapshot_path(const char *state_dir, const char *name, char *out)
{
	snprintf(out, NUMBERED_PATH, "%.400s/snapshots/%.64s" SUFFIX, state_dir, name);
}

static int give_name(const char *part, const char *state_dir, const char *name)
{
	char path[NUMBERED_PATH], dir[NUMBERED_PATH];
	int ret;

	snapshot_path(state_dir, name, path);
	snapshot_dir(state_dir, dir);
	/* A rename would replace another one. */
	ret = link(part, path) < 0 ? errno == EEXIST ? -EEXIST : disk_errno(errno) : 0;
	unlink(part);
	return ret < 0 ? ret : disk_sync_dir(dir);
}

int snapshot_make(const char *state_dir, const char *from, const char *name, uint64_t map_size)
{
	char part[NUMBERED_PATH], path[NUMBERED_PATH], dir[NUMBERED_PATH];
	struct disk_copying copy = {
		.from = from, .to = part, .map_size = map_size, .beside = true, .synced = true,
	};
	struct disk_copying again = { .from = part, .map_size = map_size };
	int ret;

	snapshot_dir(state_dir, dir);
	snapshot_path(state_dir, name, path);
	numbered_path(&snapshot_part, dir, (uint64_t)getpid(), part);
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return disk_errno(errno);
	if (access(path, F_OK) == 0)
		return -EEXIST;
	ret = in_child(disk_copy, &copy);
	if (ret == 0)
		ret = in_child(disk_check, &again);
	if (ret < 0) {
		unlink(part);
		return ret == -ENOENT ? -EIO : ret;
	}
	return give_name(part, state_dir, name);
}

int snapshot_verify(const char *state_dir, const char *name, uint64_t map_size)
{
	char path[NUMBERED_PATH];
	struct disk_copying c = { .from = path, .map_size = map_size };

	snapshot_path(state_dir, name, path);
	return in_child(disk_check, &c);
}

int snapshot_remove(const char *state_dir, const char *name)
{
	char path[NUMBERED_PATH], dir[NUMBERED_PATH];

	snapshot_dir(state_dir, dir);
	snapshot_path(state_dir, name, path);
	if (unlink(path) < 0)
		return disk_errno(errno);
	return disk_sync_dir(dir);
}

/* --- the list --- */

static int is_snapshot(const struct dirent *e)
{
	size_t len = strlen(e->d_name), suffix = strlen(SUFFIX);
	char name[SNAPSHOT_NAME_MAX + 1];

	if (len <= suffix || len - suffix > SNAPSHOT_NAME_MAX ||
	    strcmp(e->d_name + len - suffix, SUFFIX) != 0)
		return 0;
	memcpy(name, e->d_name, len - suffix);
	name[len - suffix] = '\0';
	return snapshot_name_good(name);
}

static int list_one(const char *dir, const char *file, uint64_t map_size,
		    int (*line)(void *arg, const char *text, size_t len), void *arg)
{
	char path[NUMBERED_PATH + 300], text[200];
	struct disk_facts facts;
	struct stat st;
	int len;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	if (stat(path, &st) < 0)
		return 0;
	/* One that does not open has no revision; what else is wrong, verifying says. */
	if (disk_look(path, map_size, &facts) < 0)
		facts.applied = 0;
	len = snprintf(text, sizeof(text), "%.*s %lld %" PRIu64 " %lld\n",
		       (int)(strlen(file) - strlen(SUFFIX)), file, (long long)st.st_size,
		       facts.applied, (long long)st.st_mtime);
	return line(arg, text, (size_t)len);
}

int snapshot_list(const char *dir, uint64_t map_size,
		  int (*line)(void *arg, const char *text, size_t len), void *arg)
{
	struct dirent **e;
	int nr = scandir(dir, &e, is_snapshot, alphasort), ret = 0;

	if (nr < 0)
		return errno == ENOENT ? 0 : disk_errno(errno);
	for (int i = 0; i < nr; i++) {
		if (ret == 0)
			ret = list_one(dir, e[i]->d_name, map_size, line, arg);
		free(e[i]);
	}
	free(e);
	return ret;
}
