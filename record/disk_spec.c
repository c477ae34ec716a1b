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
#include "remote_name.h"
#include "script_name.h"

#define FIELDS_MAX 16

/* What is being read, and what there is to say about it. */
struct spec {
	struct disk_spec *disk;
	const char *base;
	char *err;
	bool cdrom;
	bool formatted; /* it was said in what format it is */
	const char *script; /* that makes it, or NULL */
};

struct fields {
	char text[2048]; /* the spec, cut by NULs */
	char *at[FIELDS_MAX];
	int nr;
};

const char *disk_backend_name(enum vdev_backend backend)
{
	static const char *const names[] = { "file", "file", "phy", "nbd", "iscsi", "script" };

	return names[backend];
}

const char *disk_mode_name(const struct disk_spec *disk)
{
	if (!disk->writable)
		return "r";
	return disk->shared ? "w!" : "w";
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
		char *field = spec_trim(s);

		/* xl: target= takes the rest of the line, commas too. */
		if (strncmp(field, "target=", 7) == 0)
			comma = NULL;
		if (f->nr == FIELDS_MAX)
			return spec_error(err, -EINVAL, "more than %d parts", FIELDS_MAX);
		if (comma)
			*comma = '\0';
		f->at[f->nr++] = spec_trim(field);
		s = comma ? comma + 1 : NULL;
	}
	return 0;
}

static const struct {
	const char *prefix;
	enum vdev_backend backend;
} prefixes[] = {
	{ "file:", VDEV_FILE },	   { "phy:", VDEV_PHY },       { "ioemu:", VDEV_UNKNOWN },
	{ "tap:aio:", VDEV_FILE }, { "tap2:aio:", VDEV_FILE }, { "aio:", VDEV_FILE },
	{ "tap:tapdisk:aio:", VDEV_FILE }, { "tap2:tapdisk:aio:", VDEV_FILE },
};

/* FORMAT:, tap:FORMAT: and tap2:FORMAT: at the start of @target. What is behind it, or NULL. */
static const char *behind_format(struct spec *s, const char *target)
{
	static const char *const drivers[] = { "tap:", "tap2:" };
	const char *word = target, *colon;

	for (size_t i = 0; i < 2; i++)
		if (!strncmp(target, drivers[i], strlen(drivers[i])))
			word = target + strlen(drivers[i]);
	colon = strchr(word, ':');
	if (!colon || disk_format_parse(word, (int)(colon - word), &s->disk->format))
		return NULL;
	s->formatted = true;
	if (word != target)
		s->disk->backend = VDEV_FILE;
	return colon + 1;
}

/* PREFIX: at the start of @target, which says what serves it. What is behind it. */
static const char *behind_prefix(struct spec *s, const char *target)
{
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t len = strlen(prefixes[i].prefix);

		if (strncmp(target, prefixes[i].prefix, len) == 0) {
			if (prefixes[i].backend != VDEV_UNKNOWN)
				s->disk->backend = prefixes[i].backend;
			return target + len;
		}
	}
	return target;
}

/* Where @path is when it does not begin at the root. */
static const char *directory(const struct spec *s)
{
	return s->disk->backend == VDEV_PHY ? "/dev" : s->base;
}

static int set_remote(struct spec *s, const char *target)
{
	enum vdev_backend backend;
	const char *why = remote_name_settle(target, &backend, s->disk->path,
					     sizeof(s->disk->path));

	return why ? spec_error(s->err, -EINVAL, "'%.200s' names no disk: %s", target, why) : 0;
}

/* @target in the words of @script, which makes the disk. */
static int set_made(struct spec *s, const char *script, const char *target)
{
	char *path = s->disk->path;
	struct script_name name;
	const char *why;
	int n = snprintf(path, sizeof(s->disk->path), "script:%s:%s", script, target);

	if (n > DISK_PATH_MAX)
		return spec_error(s->err, -EINVAL, "it is longer than %d characters", DISK_PATH_MAX);
	why = script_name_parse(path, &name);
	return why ? spec_error(s->err, -EINVAL, "script '%.64s', target '%.64s': %s", script, target,
				why) : 0;
}

/* Disks for which xl has a script of that name: drbd:RESOURCE is block-drbd's. */
static const char *behind_script(const char *target, char script[16])
{
	static const char *const words[] = { "drbd", "enbd" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t len = strlen(words[i]);

		if (strncmp(target, words[i], len) || target[len] != ':')
			continue;
		snprintf(script, 16, "block-%s", words[i]);
		return target + len + 1;
	}
	return NULL;
}

