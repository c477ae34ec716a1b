/* SPDX-License-Identifier: MIT */
/*
 * disk_spec.c - see disk_spec.h. A spec is cut at its commas into fields; fields with `=` are
 * named, the others positional; three positional fields ending in a mode are xm's spelling.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk_spec.h"
#include "nearest.h"

#define FIELDS_MAX 16

struct fields {
	char text[2048]; /* the spec, cut by NULs */
	char *at[FIELDS_MAX];
	int nr;
};

const char *disk_backend_name(enum disk_backend backend)
{
	static const char *const names[DISK_NR] = {[DISK_FILE] = "file", [DISK_PHY] = "phy"};

	return names[backend];
}

const char *disk_mode_name(const struct disk_spec *disk)
{
	if (!disk->writable)
		return "r";
	return disk->shared ? "w!" : "w";
}

/* A partition number at the end of a disk name: nothing, or 1 to @max. */
static bool is_partition(const char *s, long max)
{
	char *end;
	long n;

	if (!*s)
		return true;
	if (*s < '1' || *s > '9')
		return false;
	n = strtol(s, &end, 10);
	return !*end && n <= max;
}

bool disk_vdev_is_valid(const char *vdev)
{
	static const struct {
		const char *prefix;
		size_t letters;
		char last; /* of a one-letter name */
		long partitions;
	} kinds[] = {
		{"xvd", 2, 'z', 255},
		{"sd", 2, 'z', 15},
		{"hd", 1, 'd', 63},
	};
	char *end;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const char *s = vdev + strlen(kinds[i].prefix);
		size_t n = 0;

		if (strncmp(vdev, kinds[i].prefix, strlen(kinds[i].prefix)) != 0)
			continue;
		while (n <= kinds[i].letters && s[n] >= 'a' && s[n] <= 'z')
			n++;
		return n >= 1 && n <= kinds[i].letters && (n > 1 || s[0] <= kinds[i].last) &&
		       is_partition(s + n, kinds[i].partitions);
	}
	if (vdev[0] != 'd' || !isdigit((unsigned char)vdev[1]))
		return false;
	if (strtol(vdev + 1, &end, 10) > 1048575)
		return false;
	return !*end || (*end == 'p' && end[1] && is_partition(end + 1, 255));
}

static char *trim(char *s)
{
	char *end;

	while (isspace((unsigned char)*s))
		s++;
	end = s + strlen(s);
	while (end > s && isspace((unsigned char)end[-1]))
		*--end = '\0';
	return s;
}

static int cut(const char *text, struct fields *f, char *err)
{
	char *s = f->text;

	f->nr = 0;
	if (strlen(text) >= sizeof(f->text))
		return spec_error(err, -EINVAL, "the disk is longer than %zu characters",
				  sizeof(f->text) - 1);
	strcpy(f->text, text);
	while (s) {
		char *comma = strchr(s, ',');
		char *field = trim(s);

		/* xl: target= takes the rest of the line, commas too. */
		if (strncmp(field, "target=", 7) == 0)
			comma = NULL;
		if (f->nr == FIELDS_MAX)
			return spec_error(err, -EINVAL, "more than %d parts", FIELDS_MAX);
		if (comma)
			*comma = '\0';
		f->at[f->nr++] = trim(field);
		s = comma ? comma + 1 : NULL;
	}
	return 0;
}

