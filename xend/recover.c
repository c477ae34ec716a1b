/* SPDX-License-Identifier: MIT */
/*
 * recover.c - adopting and undoing what an earlier xend left.
 *
 * The store is the only memory: /status/domain/NAME says how far a domain was. What the
 * hypervisor has is matched by uuid, since a domid may have been given but not written down, or be
 * somebody else's by now.
 */
#include "recover.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu_share.h"
#include "foreign.h"
#include "host.h"
#include "log.h"
#include "loss.h"
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

/* The names below @root. 0 or -errno. */
static int list_names(struct xend *x, const char *root, char ***names, unsigned int *nr)
{
	struct path p;

	snprintf(p.s, sizeof(p.s), "%s", root);
	*names = store_list(x->xs, p, nr);
	return *names || errno == ENOENT ? 0 : errno ? -errno : -EIO;
}

int recover_boot(struct xend *x)
{
	char name[PATH_NAME_MAX], **names;
	unsigned int nr;
	int err = list_names(x, PATH_CONFIG_ROOT, &names, &nr);

	for (unsigned int i = 0; i < nr; i++) {
		/* Perhaps nobody's word: not to be removed by it, nor to be made into another. */
		if (!path_name_of(names[i], name) || loss_holds(x, name))
			continue;
		if (store_transact(x->xs, boot_body, name))
			log_warn("%s: the record cannot be prepared for this boot", name);
	}
	free(names);
	/* Last: who is killed before has started nothing, and does all of it again. */
	return err ? err : host_booted(x);
}

/* The journalled state of one domain. */
struct found {
	enum domain_state state;
	char *step;
	enum domain_after after;
};

static void take_text(struct txn *tx, const char *name, const char *key, char *out, size_t len)
{
	char *v = txn_read(tx, path_status(name, key));

	snprintf(out, len, "%s", v ? v : "");
	free(v);
}

static bool take_flag(struct txn *tx, const char *name, const char *key)
{
	char *v = txn_read(tx, path_status(name, key));

	free(v);
	return v != NULL;
}

/* -1: there is none, or no number. */
static long take_number(struct txn *tx, const char *name, const char *key)
{
	char text[24], *end;
	long n;

	take_text(tx, name, key, text, sizeof(text));
	errno = 0;
	n = strtol(text, &end, 10);
	return errno || end == text || *end || n < 0 ? -1 : n;
}

static int status_body(struct txn *tx, void *arg)
{
	struct domain *d = ((void **)arg)[0];
	struct found *f = ((void **)arg)[1];
	char *state = txn_read(tx, path_status(d->name, "state"));
	char *after = txn_read(tx, path_status(d->name, "after"));
	char hash[24];
	long kib, from;

	free(f->step);
	*f = (struct found){ domain_state_parse(state), txn_read(tx, path_status(d->name, "step")),
			     domain_after_parse(after) };
	take_text(tx, d->name, "uuid", d->uuid, sizeof(d->uuid));
	if (vdev_uuid_parse(d->uuid, d->uuid_bytes))
		d->uuid[0] = '\0';
	take_text(tx, d->name, "error", d->error, sizeof(d->error));
	take_text(tx, d->name, "end_why", d->end_why, sizeof(d->end_why));
	take_text(tx, d->name, "built", hash, sizeof(hash));
	d->built_hash = strtoull(hash, NULL, 16);
	d->domid = (int)take_number(tx, d->name, "domid");
	kib = take_number(tx, d->name, "start_kib");
	d->start_kib = kib > 0 ? (uint64_t)kib : 0;
	from = take_number(tx, d->name, "log_from");
	d->log_from = from > 0 ? (uint64_t)from : 0;
	d->transient = take_flag(tx, d->name, "transient");
	d->preserved = take_flag(tx, d->name, "preserved");
	d->handed = take_flag(tx, d->name, "handed");
	d->ended = take_flag(tx, d->name, "ended");
	free(state);
	free(after);
	return 0;
}

static int take_status(struct xend *x, struct domain *d, struct found *f)
{
	void *arg[2] = { d, f };

	*f = (struct found){ 0 };
	return store_transact(x->xs, status_body, arg);
}

/* The one with its number, should another tool have made a second one with its uuid. */
static const struct hv_domain *match(const struct domain *d, const struct hv_domain *list,
				     size_t nr)
{
	const struct hv_domain *found = NULL;

	for (size_t i = 0; i < nr; i++) {
		if (list[i].domid && !list[i].dying && d->uuid[0] &&
		    !memcmp(list[i].uuid, d->uuid_bytes, sizeof(d->uuid_bytes)) &&
		    (!found || list[i].domid == d->domid))
			found = &list[i];
	}
	return found;
}

/*
 * A start that was past the hand-over goes on only under a record that says so. Without one, the
 * host that it came from may have been told meanwhile that it never will run here.
 */
static bool may_go_on(const struct found *f, const struct hv_domain *h, int rec_err)
{
	return h && f->step && f->after == AFTER_NR && (!rec_err || rec_err == -EINVAL);
}

/* 0 or -errno: it is not known what it was; nothing was decided. */
static int recover_one(struct xend *x, struct domain *d, const struct hv_domain *list, size_t nr)
{
	const struct hv_domain *h;
	char why[DOMAIN_ERROR_MAX];
	struct found f;
	int rec_err, err = take_status(x, d, &f);
	bool had;

	/* Deaths are judged by the record, so it must be known before the first look. */
	rec_err = record_read(x->xs, d->name, &d->rec, why, sizeof(why));
	if (!err && rec_err && rec_err != -ENOENT && rec_err != -EINVAL)
		err = rec_err;
	if (err) {
		free(f.step);
		return err;
	}
	had = d->domid >= 0;
	/* Of one that neither was begun nor ran there is nothing, whoever has its uuid. */
	h = had || f.step ? match(d, list, nr) : NULL;
	if (domain_lost_number(d, list, nr)) {
		log_info("%s: domain %d is another one by now", d->name, d->domid);
		d->domid = -1;
	}
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
		/*
		 * An earlier xend may have been moving it, and have slowed it down. Refused where
		 * nothing is noted.
		 */
		if (!hv_dirty_end(x->hv, h->domid))
			sched_share(x, d);
	} else if (had) {
		log_info("%s: its domain is gone: cleaning up", d->name);
		steps_resume_down(x, d, NULL, AFTER_STOP);
	} else if (d->state == STATE_STARTING || d->state == STATE_STOPPING) {
		d->state = STATE_DEFINED;
	}
	d->give_up = d->state == STATE_FAILED;
	free(f.step);
	return 0;
}

static int recover_name(struct xend *x, const char *name, const struct hv_domain *list, size_t nr)
{
	int foreign = store_has(x->xs, path_status(name, "foreign"));
	struct domain *d = foreign ? NULL : domain_get(x, name);

	if (!d)
		return foreign < 0 ? foreign : 0;
	d->dirty = true;
	return recover_one(x, d, list, nr);
}

int recover_domains(struct xend *x)
{
	struct hv_domain *list = NULL;
	size_t nr_domains = 0;
	char name[PATH_NAME_MAX], **names;
	unsigned int nr;
	int err = list_names(x, PATH_STATUS_ROOT, &names, &nr);

	if (!err)
		err = hv_domain_list(x->hv, &list, &nr_domains);
	for (unsigned int i = 0; i < nr && !err; i++)
		if (path_name_of(names[i], name) && path_name_ok(name))
			err = recover_name(x, name, list, nr_domains);
	free(list);
	free(names);
	return err;
}
