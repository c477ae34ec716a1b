/* SPDX-License-Identifier: MIT */
/* store_start.c - what a start finds in RUN, and makes of it: a whole environment of this boot. */
#include "store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "store_mark.h"

/* How often a start tries to look at what is there. */
#define VERIFY_TRIES 5

static int read_boot_id(char *out, size_t room)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, room - 1);

	if (fd >= 0)
		close(fd);
	if (n <= 0) {
		log_error("cannot read which boot this is");
		return -EIO;
	}
	out[n] = '\0';
	return 0;
}

void store_env_remove(const char *dir)
{
	static const char *const names[] = { "data.mdb", "lock.mdb", STORE_MARK_NAME };
	char path[700];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	rmdir(dir);
}

/*
 * Puts @by in the place of @dir, which gets the name @aside, of what was there before. At no moment
 * there is a part of one at @dir: what a start finds it can go on with.
 */
static int replace_env(const char *dir, const char *by, const char *aside)
{
	store_env_remove(aside);
	if (rename(dir, aside) < 0 && errno != ENOENT)
		return -errno;
	return rename(by, dir) < 0 ? -errno : 0;
}

/* The same; what was in @dir is void. */
static int replace_void_env(const char *dir, const char *by)
{
	char aside[600];
	int ret;

	snprintf(aside, sizeof(aside), "%s.void", dir);
	ret = replace_env(dir, by, aside);
	if (ret == 0)
		store_env_remove(aside);
	return ret;
}

void store_boot_put(struct store *l, const char *boot_id)
{
	char rec[STORE_HEAD + 64];
	size_t len = strlen(boot_id);

	memcpy(rec + STORE_HEAD, boot_id, len);
	store_put(l, STORE_META, "boot", 4, rec, STORE_HEAD + len);
}

void store_still(struct store *l, enum store_found what)
{
	const char *text = what == STORE_MENDED ? STORE_STILL_MEND : STORE_STILL_LOAD;
	char rec[STORE_HEAD + sizeof(STORE_STILL_LOAD)];
	size_t len = strlen(text);

	if (what == STORE_WHOLE) {
		store_del(l, STORE_META, STORE_STILL, strlen(STORE_STILL));
		return;
	}
	memcpy(rec + STORE_HEAD, text, len);
	store_put(l, STORE_META, STORE_STILL, strlen(STORE_STILL), rec, STORE_HEAD + len);
}

/* A new one gets its name when it is whole. */
static int make_env(const char *dir, const char *boot_id)
{
	struct store *l = calloc(1, sizeof(*l));
	char part[600];
	int ret;

	if (!l)
		return -ENOMEM;
	l->fd = -1;
	snprintf(part, sizeof(part), "%s.new", dir);
	ret = mkdir(part, 0700) < 0 ? -errno : store_env_open(l, part);
	if (ret == 0) {
		store_boot_put(l, boot_id);
		store_still(l, STORE_UNLOADED);
		store_commit(l);
	}
	store_close(l);
	return ret < 0 ? ret : replace_void_env(dir, part);
}

/* 1, 0; -Exxx: it cannot be told, and nothing may be put there. */
static int is_there(const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0)
		return 1;
	return errno == ENOENT ? 0 : -errno;
}

/* As is_there(): whether the environment there has anything in it. */
static int has_data(const char *dir)
{
	char path[640];
	struct stat st;

	snprintf(path, sizeof(path), "%s/data.mdb", dir);
	if (stat(path, &st) == 0)
		return st.st_size > 0;
	return errno == ENOENT ? 0 : -errno;
}

/*
 * Makes a new @dir of what is whole in it. The damaged one is kept until the next time; if mending
 * @dir was cut off, it is mended anew from there.
 */
static int mend(const char *dir, const char *mended, const char *boot_id, bool cut_off)
{
	char damaged[600];
	int ret;

	snprintf(damaged, sizeof(damaged), "%s.damaged", dir);
	ret = cut_off ? has_data(damaged) : 1;
	/* 0: it was taken away, or given up for room, and what has been saved is all there is. */
	if (ret <= 0)
		return ret;
	ret = store_mend(cut_off ? damaged : dir, mended, boot_id, cut_off ? NULL : damaged);
	if (ret < 0)
		return ret;
	return cut_off ? replace_void_env(dir, mended) : replace_env(dir, mended, damaged);
}

/* Who looks may lack memory, or be killed, for a moment: that says nothing about what is there. */
static int verify(const char *dir, const char *boot_id, enum store_found *found)
{
	const struct timespec pause = { 0, 200000000 };
	int ret = -EAGAIN;

	for (int i = 0; i < VERIFY_TRIES; i++) {
		ret = store_verify(dir, boot_id, found);
		if (ret == 0 || ret == -EBADMSG || ret == -ENOENT)
			return ret;
		log_warnx("the live store in %s could not be verified: %s", dir, strerror(-ret));
		nanosleep(&pause, NULL);
	}
	return ret;
}

/* Makes sure that there is a whole environment of this boot in @dir. */
static int prepare(const char *dir, enum store_found *found)
{
	char boot_id[64], mended[600];
	int ret = read_boot_id(boot_id, sizeof(boot_id));

	if (ret < 0)
		return ret;
	snprintf(mended, sizeof(mended), "%s.mended", dir);
	ret = is_there(dir);
	/* A start that was cut off between the two names. */
	if (ret == 0) {
		ret = is_there(mended);
		if (ret == 1 && rename(mended, dir) < 0)
			ret = -errno;
	}
	if (ret >= 0)
		ret = ret ? verify(dir, boot_id, found) : -ENOENT;
	if (ret == -ENOENT) {
		*found = STORE_NEW;
		return make_env(dir, boot_id);
	}
	if (ret == -EBADMSG)
		*found = STORE_MENDED;
	else if (ret < 0 || *found != STORE_MENDED)
		return ret;
	return mend(dir, mended, boot_id, ret == 0);
}

int store_open(const char *run_dir, struct store **out, enum store_found *found)
{
	/* What a kill has left beside it, which is in no use. */
	static const char *const rest[] = { "new", "void" };
	struct store *l = calloc(1, sizeof(*l));
	char dir[512], part[600];
	int ret;

	if (!l)
		return -ENOMEM;
	l->fd = -1;
	snprintf(dir, sizeof(dir), "%s/live", run_dir);
	for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++) {
		snprintf(part, sizeof(part), "%s.%s", dir, rest[i]);
		store_env_remove(part);
	}
	ret = prepare(dir, found);
	if (ret == 0)
		ret = store_env_open(l, dir);
	if (ret == 0) {
		store_reader_died(l);
		*out = l;
		return 0;
	}
	log_errorx("the live store in %s cannot be used: %s", dir, strerror(-ret));
	store_close(l);
	return ret;
}
