/* SPDX-License-Identifier: MIT */
/* disk_use.c - see disk_use.h. Sources: proc(5); Linux's Documentation/ABI, /sys/dev/block. */
#include "disk_use.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define LINE_LEN 4096

/* What is looked for: a block device, or a file by its place. */
struct look {
	const char *root;
	bool block;
	dev_t dev; /* the device; of a file: the file system's */
	ino_t ino;
	char *why;
	size_t why_len;
};

static int used(const struct look *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static int used(const struct look *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(l->why, l->why_len, fmt, ap);
	va_end(ap);
	return -EBUSY;
}

/* Whether @path is what is looked for. */
static bool is_it(const struct look *l, const char *path)
{
	struct stat st;

	if (path[0] != '/' || stat(path, &st))
		return false;
	if (S_ISBLK(st.st_mode))
		return l->block && st.st_rdev == l->dev;
	return !l->block && st.st_dev == l->dev && st.st_ino == l->ino;
}

static FILE *open_below(const struct look *l, const char *file)
{
	char path[LINE_LEN];

	snprintf(path, sizeof(path), "%s%s", l->root, file);
	return fopen(path, "re");
}

/* "ID PARENT MAJOR:MINOR ROOT PLACE OPTIONS ... - TYPE SOURCE ..." */
static int look_at_mounts(const struct look *l)
{
	FILE *f = open_below(l, "/proc/self/mountinfo");
	char line[LINE_LEN], place[1024], source[1024];
	unsigned int major_nr, minor_nr;
	int err = 0;

	while (f && !err && fgets(line, sizeof(line), f)) {
		const char *dash = strstr(line, " - ");

		source[0] = '\0';
		if (sscanf(line, "%*d %*d %u:%u %*s %1023s", &major_nr, &minor_nr, place) != 3)
			continue;
		if (dash)
			sscanf(dash, " - %*s %1023s", source);
		/* Some file systems have a number of their own: then the source tells. */
		if ((l->block && makedev(major_nr, minor_nr) == l->dev) || is_it(l, source))
			err = used(l, "is mounted on %.200s", place);
	}
	if (f)
		fclose(f);
	return err;
}

static int look_at_swaps(const struct look *l)
{
	FILE *f = open_below(l, "/proc/swaps");
	char line[LINE_LEN], path[1024];
	int err = 0;

	while (f && !err && fgets(line, sizeof(line), f))
		if (sscanf(line, "%1023s", path) == 1 && is_it(l, path))
			err = used(l, "is swap space of dom0");
	if (f)
		fclose(f);
	return err;
}

static int look_at_loop(const struct look *l, const char *name)
{
	char path[LINE_LEN], line[LINE_LEN] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/sys/block/%.64s/loop/backing_file", name);
	f = open_below(l, path);
	if (!f)
		return 0;
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	fclose(f);
	line[strcspn(line, "\n")] = '\0';
	return is_it(l, line) ? used(l, "is /dev/%.64s in dom0", name) : 0;
}

/* Calls @fn for the entries of @dir until it finds something. */
static int each(const struct look *l, const char *dir,
		int (*fn)(const struct look *l, const char *dir, const char *name))
{
	char path[LINE_LEN];
	struct dirent *e;
	DIR *d;
	int err = 0;

	snprintf(path, sizeof(path), "%s%s", l->root, dir);
	d = opendir(path);
	while (d && !err && (e = readdir(d)))
		if (e->d_name[0] != '.')
			err = fn(l, dir, e->d_name);
	if (d)
		closedir(d);
	return err;
}

static int loop_entry(const struct look *l, const char *dir, const char *name)
{
	(void)dir;
	return strncmp(name, "loop", 4) ? 0 : look_at_loop(l, name);
}

static int holder_entry(const struct look *l, const char *dir, const char *name)
{
	(void)dir;
	return used(l, "is in use by /dev/%.64s in dom0", name);
}

static int look_at_all(const struct look *l)
{
	int err = look_at_mounts(l);

	if (!err)
		err = look_at_swaps(l);
	return err ? err : each(l, "/sys/block", loop_entry);
}

static int look_at_device(const struct look *l)
{
	char dir[128];
	int err = look_at_all(l);

	snprintf(dir, sizeof(dir), "/sys/dev/block/%u:%u/holders", major(l->dev), minor(l->dev));
	return err ? err : each(l, dir, holder_entry);
}

/* A child with a file "partition" is one; its file "dev" says which. */
static int partition_entry(const struct look *l, const char *dir, const char *name)
{
	struct look part = *l;
	char path[LINE_LEN], words[512];
	unsigned int major_nr, minor_nr;
	FILE *f;
	bool is;

	snprintf(path, sizeof(path), "%.1000s/%.64s/partition", dir, name);
	f = open_below(l, path);
	if (!f)
		return 0;
	fclose(f);
	snprintf(path, sizeof(path), "%.1000s/%.64s/dev", dir, name);
	f = open_below(l, path);
	is = f && fscanf(f, "%u:%u", &major_nr, &minor_nr) == 2;
	if (f)
		fclose(f);
	part.dev = is ? makedev(major_nr, minor_nr) : 0;
	if (!is || !look_at_device(&part))
		return 0;
	snprintf(words, sizeof(words), "%s", l->why);
	return used(l, "has a partition, /dev/%.64s, that %s", name, words);
}

int disk_use_device(const char *root, dev_t dev, char *why, size_t why_len)
{
	const struct look l = { root, true, dev, 0, why, why_len };
	char dir[64];
	int err = look_at_device(&l);

	snprintf(dir, sizeof(dir), "/sys/dev/block/%u:%u", major(dev), minor(dev));
	return err ? err : each(&l, dir, partition_entry);
}

int disk_use(const char *root, const char *path, char *why, size_t why_len)
{
	struct look l = { root, false, 0, 0, why, why_len };
	struct stat st;

	if (stat(path, &st))
		return 0;
	if (S_ISBLK(st.st_mode))
		return disk_use_device(root, st.st_rdev, why, why_len);
	l.dev = st.st_dev;
	l.ino = st.st_ino;
	return look_at_all(&l);
}
