/* SPDX-License-Identifier: MIT */
/* move_more.c - see move_more.h. */
#include "move_more.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk_marker.h"
#include "log.h"
#include "save_priv.h"
#include "saved_record.h"
#include "store.h"
#include "xend.h"

#define KEY_MAX 80

void move_more_read(struct xend *x, struct save *s)
{
	unsigned int nr;
	char **names = store_list(x->xs, path_history(s->head.name, NULL), &nr);

	for (unsigned int i = 0; names && i < nr; i++) {
		char *value = store_read(x->xs, path_history(s->head.name, names[i]));
		char key[KEY_MAX];

		snprintf(key, sizeof(key), "history/%.32s", names[i]);
		if (value)
			saved_record_add(&s->more, key, value);
		free(value);
	}
	free(names);
}

static int take_key(void *arg, const char *key, const char *value)
{
	return record_keys_set(arg, key, value);
}

/* Of those that have another host see the same bytes. */
static void add_markers(struct save *s, const struct record *rec)
{
	char marker[DISK_MARKER_MAX], key[KEY_MAX];

	for (unsigned int i = 0; i < rec->nr_disks; i++) {
		const struct disk_spec *disk = &rec->disk[i];
		int err;

		if (vdev_is_remote(disk->backend) || disk->format != DISK_FORMAT_RAW)
			continue;
		err = disk_marker_read(disk->path, marker);
		snprintf(key, sizeof(key), "marker/%s", disk->vdev);
		if (err)
			log_warnx("%s: what disk %s has cannot be told the other host: %s", s->head.name, disk->vdev,
				  strerror(-err));
		else
			saved_record_add(&s->more, key, marker);
	}
}

static int add_pair(void *arg, const char *key, const char *value)
{
	return saved_record_add(arg, key, value);
}

int move_more_write_head(struct save *s)
{
	struct saved_head whole = s->head;
	struct record_keys keys = { 0 };
	struct record *rec = calloc(1, sizeof(*rec));
	int err = rec ? saved_head_each(&s->head, take_key, &keys) : -ENOMEM;

	if (!err && !record_parse(rec, s->head.name, &keys, NULL, NULL))
		add_markers(s, rec);
	record_keys_free(&keys);
	free(rec);
	whole.record = NULL;
	whole.record_len = 0;
	if (!err)
		err = saved_head_each(&s->head, add_pair, &whole);
	/* The record has room first. */
	if (!err)
		saved_head_each(&s->more, add_pair, &whole);
	if (!err)
		err = saved_head_write(s->fd, &whole);
	saved_head_free(&whole);
	return err;
}