static int set_named_script(struct spec *s, const char *target)
{
	struct script_name name;
	const char *why = script_name_parse(target, &name);

	return why ? spec_error(s->err, -EINVAL, "'%.200s' names no disk: %s", target, why) :
		     set_made(s, name.script, name.what);
}

static int set_target(struct spec *s, const char *target)
{
	const char *path, *colon, *from;
	char script[16];
	int n;

	if (s->script)
		return set_made(s, s->script, target);
	if (script_name_is(target))
		return set_named_script(s, target);
	path = behind_script(target, script);
	if (path)
		return set_made(s, script, path);
	if (remote_name_is(target))
		return set_remote(s, target);
	path = behind_format(s, target);
	if (!path)
		path = behind_prefix(s, target);
	colon = strchr(path, ':');
	if (path == target && path[0] != '/' && colon)
		return spec_error(s->err, -ENOTSUP,
				  "no backend for '%.*s:': write file:/path for an "
				  "image, phy:/dev/... for a block device, or "
				  "nbd:HOST:PORT or iscsi://HOST/TARGET/LUN for one on another "
				  "machine",
				  (int)(colon - path), path);
	if (!*path)
		return 0; /* the whole is checked at the end */
	from = *path == '/' ? "" : directory(s);
	if (!from)
		return spec_error(s->err, -EINVAL, "'%s' must be an absolute path", path);
	n = snprintf(s->disk->path, sizeof(s->disk->path), "%s%s%s", from, *path == '/' ? "" : "/",
		     path);
	if (n <= DISK_PATH_MAX)
		return 0;
	return spec_error(s->err, -EINVAL, "the path is longer than %d characters", DISK_PATH_MAX);
}

static int set_devtype(struct spec *s, const char *type)
{
	s->cdrom = strcmp(type, "cdrom") == 0;
	if (s->cdrom || strcmp(type, "disk") == 0)
		return 0;
	return spec_error(s->err, -ENOTSUP,
			  "devtype '%s' is not known: a paravirtual guest has disks only", type);
}

/* hda:cdrom, ioemu:hda and /dev/hda are hda, as xl reads them. */
static int set_vdev(struct spec *s, const char *vdev)
{
	struct disk_spec *disk = s->disk;
	const char *colon;
	size_t len;

	if (strncmp(vdev, "ioemu:", 6) == 0)
		vdev += 6;
	if (strncmp(vdev, "/dev/", 5) == 0)
		vdev += 5;
	colon = strchr(vdev, ':');
	len = colon ? (size_t)(colon - vdev) : strlen(vdev);
	if (colon && set_devtype(s, colon + 1))
		return -ENOTSUP;
	snprintf(disk->vdev, sizeof(disk->vdev), "%.*s", (int)len, vdev);
	if (len <= DISK_VDEV_MAX && vdev_disk_number(disk->vdev, &disk->number) == 0)
		return 0;
	return spec_error(s->err, -EINVAL,
			  "'%.100s' is not a disk name a guest knows: write xvda, "
			  "xvdb, xvda1, sda, hda, ...",
			  vdev);
}

static bool is_vdev(const char *text)
{
	char none[SPEC_ERROR_LEN];
	struct disk_spec disk = { 0 };
	struct spec s = { .disk = &disk, .err = none };

	return set_vdev(&s, text) == 0;
}

static const struct {
	const char *word;
	bool writable, shared;
} modes[] = {
	{ "r", false, false }, { "ro", false, false }, { "w", true, false }, { "rw", true, false },
	{ "w!", true, true },  { "rw!", true, true },  { "!", true, true },
};

static bool is_mode(const char *word)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(word, modes[i].word) == 0)
			return true;
	return false;
}

static int set_access(struct spec *s, const char *word)
{
	if (!*word)
		return 0;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(word, modes[i].word) == 0) {
			s->disk->writable = modes[i].writable;
			s->disk->shared = modes[i].shared;
			return 0;
		}
	}
	return spec_error(s->err, -EINVAL,
			  "'%s' is not an access mode: write r (read-only), w (read and "
			  "write, locked) or w! (write without the lock)",
			  word);
}

static int set_format(struct spec *s, const char *word)
{
	enum disk_format format = DISK_FORMAT_RAW;

	if (!*word)
		return 0;
	if (strcmp(word, "aio") && disk_format_parse(word, (int)strlen(word), &format))
		return spec_error(s->err, -ENOTSUP, "format '%s' is not known: %s", word,
				  disk_format_list);
	if (s->formatted && format != s->disk->format)
		return spec_error(s->err, -EINVAL, "it cannot be %s and %s",
				  disk_format_words[s->disk->format], word);
	s->disk->format = format;
	s->formatted = true;
	return 0;
}

