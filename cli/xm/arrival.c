/* SPDX-License-Identifier: MIT */
/*
 * arrival.c - see arrival.h. xend decides the other way in xend/save/move_in.c:take_over(), in a
 * transaction too: both look for the record that says arriving=.
 */
#include "arrival.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "disk_marker.h"
#include "record.h"
#include "schema.h"
#include "start.h"

#define DIR "/config/domain"

/* --- what the host has --- */

/* What goes beside a record has keys of no record's. */
#define MARKER "marker/"
#define HISTORY "history/"
#define HISTORY_DIGITS 8

static int take_key(void *arg, const char *key, const char *value)
{
	static const char *const beside[] = { MARKER, HISTORY, "pin/", "share" };

	for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++) {
		if (!strncmp(key, beside[i], strlen(beside[i])))
			return 0;
	}
	return record_keys_set(arg, key, value);
}

struct wanted {
	const char *vdev, *value;
};

static int find_marker(void *arg, const char *key, const char *value)
{
	struct wanted *w = arg;

	if (!strncmp(key, MARKER, strlen(MARKER)) && !strcmp(key + strlen(MARKER), w->vdev))
		w->value = value;
	return 0;
}

/*
 * Whether the disk of that name is the one that the guest has there. An older host says nothing of
 * it.
 */
static int compare_disk(const struct saved_head *head, const struct disk_spec *disk, char *why)
{
	static const char *const what[] = {
		[DISK_MARKER_OTHER_SIZE] = "has another size here",
		[DISK_MARKER_OTHER_CONTENT] = "has other contents here",
		[DISK_MARKER_NONE] = "cannot be compared: what comes makes no sense",
	};
	struct wanted w = { .vdev = disk->vdev };
	char ours[DISK_MARKER_MAX];
	enum disk_marker_like like;
	int err;

	saved_head_each(head, find_marker, &w);
	if (!w.value)
		return 0;
	err = disk_marker_read(disk->path, ours);
	if (err) {
		snprintf(why, ARRIVAL_WHY, "its disk %s, %.200s, cannot be read here: %s", disk->vdev, disk->path,
			 strerror(-err));
		return err;
	}
	like = disk_marker_compare(w.value, ours);
	if (like == DISK_MARKER_SAME)
		return 0;
	snprintf(why, ARRIVAL_WHY, "its disk %s, %.200s, %s", disk->vdev, disk->path, what[like]);
	return -ENODEV;
}

/* Each word of @features has no bit that @here lacks. */
static bool has_features(const char *here, const char *features)
{
	while (*features && *here) {
		char *end, *end_here;
		unsigned long want = strtoul(features, &end, 16);
		unsigned long has = strtoul(here, &end_here, 16);

		if (end == features || end_here == here || want & ~has)
			return false;
		features = *end == ':' ? end + 1 : end;
		here = *end_here == ':' ? end_here + 1 : end_here;
	}
	return !*features;
}

static int check_cpu(struct xs_handle *xs, const char *features, char *why)
{
	char *here = store_read(xs, XBT_NULL, "/host/hw_caps");
	bool ok = has_features(here ? here : "", features);

	if (!ok)
		snprintf(why, ARRIVAL_WHY, "the CPU here lacks features that the guest may use: "
			 "%.80s there, %.80s here", features, here ? here : "not known");
	free(here);
	return ok ? 0 : -ENODEV;
}

