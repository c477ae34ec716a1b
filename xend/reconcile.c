/* SPDX-License-Identifier: MIT */
/*
 * reconcile.c - decisions: start, stop, restart, keep, forget.
 *
 * Owns no hypercall and no step: it reads the record and the facts and picks a walk.
 */
#include "reconcile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "disk_drain.h"
#include "foreign.h"
#include "history.h"
#include "home.h"
#include "host.h"
#include "log.h"
#include "loss.h"
#include "record_store.h"
#include "cpu_share.h"
#include "status.h"
#include "steps.h"
#include "store.h"
#include "xend.h"

#define FAST_RESTART_NS (60 * NS_PER_S)
#define FAST_RESTARTS_MAX 5
#define AGAIN_NS NS_PER_S

static void forget(struct xend *x, struct domain *d)
{
	status_remove(x, d->name);
	domain_drop(x, d);
	history_prune(x);
}

struct ending {
	const struct domain *d;
	bool removes;
};

static int ending_body(struct txn *tx, void *arg)
{
	const struct ending *e = arg;

	record_end_in(tx, e->d->name, e->removes);
	status_write_in(tx, e->d);
	return 0;
}

/*
 * The end in the record and in the state, in one: who is told of it finds the name free, whatever
 * he makes of it is not taken for what has ended, and no xend finds one without the other.
 */
static int write_end(struct xend *x, const struct domain *d, bool removes)
{
	return store_transact(x->xs, ending_body, &(struct ending){ d, removes });
}

/*
 * That it has ended, in its record: a transient one goes, another is switched off. Where the store
 * refuses (a full disk, say), it is tried again until it is so, and nothing is started before.
 */
static int record_end(struct xend *x, struct domain *d)
{
	bool waited = d->ended;
	int err;

	d->ended = false;
	err = write_end(x, d, d->transient);
	d->ended = err != 0;
	d->dirty = true;
	if (err && !waited)
		log_warnx("%s: it has ended, and its record cannot be %s: %s: it is not started "
			  "before that is done", d->name, d->transient ? "removed" : "switched off",
			  strerror(-err));
	return err;
}

static int end(struct xend *x, struct domain *d, enum domain_state state, const char *why)
{
	enum domain_state from = d->state;
	int err;

	d->state = state;
	err = record_end(x, d);
	if (err)
		status_write(x, d);
	domain_tell(x, d, from, why);
	return err;
}

static void fail(struct xend *x, struct domain *d, const char *why)
{
	d->give_up = true;
	domain_set_state(x, d, STATE_FAILED, why);
}

static void start(struct xend *x, struct domain *d)
{
	int err = record_ensure_uuid(x->xs, &d->rec);

	if (err == -ENOENT) {
		d->dirty = true;
		return;
	}
	if (err)
		domain_error(d, "the store refuses to take a uuid for the record");
	else
		err = domain_claim_uuid(x, d);
	if (err) {
		fail(x, d, "uuid");
		return;
	}
	steps_begin_up(x, d, "power=on");
}

/*
 * The record may not be what anybody wrote: nothing is begun by it. What runs goes on, and what
 * does not stays so, until the administrator says that he knows. One that was handed over may run
 * there, whatever the record says of it by now.
 */
static bool hold(struct xend *x, struct domain *d)
{
	d->held = loss_holds(x, d->name);
	if (!d->held)
		return false;
	domain_error(d, "the store has lost a part of its record, or brought it back from an "
		     "earlier state: nothing is started or stopped for it before "
		     "xs control lost known%s",
		     d->handed ? "; it was handed over to another host: look there first, and if "
				 "it is there, end it here by xm destroy" :
		     d->domid >= 0 ? "; xm destroy ends it at once" : "");
	status_write(x, d);
	return true;
}