static int set_backing(struct spec *s, const char *path)
{
	char *to = s->disk->backing;
	size_t len = strlen(to);
	int n;

	if (*path != '/' && !s->base)
		return spec_error(s->err, -EINVAL, "'%s' must be an absolute path", path);
	n = snprintf(to + len, DISK_BACKING_MAX + 1 - len, "%s%s%s%s", len ? "," : "",
		     *path == '/' ? "" : s->base, *path == '/' ? "" : "/", path);
	if (len + (size_t)n <= DISK_BACKING_MAX)
		return 0;
	return spec_error(s->err, -EINVAL, "the paths of backing= are longer than %d characters",
			  DISK_BACKING_MAX);
}

static int set_cache(struct spec *s, const char *word)
{
	if (!*word || strcmp(word, "default") == 0 || disk_cache_parse(word, &s->disk->cache) == 0)
		return 0;
	return spec_error(s->err, -EINVAL,
			  "cache '%s' is not known: none, writeback, writethrough, directsync or "
			  "unsafe",
			  word);
}

static int set_backendtype(struct spec *s, const char *type)
{
	if (strcmp(type, "phy") == 0)
		s->disk->backend = VDEV_PHY;
	else if (strcmp(type, "file") == 0 || strcmp(type, "qdisk") == 0 ||
		 strcmp(type, "tap") == 0)
		s->disk->backend = VDEV_FILE;
	else
		return spec_error(s->err, -ENOTSUP, "backendtype '%s' is not known: phy or file",
				  type);
	return 0;
}

static int set_backend(struct spec *s, const char *domain)
{
	if (strcmp(domain, "0") == 0 || strcmp(domain, "Domain-0") == 0)
		return 0;
	return spec_error(s->err, -ENOTSUP, "backend '%s': disks are served by Domain-0 only",
			  domain);
}

/* It was looked for before, because the target is the script's to read (find_script()). */
static int set_script(struct spec *s, const char *script)
{
	(void)s;
	(void)script;
	return 0;
}

static int set_trusted(struct spec *s, const char *value)
{
	(void)value;
	return spec_error(s->err, 0, "trusted has no effect: no disk trusts its guest");
}

static const struct {
	const char *name;
	int (*set)(struct spec *s, const char *value);
} keys[] = {
	{ "target", set_target },	  { "format", set_format },	    { "vdev", set_vdev },
	{ "access", set_access },	  { "backendtype", set_backendtype }, { "devtype", set_devtype },
	{ "backend", set_backend },	  { "cache", set_cache },	    { "backing", set_backing },
	{ "script", set_script },	  { "trusted", set_trusted },
};

static int set_named(struct spec *s, char *field)
{
	char *eq = strchr(field, '=');
	struct nearest near = { 0 };

	*eq = '\0';
	field = spec_trim(field);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(field, keys[i].name) == 0)
			return keys[i].set(s, spec_trim(eq + 1));
		nearest_offer(&near, field, keys[i].name);
	}
	if (near.word)
		return spec_error(s->err, -EINVAL, "unknown key '%s'; did you mean '%s'?", field,
				  near.word);
	return spec_error(s->err, -EINVAL,
			  "unknown key '%s': a disk has target, format, vdev, access, "
			  "backendtype, cache, backing, script",
			  field);
}

/* Words that stand alone in xl's spelling and change nothing here. */
static bool is_harmless_flag(const char *field)
{
	return strcmp(field, "discard") == 0 || strcmp(field, "no-discard") == 0 ||
	       strcmp(field, "direct-io-safe") == 0;
}

static int parse_xl(struct spec *s, struct fields *f)
{
	static int (*const order[])(struct spec *, const char *) = {
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
			ret = set_named(s, field);
		else if (is_harmless_flag(field))
			continue;
		else if (strcmp(field, "cdrom") == 0)
			ret = set_devtype(s, field);
		else if (position < sizeof(order) / sizeof(order[0]))
			ret = order[position++](s, field);
		else if (*field)
			ret = spec_error(s->err, -EINVAL,
					 "'%s' is one part too many: TARGET,FORMAT,VDEV,"
					 "ACCESS",
					 field);
	}
	return ret;
}

/* TARGET,VDEV[,ACCESS[,BACKEND]]; an empty part is one that is not there. */
static int parse_xm(struct spec *s, struct fields *f)
{
	int ret = set_target(s, f->at[0]);

	if (!ret)
		ret = set_vdev(s, f->at[1]);
	if (!ret && f->nr > 2)
		ret = set_access(s, f->at[2]);
	if (!ret && f->nr > 3 && *f->at[3])
		ret = set_backend(s, f->at[3]);
	return ret;
}

