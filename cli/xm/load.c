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

#include "keys.h"
#include "load.h"
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
	static const char *const patterns[] = {"%s", CONFIG_DIR "/%s", CONFIG_DIR "/%s.cfg"};

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

static int parse_file(struct xm *xm, struct cfg *cfg, const char *path)
{
	bool standard = strcmp(path, "-") == 0;
	FILE *f = standard ? xm->in : fopen(path, "re");
	struct cfg_error err;
	size_t len;
	char *text;
	int ret;

	if (!f)
		return xm_fail(xm, "cannot read %s: %s", path, strerror(errno));
	text = read_all(f, &len);
	if (!text)
		ret = xm_fail(xm, "out of memory");
	else if (ferror(f))
		ret = xm_fail(xm, "cannot read %s: %s", path, strerror(errno));
	else if (cfg_parse(cfg, standard ? "(standard input)" : path, text, len, &err) < 0)
		ret = xm_fail(xm, "%s", err.text);
	else
		ret = 0;
	free(text);
	if (!standard)
		fclose(f);
	return ret;
}

struct warnings {
	struct xm *xm;
	bool quiet;
};

static void warn(void *data, const char *text)
{
	struct warnings *w = data;

	if (!w->quiet)
		xm_warn(w->xm, "%s", text);
}

static int missing_file(struct xm *xm, const char *file)
{
	if (strchr(file, '/'))
		return xm_fail(xm, "there is no configuration file %s", file);
	return xm_fail(xm, "there is no configuration file %s, here or in " CONFIG_DIR, file);
}

int load_record(struct xm *xm, const char *file, const char *const *overrides, int nr, bool quiet,
		struct record *rec, char found[LOAD_PATH_MAX])
{
	struct warnings warnings = {xm, quiet};
	struct cfg cfg = {0};
	struct cfg_error err;
	int ret = 0;

	found[0] = '\0';
	if (file && strcmp(file, "-") == 0)
		strcpy(found, "-");
	else if (file && !find_file(file, found))
		return missing_file(xm, file);
	if (file)
		ret = parse_file(xm, &cfg, found);
	for (int i = 0; i < nr && !ret; i++)
		if (cfg_override(&cfg, overrides[i], &err) < 0)
			ret = xm_fail(xm, "%s", err.text);
	record_init(rec);
	if (!ret && keys_to_record(&cfg, rec, warn, &warnings, &err) < 0)
		ret = xm_fail(xm, "%s", err.text);
	if (ret)
		record_fini(rec);
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

static int check_disk(struct xm *xm, size_t nr, struct disk_spec *disk)
{
	struct stat st;

	if (stat(disk->path, &st) < 0)
		return xm_fail(xm, "disk %zu (%s): %s: %s", nr + 1, disk->vdev, disk->path,
			       strerror(errno));
	if (disk->backend == DISK_PHY && !S_ISBLK(st.st_mode))
		return xm_fail(
			xm, "disk %zu (%s): %s is not a block device: write file:%s for an image",
			nr + 1, disk->vdev, disk->path, disk->path);
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return xm_fail(xm, "disk %zu (%s): %s is neither an image nor a block device",
			       nr + 1, disk->vdev, disk->path);
	if (disk->backend == DISK_UNKNOWN)
		disk->backend = S_ISBLK(st.st_mode) ? DISK_PHY : DISK_FILE;
	return 0;
}

int load_check_files(struct xm *xm, struct record *rec)
{
	int ret;

	errno = 0;
	ret = check_readable(xm, "kernel", rec->kernel);
	if (!ret && rec->ramdisk)
		ret = check_readable(xm, "ramdisk", rec->ramdisk);
	for (size_t i = 0; i < rec->nr_disks && !ret; i++)
		ret = check_disk(xm, i, &rec->disks[i]);
	return ret;
}

void load_default_bridge(struct xm *xm, struct record *rec)
{
	struct xs_handle *xs = rec->nr_vifs ? xm_store(xm) : NULL;
	char *bridge = xs ? store_read(xs, XBT_NULL, "/config/network/bridge") : NULL;

	for (size_t i = 0; i < rec->nr_vifs; i++)
		if (!rec->vifs[i].bridge[0])
			snprintf(rec->vifs[i].bridge, sizeof(rec->vifs[i].bridge), "%s",
				 bridge && *bridge ? bridge : "xenbr0");
	free(bridge);
}