static int set_target(struct disk_spec *disk, const char *target, char *err)
{
	static const struct {
		const char *prefix;
		enum disk_backend backend;
	} prefixes[] = {
		{"file:", DISK_FILE},	 {"phy:", DISK_PHY},	   {"raw:", DISK_UNKNOWN},
		{"tap:aio:", DISK_FILE}, {"tap2:aio:", DISK_FILE}, {"aio:", DISK_FILE},
		{"tap:raw:", DISK_FILE}, {"tap2:raw:", DISK_FILE},
	};
	const char *path = target, *colon;

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t len = strlen(prefixes[i].prefix);

		if (strncmp(target, prefixes[i].prefix, len) == 0) {
			path = target + len;
			disk->backend = prefixes[i].backend;
			break;
		}
	}
	colon = strchr(path, ':');
	if (path == target && path[0] != '/' && colon)
		return spec_error(err, -ENOTSUP,
				  "no backend for '%.*s:': write file:/path for an "
				  "image or phy:/dev/... for a block device",
				  (int)(colon - path), path);
	if (!*path)
		return spec_error(err, -EINVAL, "the path of the image is missing");
	if (disk->backend == DISK_PHY && path[0] != '/') {
		if (snprintf(disk->path, sizeof(disk->path), "/dev/%s", path) < DISK_PATH_MAX)
			return 0;
	} else if (path[0] != '/') {
		return spec_error(err, -EINVAL, "'%s' must be an absolute path", path);
	} else if (strlen(path) <= DISK_PATH_MAX) {
		strcpy(disk->path, path);
		return 0;
	}
	return spec_error(err, -EINVAL, "the path is longer than %d characters", DISK_PATH_MAX);
}

static int set_vdev(struct disk_spec *disk, const char *vdev, char *err)
{
	const char *colon = strchr(vdev, ':');

	if (strncmp(vdev, "/dev/", 5) == 0)
		vdev += 5;
	if (colon && strcmp(colon, ":disk") != 0)
		return spec_error(err, -ENOTSUP,
				  "'%s': a paravirtual guest has disks only; leave out "
				  "'%s'",
				  vdev, colon);
	snprintf(disk->vdev, sizeof(disk->vdev), "%.*s",
		 (int)(colon ? colon - vdev : (long)strnlen(vdev, DISK_VDEV_MAX + 1)), vdev);
	if (!disk_vdev_is_valid(disk->vdev))
		return spec_error(err, -EINVAL,
				  "'%s' is not a disk name a guest knows: write xvda, "
				  "xvdb, xvda1, sda, hda, ...",
				  vdev);
	return 0;
}

static const struct {
	const char *word;
	bool writable, shared;
} modes[] = {
	{"r", false, false}, {"ro", false, false}, {"w", true, false}, {"rw", true, false},
	{"w!", true, true},  {"rw!", true, true},  {"!", true, true},
};

static bool is_mode(const char *word)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(word, modes[i].word) == 0)
			return true;
	return false;
}

static int set_access(struct disk_spec *disk, const char *word, char *err)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(word, modes[i].word) == 0) {
			disk->writable = modes[i].writable;
			disk->shared = modes[i].shared;
			return 0;
		}
	}
	return spec_error(err, -EINVAL,
			  "'%s' is not an access mode: write r (read-only), w (read and "
			  "write, locked) or w! (write without the lock)",
			  word);
}

static int set_format(struct disk_spec *disk, const char *format, char *err)
{
	(void)disk;
	if (strcmp(format, "raw") == 0 || strcmp(format, "aio") == 0)
		return 0;
	return spec_error(err, -ENOTSUP,
			  "format '%s' is not supported: only raw images are; convert it "
			  "with qemu-img convert -O raw",
			  format);
}

static int set_backendtype(struct disk_spec *disk, const char *type, char *err)
{
	if (strcmp(type, "phy") == 0)
		disk->backend = DISK_PHY;
	else if (strcmp(type, "file") == 0 || strcmp(type, "qdisk") == 0 ||
		 strcmp(type, "tap") == 0)
		disk->backend = DISK_FILE;
	else
		return spec_error(err, -ENOTSUP, "backendtype '%s' is not known: phy or file",
				  type);
	return 0;
}

static int set_devtype(struct disk_spec *disk, const char *type, char *err)
{
	(void)disk;
	if (strcmp(type, "disk") == 0)
		return 0;
	return spec_error(err, -ENOTSUP,
			  "devtype '%s' is not supported: a paravirtual guest has disks "
			  "only",
			  type);
}

static int set_backend(struct disk_spec *disk, const char *domain, char *err)
{
	(void)disk;
	if (strcmp(domain, "0") == 0 || strcmp(domain, "Domain-0") == 0)
		return 0;
	return spec_error(err, -ENOTSUP, "backend '%s': disks are served by Domain-0 only", domain);
}