static bool is_xm_spelling(const struct fields *f)
{
	if (f->nr < 2 || f->nr > 4)
		return false;
	for (int i = 1; i < f->nr; i++)
		if (strchr(f->at[i], '='))
			return false;
	/* In xl's the third part is the guest's name, in xm's the second. */
	return is_vdev(f->at[1]) || (f->nr == 3 && is_mode(f->at[2]));
}

static const char *backing_clash(const struct disk_spec *disk)
{
	unsigned int nr = 0;

	if (!disk->backing[0])
		return NULL;
	if (disk->format == DISK_FORMAT_RAW)
		return "backing= is for images of a format that stand on others, such as qcow2";
	for (const char *path = disk->backing; path; path = strchr(path, ','), nr++) {
		path += *path == ',';
		if (*path != '/' || isspace((unsigned char)path[strcspn(path, ",") - 1]))
			return "backing= is to be absolute paths with commas between, and no blanks";
	}
	return nr > DISK_BACKING_FILES ? "backing= has more than eight files" : NULL;
}

const char *disk_spec_clash(const struct disk_spec *disk, const char **key)
{
	*key = "cache";
	if (vdev_is_remote(disk->backend) && disk->cache)
		return disk_cache_remote;
	*key = "format";
	if (vdev_is_remote(disk->backend) && disk->format != DISK_FORMAT_RAW)
		return "format= is for files and devices of this host: another machine's disk is raw";
	if (disk->backend == VDEV_SCRIPT && disk->format != DISK_FORMAT_RAW)
		return "format= is for files and devices of this host: what a script makes is raw";
	if (disk->shared && disk->format != DISK_FORMAT_RAW)
		return "w! is for raw images: two that write one of another format destroy it";
	*key = "backing";
	return backing_clash(disk);
}

/* What needs the whole of it; a compact disc is a disk that cannot be written. */
static int finish(struct spec *s)
{
	struct disk_spec *disk = s->disk;
	char whole[DISK_PATH_MAX + 1];
	const char *clash, *key;

	/* Whatever backendtype= says: QEMU serves these to xl's guests. */
	if (remote_name_is(disk->path))
		remote_name_settle(disk->path, &disk->backend, whole, sizeof(whole));
	else if (script_name_is(disk->path))
		disk->backend = VDEV_SCRIPT;
	clash = disk_spec_clash(disk, &key);
	if (clash)
		return spec_error(s->err, -EINVAL, "%s", clash);
	if (s->cdrom && !disk->path[0]) {
		spec_error(s->err, 0,
			   "an empty drive has no effect: a paravirtual guest has disks only");
		return DISK_SPEC_NOTHING;
	}
	if (!disk->path[0])
		return spec_error(s->err, -EINVAL,
				  "the path of the image is missing: write "
				  "'file:/path,xvda,w' or 'vdev=xvda, target=/path'");
	if (!disk->vdev[0])
		return spec_error(s->err, -EINVAL,
				  "the guest's name for the disk is missing: write "
				  "'%s%.200s,xvda,w' or 'vdev=xvda, target=%.200s'",
				  vdev_is_path(disk->backend) ? "file:" : "", disk->path,
				  disk->path);
	if (s->cdrom) {
		disk->writable = disk->shared = false;
		spec_error(s->err, 0, "a CD-ROM is a read-only disk to a paravirtual guest");
	}
	return 0;
}

/* script=, wherever it stands. */
static void find_script(struct spec *s, const struct fields *f)
{
	for (int i = 0; i < f->nr; i++) {
		const char *word = f->at[i], *value = word + strcspn(word, " \t=");

		if (value - word != 6 || strncmp(word, "script", 6))
			continue;
		value += strspn(value, " \t");
		if (*value == '=')
			s->script = value + 1 + strspn(value + 1, " \t");
	}
}

int disk_spec_parse(const char *text, const char *base, struct disk_spec *disk,
		    char err[SPEC_ERROR_LEN])
{
	struct spec s = { .disk = disk, .base = base, .err = err };
	struct fields f;
	int ret;

	err[0] = '\0';
	memset(disk, 0, sizeof(*disk));
	disk->writable = true; /* xl's default */
	ret = cut(text, &f, err);
	if (!ret)
		find_script(&s, &f);
	if (!ret)
		ret = is_xm_spelling(&f) ? parse_xm(&s, &f) : parse_xl(&s, &f);
	return ret ? ret : finish(&s);
}
