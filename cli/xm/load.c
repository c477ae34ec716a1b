/* SPDX-License-Identifier: MIT */
/*
 * load.c - see load.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cfg_keys.h"
#include "load.h"
#include "record_settle.h"
#include "store.h"

#define CONFIG_DIR "/etc/xen"

static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

/* Where xm always looked: as given, then in /etc/xen, by its name or its stem. */
static bool find_file(const char *file, char found[LOAD_PATH_MAX])
{
	static const char *const patterns[] = { "%s", CONFIG_DIR "/%s", CONFIG_DIR "/%s.cfg" };

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		if (i && strchr(file, '/'))
			break;
		if (snprintf(found, LOAD_PATH_MAX, patterns[i], file) < LOAD_PATH_MAX &&
		    is_file(found))
			return true;
	}
	return false;
}

static char *read_all(FILE *f, size_t *len)
{
	size_t room = 4096;
	char *text = malloc(room);

	*len = 0;
	while (text) {
		*len += fread(text + *len, 1, room - *len, f);
		if (*len < room || *len > CFG_TEXT_MAX)
			break;
		room *= 2;
		text = realloc(text, room);
	}
	return text;
}

char *load_text(struct xm *xm, const char *path, size_t *len)
{
	bool standard = strcmp(path, "-") == 0;
	FILE *f = standard ? xm->in : fopen(path, "re");
	char *text;

	if (!f) {
		xm_fail(xm, "cannot read %s: %s", path, strerror(errno));
		return NULL;
	}
	text = read_all(f, len);
	if (!text) {
		xm_fail(xm, "out of memory");
	} else if (ferror(f)) {
		xm_fail(xm, "cannot read %s: %s", path, strerror(errno));
		free(text);
		text = NULL;
	}
	if (!standard)
		fclose(f);
	return text;
}

static int parse_file(struct xm *xm, struct cfg *cfg, const char *path, struct cfg_report *rep)
{
	const char *source = strcmp(path, "-") == 0 ? "(standard input)" : path;
	size_t len;
	char *text = load_text(xm, path, &len);
	int ret = 0;

	if (!text)
		return 1;
	if (cfg_parse(cfg, source, text, len, rep) == -ENOMEM)
		ret = xm_fail(xm, "out of memory");
	free(text);
	return ret;
}

struct reader {
	struct xm *xm;
	bool quiet;
};

static void say(void *data, bool wrong, const char *text)
{
	struct reader *r = data;

	if (wrong)
		xm_fail(r->xm, "%s", text);
	else if (!r->quiet)
		xm_warn(r->xm, "%s", text);
}

static int missing_file(struct xm *xm, const char *file)
{
	if (strchr(file, '/'))
		return xm_fail(xm, "there is no configuration file %s", file);
	return xm_fail(xm, "there is no configuration file %s, here or in " CONFIG_DIR, file);
}

/* The record, when the file could be read: everything wrong is said at once. */
static int read_cfg(struct xm *xm, struct cfg *cfg, char *const *overrides, int nr,
		    struct cfg_report *rep, struct record *rec)
{
	char *base = get_current_dir_name();
	int ret = 0;

	for (int i = 0; i < nr && ret != -ENOMEM; i++)
		ret = cfg_override(cfg, overrides[i], rep);
	if (ret != -ENOMEM)
		ret = cfg_to_record(cfg, base, rec, rep);
	free(base);
	if (ret == -ENOMEM || ret == -EIO)
		return xm_fail(xm, "out of memory or randomness");
	return ret ? 1 : 0;
}

int load_record(struct xm *xm, const char *file, char *const *overrides, int nr, bool quiet,
		struct record *rec, char found[LOAD_PATH_MAX])
{
	struct reader reader = { xm, quiet };
	struct cfg_report rep = { .say = say, .data = &reader };
	struct cfg cfg = { 0 };
	int ret = 0;

	found[0] = '\0';
	if (file && strcmp(file, "-") == 0)
		strcpy(found, "-");
	else if (file && !find_file(file, found))
		return missing_file(xm, file);
	if (file)
		ret = parse_file(xm, &cfg, found, &rep);
	if (!ret)
		ret = read_cfg(xm, &cfg, overrides, nr, &rep, rec);
	cfg_fini(&cfg);
	return ret;
}

int load_record_text(struct xm *xm, const char *source, const char *text, size_t len, bool quiet,
		     struct record *rec)
{
	struct reader reader = { xm, quiet };
	struct cfg_report rep = { .say = say, .data = &reader };
	struct cfg cfg = { 0 };
	int ret = 0;

	if (cfg_parse(&cfg, source, text, len, &rep) == -ENOMEM)
		ret = xm_fail(xm, "out of memory");
	if (!ret)
		ret = read_cfg(xm, &cfg, NULL, 0, &rep, rec);
	cfg_fini(&cfg);
	return ret;
}

static int check_readable(struct xm *xm, const char *what, const char *path)
{
	if (is_file(path) && access(path, R_OK) == 0)
		return 0;
	if (errno == 0)
		errno = EISDIR;
	return xm_fail(xm, "%s %s: %s", what, path, strerror(errno));
}

static int check_disk(struct xm *xm, const struct disk_spec *disk)
{
	unsigned int nr = disk->item + 1;
	struct stat st;

	/* Whether its server or its script is there is seen where the guest starts. */
	if (!vdev_is_path(disk->backend))
		return 0;
	if (stat(disk->path, &st) < 0)
		return xm_fail(xm, "disk %u (%s): %s: %s", nr, disk->vdev, disk->path,
			       strerror(errno));
	if (disk->backend == VDEV_PHY && !S_ISBLK(st.st_mode))
		return xm_fail(
			xm, "disk %u (%s): %s is not a block device: write file:%s for an image",
			nr, disk->vdev, disk->path, disk->path);
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return xm_fail(xm, "disk %u (%s): %s is neither an image nor a block device", nr,
			       disk->vdev, disk->path);
	return 0;
}

int load_check_files(struct xm *xm, const struct record *rec)
{
	int ret;

	errno = 0;
	ret = check_readable(xm, "kernel", rec->kernel);
	if (rec->ramdisk[0] && check_readable(xm, "ramdisk", rec->ramdisk))
		ret = 1;
	for (unsigned int i = 0; i < rec->nr_disks; i++)
		if (check_disk(xm, &rec->disk[i]))
			ret = 1;
	return ret;
}

char *load_bridge(struct xm *xm)
{
	/* A dry run needs no store: one that is not there has no bridge set. */
	if (!xm->xs)
		xm->xs = xs_open(0);
	return xm->xs ? store_read(xm->xs, XBT_NULL, "/config/network/bridge") : NULL;
}

void load_host(struct xm *xm, struct record *rec)
{
	char *bridge = rec->nr_vifs ? load_bridge(xm) : NULL;

	record_settle(rec, bridge);
	free(bridge);
}
