/* SPDX-License-Identifier: MIT */
/* disk_script.c - scripts that make disks: see disk_script.h. */
#include "disk_script.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <log.h>

#include "script_name.h"
#include "store.h"

#define ROOT "/local/domain/0/"
#define DIR_LEN 80
#define WAIT_US 100000
#define WAITS (DISK_SCRIPT_SECONDS * 1000000 / WAIT_US)

static const char *directory(char out[DIR_LEN], unsigned int domid, unsigned int devid)
{
	snprintf(out, DIR_LEN, DISK_SCRIPTS "/%u/%u", domid, devid);
	return out;
}

int disk_script_of(struct disk_script *s, const char *name, unsigned int domid, unsigned int devid)
{
	struct script_name parsed;

	memset(s, 0, sizeof(*s));
	if (!script_name_is(name))
		return -ENOENT;
	if (script_name_parse(name, &parsed) ||
	    snprintf(s->params, sizeof(s->params), "%s", parsed.what) >= (int)sizeof(s->params))
		return -EINVAL;
	script_find(parsed.script, s->script);
	s->domid = domid;
	s->devid = devid;
	return 0;
}

static int run(const struct disk_script *s, const char *action, char said[SCRIPT_SAID])
{
	char dir[DIR_LEN];
	const struct script_word env[] = {
		{ "XENBUS_PATH", directory(dir, s->domid, s->devid) + strlen(ROOT) },
		{ "XENBUS_TYPE", "vbd" },
		{ "XENBUS_BASE_PATH", "backend" },
		{ NULL, NULL },
	};
	const struct script script = { .path = s->script, .action = action, .env = env,
				       .seconds = DISK_SCRIPT_SECONDS };

	return script_run(&script, said);
}

/* --- what has been made ------------------------------------------------------------------- */

/* Reads what @dir says of a script's work. False when that is not whole. */
static bool read_left(struct disk_script *s, struct xs_handle *xs, const char *dir)
{
	char mode[4] = "r";

	store_read_str(xs, dir, "mode", mode, sizeof(mode));
	s->readonly = mode[0] != 'w';
	return store_read_str(xs, dir, "script", s->script, sizeof(s->script)) == 0 &&
	       store_read_str(xs, dir, "params", s->params, sizeof(s->params)) == 0;
}

static bool backend_is_gone(struct xs_handle *xs, unsigned int domid, unsigned int devid)
{
	char path[DIR_LEN];

	snprintf(path, sizeof(path), ROOT "backend/vbd/%u/%u", domid, devid);
	return store_has(xs, path) == 0;
}

/* Calls @fn for each whose device is no longer there, until it says true. Whether it did. */
static bool any_left(struct xs_handle *xs, bool (*fn)(const struct disk_script *, const void *),
		     const void *arg)
{
	unsigned int nr, each;
	char **domids = xs_easy_list(xs, XBT_NULL, DISK_SCRIPTS, &nr), dir[DIR_LEN];
	struct disk_script s;
	bool found = false;

	for (unsigned int i = 0; i < nr && !found; i++) {
		char **devids;

		s.domid = (unsigned int)strtoul(domids[i], NULL, 10);
		snprintf(dir, sizeof(dir), DISK_SCRIPTS "/%u", s.domid);
		devids = xs_easy_list(xs, XBT_NULL, dir, &each);
		for (unsigned int j = 0; j < each && !found; j++) {
			s.devid = (unsigned int)strtoul(devids[j], NULL, 10);
			found = backend_is_gone(xs, s.domid, s.devid) &&
				read_left(&s, xs, directory(dir, s.domid, s.devid)) && fn(&s, arg);
		}
		free(devids);
	}
	free(domids);
	return found;
}

static bool call(const struct disk_script *s, const void *arg)
{
	void (*const *fn)(const struct disk_script *) = arg;

	(*fn)(s);
	return false;
}

void disk_script_left(struct xs_handle *xs, void (*fn)(const struct disk_script *s))
{
	any_left(xs, call, &fn);
}

static bool is_the_same(const struct disk_script *s, const void *arg)
{
	const struct disk_script *other = arg;

	return !strcmp(s->script, other->script) && !strcmp(s->params, other->params);
}

/* A guest that restarts finds its old device being taken away: a script makes a thing once. */
static void wait_for_left(const struct disk_script *s, struct xs_handle *xs)
{
	for (int i = 0; i < WAITS && any_left(xs, is_the_same, s); i++)
		usleep(WAIT_US);
}

