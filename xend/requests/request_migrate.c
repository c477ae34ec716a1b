/* SPDX-License-Identifier: MIT */
/*
 * request_migrate.c - xm migrate: offer, suspend, send, write down that it is given away, give it
 * away, forget it; or ask what came of an earlier time.
 *
 * It is given away with the record that the other host has, or not at all: one that was changed
 * meanwhile stays here. Until moved= is on the disk, whatever fails leaves a running guest here.
 * From then on it does not run here unless the other host says that it never will there.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk_drain.h"
#include "log.h"
#include "move_msg.h"
#include "move_out.h"
#include "move_progress.h"
#include "reconcile.h"
#include "request_ops.h"
#include "save_pv.h"
#include "saving.h"
#include "status.h"
#include "steps.h"
#include "store.h"
#include "xend.h"

#define STOP_MS 300			/* of a live move, unless said otherwise */
#define HOST_MAX 200			/* of its name, in moved= */

/* The host of a record's moved=. */
static const char *host_of(const struct domain *d)
{
	const char *blank = strchr(d->rec.moved, ' ');

	return blank ? blank + 1 : "the other host";
}

/* As moved= has it. */
static void host_named(struct xend *x, const struct request *r, char host[HOST_MAX + 1])
{
	char *text = request_argument(x, r, "host");

	snprintf(host, HOST_MAX + 1, "%s", text && text[0] ? text : "?");
	free(text);
}

/* Known not to be there: a store that is gone does not say so. */
static bool is_absent(struct xend *x, struct path p)
{
	char *value = store_read(x->xs, p);
	bool absent = !value && errno == ENOENT;

	free(value);
	return absent;
}

/* Who asked has gone, or somebody else has called it off. */
static bool is_withdrawn(struct xend *x, const struct request *r)
{
	return store_has(x->xs, path_request(r->id, "op")) == 0 ||
	       store_has(x->xs, path_request(r->id, "cancel")) > 0;
}

/* The domain a request works for; NULL: it ended by itself. */
static struct domain *moving(struct xend *x, struct request *r)
{
	struct domain *d = domain_find(x, r->domain);

	if (d && d->saving.file)
		return d;
	refuse(r, -ESRCH, "it ended while it was being moved");
	return NULL;
}

static void let_go(struct xend *x, struct domain *d)
{
	saving_let_go(d);
	move_progress_end(x, d->name);
}

static int give_up(struct xend *x, struct request *r, struct domain *d)
{
	int err;

	move_progress_end(x, d->name);
	err = saving_give_up(x, r, d);
	return err ? err : refuse(r, -EINTR, "it was called off");
}

/* How the worker's step ended, with @why; -EINPROGRESS: it goes on, and that is told. */
static int look(struct xend *x, struct request *r, struct domain *d, const char *phase, char *why)
{
	int err = save_result(d->saving.file, why);

	if (err != -EINPROGRESS)
		return err;
	if (save_is_stuck(d->saving.file, x->now_ns)) {
		snprintf(why, WORKER_WHY, "the other host took nothing for %d s", SAVE_STUCK_S);
		return -ETIMEDOUT;
	}
	move_progress(x, r, d, phase);
	return err;
}

/* --- it is there --- */

/*
 * The other host may forget when nothing here could let it run: its record is known to be gone.
 * Else it must be able to answer who asks again.
 */
static int poll_left(struct xend *x, struct request *r)
{
	const struct domain *d = domain_find(x, r->domain);

	if (d && (d->domid >= 0 || d->walk != WALK_NONE))
		return -EINPROGRESS;
	if (is_absent(x, path_config(r->domain, "moved")))
		move_done(r->channel);
	else
		store_write(x->xs, path_request_output(r->id, 0),
			    "it runs there, but its record here is not removed: the same command "
			    "again removes it");
	save_release(r->channel);
	r->channel = NULL;
	r->deadline_ns = 0;
	return 0;
}