/* What a record says that is not to be acted on: of it, what is followed at once stays as it is. */
static void take_record(struct xend *x, struct domain *d, struct record *rec)
{
	if (d->as_built)
		d->as_built = record_same(&d->rec, rec);
	if (d->transient == rec->persistent && !hold(x, d))
		d->transient = !rec->persistent;
	/* Without a name: none was there when this xend began, and nothing is known of before. */
	if (d->domid >= 0 && d->rec.name[0] && !sched_same(&d->rec, rec) && hold(x, d))
		sched_keep(rec, &d->rec);
}

/* Its record is off, or the host goes down. */
static void stay_stopped(struct xend *x, struct domain *d)
{
	bool final = d->state == STATE_SHUTDOWN || d->state == STATE_CRASHED ||
		     d->state == STATE_FAILED;
	enum domain_state from = d->state, state = final ? from : STATE_DEFINED;

	if (d->rec.power) {
		domain_set_state(x, d, state, "record");
		return;
	}
	d->state = state;
	/* Not where it is on again: that wakes us. */
	if (status_write_off(x, d))
		domain_tell(x, d, from, "record");
	else
		d->state = from;
}

/* Nothing runs: does the record want it to? */
static void reconcile_stopped(struct xend *x, struct domain *d, int rec_err, const char *why)
{
	if (rec_err == -ENOENT) {
		forget(x, d);
		return;
	}
	if (!d->rec.power || host_stopping(x)) {
		stay_stopped(x, d);
		return;
	}
	if (d->give_up)
		return;
	/* Of its last life: the reason why this one does not begin is another. */
	d->error[0] = '\0';
	/* Between two lives, and its record says what it ran with: that is no loss's word. */
	if (!d->as_built && hold(x, d))
		return;
	if (d->rec.moved[0]) {
		domain_error(d, "it was handed over (%s): xm migrate asks there", d->rec.moved);
		fail(x, d, "moved");
		return;
	}
	if (rec_err) {
		domain_error(d, "%s", why);
		fail(x, d, "record");
		return;
	}
	start(x, d);
}

static void reconcile_running(struct xend *x, struct domain *d, int rec_err)
{
	bool wanted = rec_err != -ENOENT && d->rec.power;

	if ((!wanted || d->handed) && hold(x, d))
		return;
	if (d->handed && rec_err == -ENOENT) {
		steps_begin_down(x, d, AFTER_MOVED, "record-removed");
		return;
	}
	if (d->handed && !rec_err && !d->rec.moved[0] && !d->saving.file) {
		/* Somebody who knows that it does not run there took moved= away. */
		d->handed = false;
		x->check_domains = true;
	}
	if (d->handed) {
		status_write(x, d);
		return;
	}
	if (!wanted && (d->state == STATE_RUNNING || d->state == STATE_PAUSED)) {
		home_ask_shutdown(x, d, "poweroff");
		domain_set_state(x, d, STATE_STOPPING, rec_err ? "record-removed" : "power=off");
		return;
	}
	status_write(x, d);
}

/* CPUs, weight and cap are followed at once; a domain that runs does not end over them. */
static void follow_share(struct xend *x, struct domain *d)
{
	char before[DOMAIN_ERROR_MAX];

	memcpy(before, d->error, sizeof(before));
	d->error[0] = '\0';
	if (sched_apply(x, d, true))
		log_warnx("%s: the record's share of the CPUs is not followed: %s", d->name,
			  d->error);
	memcpy(d->error, before, sizeof(before));
}