/* --- making it ---------------------------------------------------------------------------- */

/* What the script says it has made, as a path of /dev. */
static int made(struct xs_handle *xs, const char *dir, char *device, size_t len)
{
	char number[32], uevent[64], line[256];
	unsigned int major, minor;
	struct stat st;
	FILE *f;
	int rc = store_read_str(xs, dir, "physical-device", number, sizeof(number));

	if (rc < 0)
		return rc;
	if (sscanf(number, "%x:%x", &major, &minor) != 2)
		return -EINVAL;
	if (store_read_str(xs, dir, "physical-device-path", device, len) == 0 && device[0] == '/' &&
	    stat(device, &st) == 0 && S_ISBLK(st.st_mode) && st.st_rdev == makedev(major, minor))
		return 0;
	rc = -ENODEV;
	snprintf(uevent, sizeof(uevent), "/sys/dev/block/%u:%u/uevent", major, minor);
	f = fopen(uevent, "re");
	while (f && rc && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "DEVNAME=", 8) && snprintf(device, len, "/dev/%s", line + 8) < (int)len)
			rc = 0;
	}
	if (f)
		fclose(f);
	return rc;
}

/* The script's own words win, those for hotplug-error before those on standard error: @said. */
static int failed(const struct disk_script *s, struct xs_handle *xs, const char *dir, int rc,
		  const char *said, char *why, size_t why_len)
{
	char text[512];

	if (store_read_str(xs, dir, "hotplug-error", text, sizeof(text)) == 0 && text[0])
		snprintf(why, why_len, "disk script %s: %s", s->script, text);
	else if (rc == -ETIMEDOUT)
		snprintf(why, why_len, "disk script %s did not finish in %d seconds%s%s", s->script,
			 DISK_SCRIPT_SECONDS, said[0] ? ": " : "", said);
	else if (rc == -EIO)
		snprintf(why, why_len, "disk script %s failed%s%s", s->script, said[0] ? ": " : "", said);
	else
		snprintf(why, why_len, "disk script %s: %s", s->script, strerror(-rc));
	return rc;
}

static int tell(const struct disk_script *s, struct xs_handle *xs, const char *dir)
{
	const struct script_word keys[] = { { "script", s->script },
					    { "params", s->params },
					    { "mode", s->readonly ? "r" : "w" },
					    { "type", "phy" } };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(keys) / sizeof(keys[0]); i++)
		rc = store_write(xs, XBT_NULL, dir, keys[i].name, "%s", keys[i].value);
	return rc;
}

int disk_script_add(const struct disk_script *s, struct xs_handle *xs, char *device, size_t len,
		    char *why, size_t why_len)
{
	char dir[DIR_LEN], said[SCRIPT_SAID] = "";
	int rc = made(xs, directory(dir, s->domid, s->devid), device, len);

	if (rc != -ENOENT && rc != -EINVAL && rc != -ENODEV)
		return rc;
	if (rc == -ENOENT) {
		wait_for_left(s, xs);
		rc = tell(s, xs, dir);
		if (rc == 0)
			rc = run(s, "add", said);
		if (rc < 0) {
			failed(s, xs, dir, rc, said, why, why_len);
			xs_easy_rm(xs, XBT_NULL, dir);
			return rc;
		}
		rc = made(xs, dir, device, len);
	}
	if (rc < 0)
		snprintf(why, why_len, "disk script %s has made no block device%s%s", s->script,
			 said[0] ? ": " : "", said);
	return rc;
}

void disk_script_remove(const struct disk_script *s, struct xs_handle *xs)
{
	char dir[DIR_LEN], domain[DIR_LEN], said[SCRIPT_SAID];
	char **left;
	unsigned int nr;
	int rc;

	if (store_has(xs, directory(dir, s->domid, s->devid)) != 1)
		return;
	rc = run(s, "remove", said);
	if (rc < 0)
		log_warnx("disk script %s cannot take %s away: %s", s->script, s->params,
			  said[0] ? said : strerror(-rc));
	xs_easy_rm(xs, XBT_NULL, dir);
	snprintf(domain, sizeof(domain), DISK_SCRIPTS "/%u", s->domid);
	left = xs_easy_list(xs, XBT_NULL, domain, &nr);
	if (left && nr == 0)
		xs_easy_rm(xs, XBT_NULL, domain);
	free(left);
}
