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

#define MAP_LEN (HV_CPUS_MAX / 8)

/* What the machine has of @map: all of its CPUs? */
static bool is_all(const uint8_t *map, uint32_t nr_cpus)
{
	for (uint32_t i = 0; i < nr_cpus && i < HV_CPUS_MAX; i++) {
		if (!(map[i / 8] >> i % 8 & 1))
			return false;
	}
	return true;
}

static void add_pin(struct save *s, unsigned int vcpu, const struct hv_affinity *a)
{
	char key[KEY_MAX], value[2 * MAP_LEN + 1];

	snprintf(key, sizeof(key), "pin/%u", vcpu);
	for (size_t i = 0; i < MAP_LEN; i++)
		snprintf(value + 2 * i, 3, "%02x", a->hard[i]);
	saved_record_add(&s->more, key, value);
}

/* By xm sched-credit and xm vcpu-pin, which change no record. */
static void read_share(struct xend *x, struct save *s)
{
	struct hv_credit c;
	struct hv_affinity a;
	struct hv_host host;
	struct hv_vcpu v;
	char value[32];

	if (!hv_credit_get(x->hv, s->domid, &c)) {
		snprintf(value, sizeof(value), "%u %u", c.weight, c.cap);
		saved_record_add(&s->more, "share", value);
	}
	if (hv_host_info(x->hv, &host))
		return;
	for (unsigned int i = 0; i < RECORD_VCPUS_MAX && !hv_vcpu_info(x->hv, s->domid, i, &v); i++) {
		if (!hv_vcpu_get_affinity(x->hv, s->domid, i, &a) && !is_all(a.hard, host.nr_cpus))
			add_pin(s, i, &a);
	}
}

struct applying {
	struct xend *x;
	const struct domain *d;
};

/* 0 or -errno. The texts are the other host's. */
static int apply_share(const struct applying *to, const char *value)
{
	unsigned int weight, cap;
	char more;
	struct hv_credit c;

	if (sscanf(value, "%5u %5u%c", &weight, &cap, &more) != 2 || !weight || weight > 65535 || cap > 65535)
		return -EINVAL;
	c = (struct hv_credit){ (uint16_t)weight, (uint16_t)cap };
	return hv_credit_set(to->x->hv, (uint16_t)to->d->domid, &c);
}

static int apply_pin(const struct applying *to, const char *vcpu, const char *value)
{
	unsigned long i = strtoul(vcpu, NULL, 10);
	struct hv_affinity a = { 0 };

	if (i >= to->d->rec.maxvcpus || strlen(value) != 2 * MAP_LEN)
		return -EINVAL;
	for (size_t n = 0; n < MAP_LEN; n++) {
		if (sscanf(value + 2 * n, "%2hhx", &a.hard[n]) != 1)
			return -EINVAL;
	}
	return hv_vcpu_set_affinity(to->x->hv, (uint16_t)to->d->domid, (unsigned int)i, true, false, &a);
}

static int apply(void *arg, const char *key, const char *value)
{
	const struct applying *to = arg;
	int err = !strcmp(key, "share")	    ? apply_share(to, value) :
		  !strncmp(key, "pin/", 4) ? apply_pin(to, key + 4, value) : 0;

	if (err)
		log_warnx("%s: what it had of the other host's CPUs (%.16s) it has not got here: %s", to->d->name, key,
			  strerror(-err));
	return 0;
}

void move_more_apply(struct xend *x, const struct domain *d, const struct saved_head *head)
{
	struct applying to = { x, d };

	saved_head_each(head, apply, &to);
}

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
	read_share(x, s);
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

		if (!vdev_is_path(disk->backend) || disk->format != DISK_FORMAT_RAW)
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