uint64_t reconcile(struct xend *x, struct domain *d)
{
	struct record *rec = malloc(sizeof(*rec));
	char why[DOMAIN_ERROR_MAX];
	uint64_t again = 0;
	bool forgets;
	int err;

	if (!rec)
		return x->now_ns + AGAIN_NS;
	if (d->held)
		d->error[0] = '\0';
	d->dirty = d->held = false;
	err = record_read(x->xs, d->name, rec, why, sizeof(why));
	forgets = err == -ENOENT && d->domid < 0;
	if (err == -ENOENT || err == -EINVAL || err == 0) {
		bool other_share;

		if (err != -ENOENT)
			take_record(x, d, rec);
		other_share = err == 0 && d->domid >= 0 && !sched_same(&d->rec, rec);
		if (err != -ENOENT)
			d->rec = *rec;
		if (other_share)
			follow_share(x, d);
		if (d->domid >= 0)
			reconcile_running(x, d, err);
		else if (d->ended && err != -ENOENT)
			again = record_end(x, d) ? x->now_ns + AGAIN_NS : 0;
		else
			reconcile_stopped(x, d, err, why);
	} else {
		log_warnx("%s: the record cannot be read: %s", d->name, strerror(-err));
		d->dirty = true;
		again = x->now_ns + AGAIN_NS;
	}
	if (!forgets && d->held) {
		d->dirty = true;
		again = x->now_ns + AGAIN_NS;
	}
	free(rec);
	return again;
}

bool reconcile_withdraw(struct xend *x, struct domain *d)
{
	struct record *rec = malloc(sizeof(*rec));
	char why[DOMAIN_ERROR_MAX];
	bool begins = false;

	if (rec && d->walk == WALK_NONE && d->domid < 0 && !d->give_up &&
	    record_read(x->xs, d->name, rec, why, sizeof(why)) != -ENOENT)
		begins = rec->power;
	if (begins) {
		d->transient = !rec->persistent;
		end(x, d, STATE_SHUTDOWN, "destroy");
	}
	free(rec);
	return begins;
}

void reconcile_built(struct xend *x, struct domain *d)
{
	d->started_ns = x->now_ns;
	d->dirty = true;
	d->as_built = false;
	domain_set_state(x, d, d->rec.paused ? STATE_PAUSED : STATE_RUNNING, "built");
	status_started(x, d);
	status_refresh_one(x, d);
	host_refresh(x);
}

/* The end of a domain that shall not run again now. */
static void settle(struct xend *x, struct domain *d, enum domain_state state)
{
	const char *why = d->end_why[0] ? d->end_why : "stopped";

	d->dirty = true;
	/* A host that goes down ends it for now: power stays, for autostart=last. */
	if (!d->transient && host_stopping(x))
		domain_set_state(x, d, state, why);
	else if (!end(x, d, state, why) && d->transient)
		forget(x, d);
}

void reconcile_moved(struct xend *x, struct domain *d)
{
	enum domain_state from = d->state;
	int err;

	d->state = STATE_SHUTDOWN;
	err = write_end(x, d, true);
	if (err)
		status_write(x, d);
	domain_tell(x, d, from, "moved");
	if (!err) {
		forget(x, d);
		return;
	}
	/* moved= is on the disk still, so it does not start; who asks again is told where it is. */
	log_warnx("%s: it runs on another host, and its record here cannot be removed: %s", d->name,
		  strerror(-err));
	d->dirty = true;
}

void reconcile_undone(struct xend *x, struct domain *d)
{
	host_refresh(x);
	switch (d->after) {
	case AFTER_STOP:
		settle(x, d, STATE_SHUTDOWN);
		break;
	case AFTER_CRASH:
		settle(x, d, STATE_CRASHED);
		break;
	case AFTER_FAIL:
		fail(x, d, d->end_why[0] ? d->end_why : "failed");
		d->dirty = true;
		break;
	case AFTER_MOVED:
		reconcile_moved(x, d);
		break;
	case AFTER_RESTART:
	case AFTER_NR:
		status_write(x, d);
		d->dirty = true;
		break;
	}
}

static bool restarts_too_fast(struct xend *x, struct domain *d)
{
	if (x->now_ns - d->started_ns >= FAST_RESTART_NS)
		d->fast_restarts = 0;
	return ++d->fast_restarts > FAST_RESTARTS_MAX;
}

struct death {
	const char *why;
	bool crash;
	enum record_action action;
};

