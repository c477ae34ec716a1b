/* SPDX-License-Identifier: MIT */
/*
 * recover.c - adopting and undoing what an earlier xend left.
 *
 * The store is the only memory: /status/domain/NAME says how far a domain was. What the
 * hypervisor has is matched by uuid, since a domid may have been given but not written down.
 */
#include "recover.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "foreign.h"
#include "log.h"
#include "steps.h"
#include "record_store.h"
#include "store.h"
#include "vdev.h"
#include "xend.h"

static int boot_body(struct txn *tx, void *arg)
{
	const char *name = arg;
	char *persistent = txn_read(tx, path_config(name, "persistent"));
	char *autostart = txn_read(tx, path_config(name, "autostart"));
	char *arriving = txn_read(tx, path_config(name, "arriving"));
	char *moved = txn_read(tx, path_config(name, "moved"));

	/* What half came from another host never will; what was handed over must not start. */
	if ((persistent && !strcmp(persistent, "0")) || arriving)
		txn_rm(tx, path_config(name, NULL));
	else if (moved)
		txn_write(tx, path_config(name, "power"), "off");
	else if (autostart && !strcmp(autostart, "1"))
		txn_write(tx, path_config(name, "power"), "on");
	else if (!autostart || strcmp(autostart, "last"))
		txn_write(tx, path_config(name, "power"), "off");
	free(arriving);
	free(moved);
	free(persistent);
	free(autostart);
	return 0;
}

void recover_boot(struct xend *x)
{
	struct path root = { PATH_CONFIG_ROOT };
	char name[PATH_NAME_MAX];
	unsigned int nr;
	char **names = store_list(x->xs, XBT_NULL, root, &nr);

	for (unsigned int i = 0; i < nr; i++) {
		if (path_name_of(names[i], name) && store_transact(x->xs, boot_body, name))
			log_warn("%s: the record cannot be prepared for this boot", name);
	}
	free(names);
}

/* The journalled state of one domain. */
struct found {
	enum domain_state state;
	char *step;
	enum domain_after after;
};

static void take_text(struct xend *x, const char *name, const char *key, char *out, size_t len)
{
	char *v = store_read(x->xs, path_status(name, key));

	snprintf(out, len, "%s", v ? v : "");
	free(v);
}

static void take_status(struct xend *x, struct domain *d, struct found *f)
{
	char *state = store_read(x->xs, path_status(d->name, "state"));
	char *after = store_read(x->xs, path_status(d->name, "after"));
	char hash[24];

	*f = (struct found){ domain_state_parse(state),
			     store_read(x->xs, path_status(d->name, "step")),
			     domain_after_parse(after) };
	take_text(x, d->name, "uuid", d->uuid, sizeof(d->uuid));
	if (vdev_uuid_parse(d->uuid, d->uuid_bytes))
		d->uuid[0] = '\0';
	take_text(x, d->name, "error", d->error, sizeof(d->error));
	take_text(x, d->name, "end_why", d->end_why, sizeof(d->end_why));
	take_text(x, d->name, "built", hash, sizeof(hash));
	d->built_hash = strtoull(hash, NULL, 16);
	d->domid = (int)store_read_long(x->xs, path_status(d->name, "domid"));
	if (store_exists(x->xs, path_status(d->name, "start_kib")))
		d->start_kib = (uint64_t)store_read_long(x->xs,
							 path_status(d->name, "start_kib"));
	d->transient = store_exists(x->xs, path_status(d->name, "transient"));
	d->preserved = store_exists(x->xs, path_status(d->name, "preserved"));
	d->handed = store_exists(x->xs, path_status(d->name, "handed"));
	free(state);
	free(after);
}

static const struct hv_domain *match(const struct domain *d, const struct hv_domain *list,
				     size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		if (list[i].domid && !list[i].dying && d->uuid[0] &&
		    !memcmp(list[i].uuid, d->uuid_bytes, sizeof(d->uuid_bytes)))
			return &list[i];
	}
	return NULL;
}

/*
 * A start that was past the hand-over goes on only under a record that says so. Without one, the host
 * that it came from may have been told meanwhile that it never will run here.
 */
static bool may_go_on(const struct found *f, const struct hv_domain *h, int rec_err)
{
	return h && f->step && f->after == AFTER_NR && (!rec_err || rec_err == -EINVAL);
}

static void recover_one(struct xend *x, struct domain *d, const struct hv_domain *list, size_t nr)
{
	const struct hv_domain *h;
	char why[DOMAIN_ERROR_MAX];
	struct found f;
	int rec_err;

	take_status(x, d, &f);
	/* Deaths are judged by the record, so it must be known before the first look. */
	rec_err = record_read(x->xs, d->name, &d->rec, why, sizeof(why));
	h = match(d, list, nr);
	d->state = f.state == STATE_NR ? STATE_DEFINED : f.state;
	if (may_go_on(&f, h, rec_err) && steps_resume_up(x, d, f.step)) {
		d->domid = h->domid;
		log_info("%s: was at step \"%s\": going on", d->name, f.step);
	} else if (f.step) {
		/* A walk was under way. A start begins anew by itself: the record says so. */
		if (h)
			d->domid = h->domid;
		log_info("%s: was %s at step \"%s\": undoing", d->name,
			 domain_state_name(d->state), f.step);
		if (d->rec.arriving[0]) {
			domain_error(d, "xend was ended while it arrived");
			f.after = AFTER_FAIL;
		}
		if (f.after == AFTER_NR)
			f.after = d->state == STATE_STARTING ? AFTER_RESTART : AFTER_STOP;
		steps_resume_down(x, d, f.step, f.after);
	} else if (h) {
		d->domid = h->domid;
		log_info("%s: adopted domain %d", d->name, d->domid);
		/* An earlier xend may have been moving it. Refused where nothing can be noted. */
		hv_dirty_end(x->hv, h->domid);
	} else if (d->domid >= 0) {
		log_info("%s: domain %d is gone: cleaning up", d->name, d->domid);
		steps_resume_down(x, d, NULL, AFTER_STOP);
	} else if (d->state == STATE_STARTING || d->state == STATE_STOPPING) {
		d->state = STATE_DEFINED;
	}
	d->give_up = d->state == STATE_FAILED;
	free(f.step);
}

void recover_domains(struct xend *x)
{
	struct path root = { PATH_STATUS_ROOT };
	struct hv_domain *list = NULL;
	size_t nr_domains = 0;
	char name[PATH_NAME_MAX];
	unsigned int nr;
	char **names = store_list(x->xs, XBT_NULL, root, &nr);

	if (hv_domain_list(x->hv, &list, &nr_domains))
		nr_domains = 0;
	for (unsigned int i = 0; i < nr; i++) {
		struct domain *d = NULL;

		if (path_name_of(names[i], name) && !foreign_is(x, name))
			d = domain_get(x, name);
		if (!d)
			continue;
		recover_one(x, d, list, nr_domains);
		d->dirty = true;
	}
	free(list);
	free(names);
}