static const struct {
	const char *name;
	int (*set)(struct disk_spec *disk, const char *value, char *err);
} keys[] = {
	{"target", set_target},	  {"format", set_format},	    {"vdev", set_vdev},
	{"access", set_access},	  {"backendtype", set_backendtype}, {"devtype", set_devtype},
	{"backend", set_backend},
};

static int set_named(struct disk_spec *disk, char *field, char *err)
{
	char *eq = strchr(field, '=');
	struct nearest near = {0};

	*eq = '\0';
	field = trim(field);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(field, keys[i].name) == 0)
			return keys[i].set(disk, trim(eq + 1), err);
		nearest_offer(&near, field, keys[i].name);
	}
	if (near.word)
		return spec_error(err, -EINVAL, "unknown key '%s'; did you mean '%s'?", field,
				  near.word);
	return spec_error(err, -EINVAL,
			  "unknown key '%s': a disk has target, format, vdev, access, "
			  "backendtype",
			  field);
}

/* Words that stand alone in xl's spelling and change nothing here. */
static bool is_harmless_flag(const char *field)
{
	return strcmp(field, "discard") == 0 || strcmp(field, "no-discard") == 0 ||
	       strcmp(field, "direct-io-safe") == 0;
}

static int parse_xl(struct disk_spec *disk, struct fields *f, char *err)
{
	static int (*const order[])(struct disk_spec *, const char *, char *) = {
		set_target,
		set_format,
		set_vdev,
		set_access,
	};
	size_t position = 0;
	int ret = 0;

	for (int i = 0; i < f->nr && !ret; i++) {
		char *field = f->at[i], *eq = strchr(field, '=');
		bool is_path = position == 0 && (strchr(field, '/') || strchr(field, ':')) &&
			       (!eq || strcspn(field, "/:") < (size_t)(eq - field));

		if (eq && !is_path)
			ret = set_named(disk, field, err);
		else if (is_harmless_flag(field))
			continue;
		else if (strcmp(field, "cdrom") == 0)
			ret = set_devtype(disk, field, err);
		else if (position == sizeof(order) / sizeof(order[0]))
			ret = spec_error(err, -EINVAL,
					 "'%s' is one part too many: TARGET,FORMAT,VDEV,"
					 "ACCESS",
					 field);
		else if (*field)
			ret = order[position++](disk, field, err);
		else
			position++;
	}
	return ret;
}

static int parse_xm(struct disk_spec *disk, struct fields *f, char *err)
{
	int ret = set_target(disk, f->at[0], err);

	if (!ret)
		ret = set_vdev(disk, f->at[1], err);
	if (!ret)
		ret = set_access(disk, f->at[2], err);
	return ret;
}

static bool is_xm_spelling(const struct fields *f)
{
	if (f->nr != 3 || strchr(f->at[1], '=') || strchr(f->at[2], '='))
		return false;
	return is_mode(f->at[2]) || disk_vdev_is_valid(f->at[1]);
}

int disk_spec_parse(const char *text, struct disk_spec *disk, char err[SPEC_ERROR_LEN])
{
	struct fields f;
	int ret;

	memset(disk, 0, sizeof(*disk));
	disk->writable = true; /* xl's default */
	ret = cut(text, &f, err);
	if (ret)
		return ret;
	ret = is_xm_spelling(&f) ? parse_xm(disk, &f, err) : parse_xl(disk, &f, err);
	if (ret)
		return ret;
	if (!disk->path[0])
		return spec_error(err, -EINVAL,
				  "the path of the image is missing: write "
				  "'file:/path,xvda,w' or 'vdev=xvda, target=/path'");
	if (!disk->vdev[0])
		return spec_error(err, -EINVAL,
				  "the guest's name for the disk is missing: write "
				  "'file:%.200s,xvda,w' or 'vdev=xvda, target=%.200s'",
				  disk->path, disk->path);
	return 0;
}