static struct death explain(const struct domain *d, unsigned int reason)
{
	switch (reason) {
	case HV_SHUTDOWN_POWEROFF:
		return (struct death){ "poweroff", false, d->rec.on_poweroff };
	case HV_SHUTDOWN_REBOOT:
		return (struct death){ "reboot", false, d->rec.on_reboot };
	case HV_SHUTDOWN_WATCHDOG:
		return (struct death){ "watchdog", true, d->rec.on_crash };
	default:
		return (struct death){ "crash", true, d->rec.on_crash };
	}
}

static void handle_death(struct xend *x, struct domain *d, unsigned int reason)
{
	struct death death = explain(d, reason);
	enum domain_after end = death.crash ? AFTER_CRASH : AFTER_STOP;

	log_info("%s: domain %d: %s", d->name, d->domid, death.why);
	/* Somebody asked for its end meanwhile: that wish is newer than the record's rule. */
	if (death.action == ACTION_RESTART && (!d->rec.power || host_stopping(x)))
		death.action = ACTION_DESTROY;
	if (death.action == ACTION_RESTART && death.crash && restarts_too_fast(x, d)) {
		domain_error(d, "crashed %d times within a minute of its start: not started again",
			     FAST_RESTARTS_MAX + 1);
		death.action = ACTION_DESTROY;
	}
	switch (death.action) {
	case ACTION_PRESERVE:
		d->preserved = true;
		domain_set_state(x, d, death.crash ? STATE_CRASHED : STATE_SHUTDOWN, death.why);
		break;
	case ACTION_RESTART:
		d->as_built = status_is_as_built(x, d);
		steps_begin_down(x, d, AFTER_RESTART, death.why);
		break;
	case ACTION_DESTROY:
		steps_begin_down(x, d, end, death.why);
		break;
	}
}

/* One that nobody waits for any more, or whose xend was killed meanwhile, goes on. */
static void handle_suspend(struct xend *x, struct domain *d)
{
	int err;

	if (d->saving.file) {
		if (d->saving.state == SAVE_ASKED)
			d->saving.state = SAVE_SUSPENDED;
		return;
	}
	if (d->handed)
		return;
	disk_drain_end(x, d);
	err = hv_domain_resume(x->hv, (uint16_t)d->domid);
	if (err)
		log_warnx("%s: suspended, and the hypervisor refuses to resume it: %s", d->name,
			  strerror(-err));
	else
		log_info("%s: nobody saves it: resumed", d->name);
}

static void follow(struct xend *x, struct domain *d, const struct hv_domain *h)
{
	if (!h || h->dying) {
		steps_begin_down(x, d, AFTER_STOP, "vanished");
	} else if (h->shutdown && h->reason == HV_SHUTDOWN_SUSPEND) {
		handle_suspend(x, d);
	} else if (h->shutdown) {
		if (!d->preserved)
			handle_death(x, d, h->reason);
	} else if (d->state == STATE_RUNNING && h->paused) {
		domain_set_state(x, d, STATE_PAUSED, "paused");
	} else if (d->state == STATE_PAUSED && !h->paused) {
		domain_set_state(x, d, STATE_RUNNING, "unpaused");
	}
}

void reconcile_deaths(struct xend *x)
{
	struct hv_domain *list;
	size_t nr;
	int err = hv_domain_list(x->hv, &list, &nr);

	if (err) {
		log_warnx("the hypervisor does not list its domains: %s", strerror(-err));
		return;
	}
	for (struct domain *d = x->domains; d; d = d->next) {
		const struct hv_domain *h = NULL;

		if (d->domid < 0 || d->walk != WALK_NONE)
			continue;
		for (size_t i = 0; i < nr; i++) {
			if (list[i].domid == d->domid &&
			    !memcmp(list[i].uuid, d->uuid_bytes, sizeof(d->uuid_bytes)))
				h = &list[i];
		}
		if (domain_lost_number(d, list, nr)) {
			log_info("%s: domain %d is another one by now", d->name, d->domid);
			d->domid = -1;
		}
		follow(x, d, h);
	}
	foreign_refresh(x, list, nr);
	free(list);
}