static int check_disk(const struct saved_head *head, const struct disk_spec *disk, char *why)
{
	struct stat st;

	/* The process that serves it asks its server or its script, before the guest runs here. */
	if (!vdev_is_path(disk->backend))
		return 0;
	if (stat(disk->path, &st)) {
		snprintf(why, ARRIVAL_WHY, "its disk %s, %.200s, is not reachable here: %s",
			 disk->vdev, disk->path, strerror(errno));
		return -ENODEV;
	}
	/* It is opened here while the other host may have to write to it still. */
	if (disk->format != DISK_FORMAT_RAW && disk->writable) {
		snprintf(why, ARRIVAL_WHY, "its disk %s is of format %s, of which two hosts cannot "
			 "have the same image open: xm save and xm restore move it", disk->vdev,
			 disk_format_words[disk->format]);
		return -EOPNOTSUPP;
	}
	if (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode))
		return compare_disk(head, disk, why);
	snprintf(why, ARRIVAL_WHY, "its disk %s, %.200s, is neither a file nor a device here",
		 disk->vdev, disk->path);
	return -ENODEV;
}

static int check_bridge(const struct vif_spec *vif, char *why)
{
	char path[128];
	struct stat st;

	/* Another script plugs the card in where it likes. */
	if (vif->script[0] && strcmp(vif->script, "vif-bridge"))
		return 0;
	snprintf(path, sizeof(path), "/sys/class/net/%.32s/bridge", vif->bridge);
	if (!stat(path, &st) || getenv("STOREVISOR_NO_BRIDGES"))
		return 0;
	snprintf(why, ARRIVAL_WHY, "there is no bridge %.32s here", vif->bridge);
	return -ENODEV;
}

int arrival_check(struct xs_handle *xs, const struct saved_head *head, const char *features,
		  char why[ARRIVAL_WHY])
{
	struct record_keys keys = { 0 };
	struct record *rec = calloc(1, sizeof(*rec));
	int ret = rec ? saved_head_each(head, take_key, &keys) : -ENOMEM;

	snprintf(why, ARRIVAL_WHY, "its record makes no sense here");
	if (!ret)
		ret = record_parse(rec, head->name, &keys, NULL, NULL);
	if (!ret)
		ret = check_cpu(xs, features, why);
	for (unsigned int i = 0; !ret && i < rec->nr_disks; i++)
		ret = check_disk(head, &rec->disk[i], why);
	for (unsigned int i = 0; !ret && i < rec->nr_vifs; i++)
		ret = check_bridge(&rec->vif[i], why);
	record_keys_free(&keys);
	free(rec);
	return ret;
}

/* --- that it comes --- */

struct beginning {
	struct xs_handle *xs;
	xs_transaction_t t;
	const struct saved_head *head;
	const char *epoch, *path;
	char *why;
};

/*
 * What happened to it is told where it is, in place of what is left of an earlier stay. By a number
 * as xend/history.c makes them: behind another one it would count on wrongly, and each new line
 * replace the last.
 */
static int write_history(const struct beginning *b, const char *number, const char *value)
{
	if (strlen(number) != HISTORY_DIGITS || strspn(number, "0123456789") != HISTORY_DIGITS)
		return 0;
	return store_write(b->xs, b->t, value, "/history/domain/%s/%s", b->head->name, number);
}

/* Keys that no version knows are not brought into the store. */
static int write_key(void *arg, const char *key, const char *value)
{
	const struct beginning *b = arg;
	char path[STORE_PATH_MAX];

	if (!strncmp(key, HISTORY, strlen(HISTORY)))
		return write_history(b, key + strlen(HISTORY), value);
	snprintf(path, sizeof(path), DIR "/%s/%s", b->head->name, key);
	if (strstr(key, "..") || !schema_find(path))
		return 0;
	return store_write(b->xs, b->t, value, "%s", path);
}

/* Whether @name is what is left of an earlier arrival of the same domain: 1, 0, -errno. */
static int is_left_over(struct beginning *b, const char *name, const char *uuid)
{
	if (strcmp(name, b->head->name) || !uuid || strcmp(uuid, b->head->uuid))
		return 0;
	return store_has(b->xs, b->t, DIR "/%s/arriving", name);
}