static int leave(struct xend *x, struct request *r, struct domain *d)
{
	r->channel = d->saving.file;
	d->saving.file = NULL;
	move_progress_end(x, d->name);
	if (r->began_ns)
		move_tell_times(r->channel, r->began_ns);
	if (d->domid >= 0)
		steps_begin_down(x, d, AFTER_MOVED, "moved");
	else
		reconcile_moved(x, d);
	r->poll = poll_left;
	return -EINPROGRESS;
}

/* --- it is not --- */

static int take_back_body(struct txn *tx, void *arg)
{
	const struct domain *d = arg;

	txn_rm(tx, path_config(d->name, "moved"));
	txn_rm(tx, path_status(d->name, "handed"));
	return 0;
}

static int take_back(struct xend *x, struct request *r, struct domain *d, const char *why)
{
	int err = store_transact(x->xs, take_back_body, d);

	let_go(x, d);
	if (err)
		return refuse(r, err, "%s; and the record cannot be written: %s", why,
			      strerror(-err));
	d->handed = false;
	d->rec.moved[0] = '\0';
	d->dirty = true;
	err = d->domid >= 0 ? saving_go_on(x, r, d) : 0;
	return err ? err : refuse(r, -ECANCELED, "%s; it is here as before", why);
}

/* --- giving it away --- */

static int poll_handed(struct xend *x, struct request *r)
{
	struct domain *d = moving(x, r);
	char why[WORKER_WHY];
	int err;

	if (!d)
		return -ESRCH;
	err = look(x, r, d, "handing-over", why);
	switch (err) {
	case -EINPROGRESS:
		return err;
	case 0:
		return leave(x, r, d);
	case -ECANCELED:
		return take_back(x, r, d, why);
	default:
		let_go(x, d);
		return refuse(r, err, "%.200s: whether it runs on %.100s is not known, so it does "
			      "not run here: the same command again asks", why, host_of(d));
	}
}

struct give {
	const struct domain *d;
	const struct request *r;
	const char *moved;
};

/* An earlier try may have done it, and the store not have said so. 1, 0 or -errno: not known. */
static int is_given(struct txn *tx, const struct give *g)
{
	char *moved = txn_read(tx, path_config(g->d->name, "moved"));
	int is = moved ? !strncmp(moved, g->r->epoch, strlen(g->r->epoch)) :
		 errno == ENOENT ? 0 : -EIO;

	free(moved);
	return is;
}

static int give_body(struct txn *tx, void *arg)
{
	const struct give *g = arg;
	int is = is_given(tx, g);

	if (is)
		return is < 0 ? is : 0;
	is = txn_is(tx, path_request(g->r->id, "op"), "migrate");
	if (is == 1 && txn_is(tx, path_request(g->r->id, "cancel"), "1") == 1)
		is = 0;
	if (is <= 0)
		return is < 0 ? is : -ECANCELED;
	/* The other host has it as it was at the beginning: no change to it gets lost. */
	is = save_record_is(g->d->saving.file, tx);
	if (is == 1)
		is = txn_is(tx, path_config(g->d->name, "power"), "on");
	if (is <= 0)
		return is < 0 ? is : -ESTALE;
	txn_write(tx, path_config(g->d->name, "moved"), g->moved);
	txn_write(tx, path_status(g->d->name, "handed"), "1");
	return 0;
}

/*
 * On the disk before the other host hears of it. An error: it is not there, and the guest may go
 * on; -EINPROGRESS: the store does not say, and may not.
 */
static int write_down(struct xend *x, struct request *r, struct domain *d)
{
	char moved[RECORD_MOVE_MAX + 1], host[HOST_MAX + 1];
	const struct give g = { d, r, moved };
	int err;

	host_named(x, r, host);
	snprintf(moved, sizeof(moved), "%s %s", r->epoch, host);
	/* Until the store says no. */
	d->handed = true;
	err = store_transact(x->xs, give_body, (void *)&g);
	if (err && !is_absent(x, path_config(d->name, "moved")))
		return -EINPROGRESS;
	d->handed = !err;
	if (!err)
		memcpy(d->rec.moved, moved, sizeof(moved));
	return err;
}