static int make_room(struct beginning *b)
{
	unsigned int nr;
	char **names;
	int ret = store_list_records(b->xs, b->t, &names, &nr);

	for (unsigned int i = 0; !ret && i < nr; i++) {
		char *uuid = store_read(b->xs, b->t, DIR "/%s/uuid", names[i]);
		int left = !uuid && errno != ENOENT ? -errno : is_left_over(b, names[i], uuid);
		bool same_name = !strcmp(names[i], b->head->name);
		bool same_uuid = uuid && !strcmp(uuid, b->head->uuid);

		if (left < 0) {
			ret = left;
		} else if (left) {
			ret = store_remove(b->xs, b->t, DIR "/%s", names[i]);
		} else if (same_name || same_uuid) {
			snprintf(b->why, ARRIVAL_WHY, "there is a domain %.64s here already%s",
				 names[i], same_name ? "" : ", with its uuid");
			ret = -EEXIST;
		}
		free(uuid);
	}
	free(names);
	return ret;
}

static int begin_body(struct xs_handle *xs, xs_transaction_t t, void *data)
{
	struct beginning *b = data;
	const char *name = b->head->name;
	int ret;

	b->xs = xs;
	b->t = t;
	snprintf(b->why, ARRIVAL_WHY, "%.64s is just starting or ending here", name);
	ret = store_has(xs, t, "/status/domain/%s/domid", name);
	if (ret)
		return ret < 0 ? ret : -EBUSY;
	ret = start_forget(xs, t, name);
	if (!ret)
		ret = make_room(b);
	if (!ret)
		ret = store_remove(xs, t, "/history/domain/%s", name);
	if (!ret)
		ret = saved_head_each(b->head, write_key, b);
	if (!ret)
		ret = store_write(xs, t, b->epoch, DIR "/%s/arriving", name);
	if (!ret)
		ret = store_write(xs, t, b->path, DIR "/%s/saved", name);
	if (!ret)
		ret = store_write(xs, t, "0", DIR "/%s/paused", name);
	return ret ? ret : store_write(xs, t, "on", DIR "/%s/power", name);
}

int arrival_begin(struct xs_handle *xs, const struct saved_head *head, const char *epoch,
		  const char *path, char why[ARRIVAL_WHY])
{
	struct beginning b = { .head = head, .epoch = epoch, .path = path, .why = why };

	return store_transact(xs, begin_body, &b);
}

/* --- what became of it --- */

struct ending {
	const char *epoch;
	bool runs;
};

/* 1: it is there, with @value if that is given; 0: it is not; -errno: the store does not say. */
static int is_there(struct xs_handle *xs, xs_transaction_t t, const char *value, const char *dir,
		    const char *name, const char *key)
{
	char *text = store_read(xs, t, "%s/%s%s", dir, name, key);
	int ret = text ? !value || !strcmp(text, value) : errno == ENOENT ? 0 : -errno;

	free(text);
	return ret;
}

/* An answer is final: what cannot be read is no "no". */
static int end_body(struct xs_handle *xs, xs_transaction_t t, void *data)
{
	struct ending *e = data;
	unsigned int nr;
	char **names;
	int ret = is_there(xs, t, NULL, "/config/move", e->epoch, "");

	e->runs = ret > 0;
	if (ret)
		return ret < 0 ? ret : 0;
	ret = store_list_records(xs, t, &names, &nr);
	for (unsigned int i = 0; ret >= 0 && i < nr; i++) {
		ret = is_there(xs, t, e->epoch, DIR, names[i], "/arriving");
		if (ret > 0)
			ret = store_remove(xs, t, DIR "/%s", names[i]);
	}
	free(names);
	return ret;
}

int arrival_end(struct xs_handle *xs, const char *epoch, bool *runs)
{
	struct ending e = { .epoch = epoch };
	int ret = store_transact(xs, end_body, &e);

	*runs = e.runs;
	return ret;
}

int arrival_forget(struct xs_handle *xs, const char *epoch)
{
	return store_remove(xs, XBT_NULL, "/config/move/%s", epoch);
}