/* As look(), of a guest that was asked nothing yet: whatever fails, it runs on. */
static int look_while_it_runs(struct xend *x, struct request *r, struct domain *d,
			      const char *phase)
{
	char why[WORKER_WHY] = "it was called off";
	int err = is_withdrawn(x, r) ? -EINTR : look(x, r, d, phase, why);

	if (!err || err == -EINPROGRESS)
		return err;
	let_go(x, d);
	return refuse(r, err, "%s", why);
}

static int poll_sent(struct xend *x, struct request *r)
{
	struct domain *d = moving(x, r);
	char why[WORKER_WHY];
	int err;

	if (!d)
		return -ESRCH;
	if (!d->handed && is_withdrawn(x, r))
		return give_up(x, r, d);
	err = look(x, r, d, "sending", why);
	if ((!err || err == -EINPROGRESS) && !d->handed) {
		int at_rest = disk_drained(x, d, r->epoch, r->began_ns, why, sizeof(why));

		/* One that never will be is not waited for until all is sent. */
		if (!err || at_rest == -ENODEV)
			err = at_rest;
	}
	if (err == -EINPROGRESS) {
		move_progress(x, r, d, "sending");
		return err;
	}
	if (!err) {
		err = write_down(x, r, d);
		snprintf(why, sizeof(why), err == -ECANCELED ? "it was called off" :
			 err == -ESTALE ? "its record was changed while it moved: the "
			 "same command again moves it as it is now" :
			 "it cannot be written down: %s", strerror(-err));
	}
	if (err == -EINPROGRESS && d->handed) {
		r->deadline_ns = x->now_ns + NS_PER_S;
		return err;
	}
	if (err) {
		let_go(x, d);
		saving_go_on(x, r, d);
		return refuse(r, err, "%s", why);
	}
	r->poll = poll_handed;
	err = move_hand_over(d->saving.file, x);
	if (!err)
		return poll_handed(x, r);
	/* Nothing was said: it is ours still. */
	d->saving.file = NULL;
	return take_back(x, r, d, "dom0 has no thread to spare");
}

static int poll_suspending(struct xend *x, struct request *r)
{
	struct domain *d = moving(x, r);
	int err;

	if (!d)
		return -ESRCH;
	if (is_withdrawn(x, r))
		return give_up(x, r, d);
	if (d->saving.state == SAVE_ASKED) {
		err = saving_poll_asked(x, r, d);
		if (err != -EINPROGRESS)
			move_progress_end(x, r->domain);
		return err;
	}
	r->began_ns = x->now_ns;
	d->saving.state = SAVE_WRITING;
	/* The worker first: until it gets its turn of the CPU the disks are asked. */
	err = move_send_memory(d->saving.file, x);
	if (err) {
		d->saving.file = NULL;
		saving_go_on(x, r, d);
		return refuse(r, err, "dom0 has no thread to spare");
	}
	err = disk_drain(x, d, r->epoch, true);
	if (err) {
		let_go(x, d);
		saving_go_on(x, r, d);
		return refuse(r, err, "the store refuses to ask its disks: %s", strerror(-err));
	}
	r->poll = poll_sent;
	return poll_sent(x, r);
}

static int suspend(struct xend *x, struct request *r, struct domain *d)
{
	int err = saving_ask(x, r, d);

	if (err) {
		let_go(x, d);
		return err;
	}
	r->poll = poll_suspending;
	return -EINPROGRESS;
}

/* Its memory goes over while it runs. */
static int poll_rounds(struct xend *x, struct request *r)
{
	struct domain *d = moving(x, r);
	struct save_rounds now;
	int err;

	if (!d)
		return -ESRCH;
	err = look_while_it_runs(x, r, d, "rounds");
	if (err)
		return err;
	save_rounds(d->saving.file, &now);
	log_info("%s: %llu rounds; %llu KiB are left, and stop it for about %llu ms", d->name,
		 (unsigned long long)now.round, (unsigned long long)now.left_kib,
		 (unsigned long long)now.stop_ms);
	if (now.slow_percent)
		log_info("%s: it wrote faster than the link took, and was held to %llu %% of its CPUs", d->name,
			 (unsigned long long)now.slow_percent);
	if (save_live_refused(d->saving.file))
		store_write(x->xs, path_request_output(r->id, 0),
			    "the hypervisor does not note what a running domain writes: it stood "
			    "still while its memory was sent");
	return suspend(x, r, d);
}

static uint64_t number(struct xend *x, const struct request *r, const char *key, uint64_t otherwise)
{
	char path[PATH_NAME_MAX];
	long v;

	snprintf(path, sizeof(path), "args/%s", key);
	v = store_read_long(x->xs, path_request(r->id, path));
	return v >= 0 ? (uint64_t)v : otherwise;
}

static int begin_rounds(struct xend *x, struct request *r, struct domain *d)
{
	int err = move_send_rounds(d->saving.file, x, number(x, r, "max_stop_ms", STOP_MS),
				   number(x, r, "max_kib_s", 0));

	if (err) {
		d->saving.file = NULL;
		return refuse(r, err, "dom0 has no thread to spare");
	}
	r->poll = poll_rounds;
	return -EINPROGRESS;
}

/* The guest runs, and is not asked before there is room for it. */
static int poll_offered(struct xend *x, struct request *r)
{
	struct domain *d = moving(x, r);
	int err = d ? look_while_it_runs(x, r, d, "offered") : -ESRCH;

	if (err)
		return err;
	return number(x, r, "live", 0) ? begin_rounds(x, r, d) : suspend(x, r, d);
}

/* --- the beginning --- */

/* That of the earlier time. */
static int take_epoch(struct request *r, const struct domain *d)
{
	size_t len = strcspn(d->rec.moved, " ");

	if (len >= sizeof(r->epoch))
		return refuse(r, -EINVAL, "moved= of its record has no epoch");
	memcpy(r->epoch, d->rec.moved, len);
	r->epoch[len] = '\0';
	return 0;
}

/* Every other host has never heard of it, and would say that it never arrived. */
static int asks_who_has_it(struct xend *x, struct request *r, const struct domain *d)
{
	char host[HOST_MAX + 1];

	host_named(x, r, host);
	return strcmp(host, host_of(d)) ?
		       refuse(r, -EINVAL, "it was handed over to %s, and only that host knows whether it "
			      "runs there: ask it by that name", host_of(d)) : 0;
}

static int begin(struct xend *x, struct request *r, struct domain *d, const char *channel)
{
	struct saving s = { .state = SAVE_OFFERED };
	char why[WORKER_WHY];
	bool asks = d->rec.moved[0];
	int err = move_open(x, d, channel, r->epoch, &s.file, why);

	if (err && asks)
		return refuse(r, err, "%.300s: whether it runs on %.100s is not known", why,
			      host_of(d));
	if (err)
		return refuse(r, err, "%s", why);
	d->saving = s;
	memcpy(r->domain, d->name, sizeof(r->domain));
	r->poll = asks ? poll_handed : poll_offered;
	err = asks ? move_ask(s.file, x) : move_offer(s.file, x);
	if (err) {
		d->saving.file = NULL;
		return refuse(r, err, "dom0 has no thread to spare");
	}
	return -EINPROGRESS;
}

int op_migrate(struct xend *x, struct request *r)
{
	struct domain *d = any_target(x, r);
	char *channel;
	int err;

	if (!d)
		return -ESRCH;
	if (d->saving.file || d->walk != WALK_NONE)
		return refuse(r, -EBUSY, "%s is being %s", d->name,
			      d->saving.file ? "saved or moved" : "started or ended");
	err = d->rec.moved[0] ? asks_who_has_it(x, r, d) : saving_possible(x, r, d);
	if (!err && d->rec.moved[0])
		err = take_epoch(r, d);
	if (!err && !d->rec.moved[0])
		err = saving_epoch(r);
	if (err)
		return err;
	channel = request_argument(x, r, "channel");
	if (channel && channel[0] == '/')
		err = begin(x, r, d, channel);
	else
		err = refuse(r, -EINVAL, "no absolute path of a channel given");
	free(channel);
	return err;
}
