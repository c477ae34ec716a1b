/* SPDX-License-Identifier: MIT */
/*
 * start.c - see start.h. Reads only /status/domain/NAME; what is read again after each wake is the
 * truth, the watch only says when to look.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domains.h"
#include "notify.h"
#include "record_store.h"
#include "request.h"
#include "start.h"

#define SECOND_NS INT64_C(1000000000)
#define PICKUP_NS (20 * SECOND_NS) /* for xend to say anything at all */
#define STALL_NS (180 * SECOND_NS) /* for it to get from one step to the next */

enum outcome { GOING_ON, STARTED, FAILED, ENDED, NOBODY, STALLED, INTERRUPTED, STORE_LOST };

struct follow {
	struct xm *xm;
	struct xs_handle *xs;
	const char *name;
	bool quiet, seen, drawn;
	bool failed_mutely; /* state failed was seen, its reason not yet */
	int domid;
	char step[64];
	int64_t deadline_ns;
};

int start_forget(struct xs_handle *xs, xs_transaction_t t, const char *name)
{
	static const char *const stale[] = { "state", "error" };
	int ret = store_has(xs, t, "/status/domain/%s/step", name);

	if (ret)
		return ret < 0 ? ret : -EBUSY;
	for (size_t i = 0; i < sizeof(stale) / sizeof(stale[0]) && !ret; i++)
		ret = store_remove(xs, t, "/status/domain/%s/%s", name, stale[i]);
	return ret;
}

static void draw(struct follow *f, const char *step)
{
	struct xm *xm = f->xm;

	if (strcmp(step, f->step) == 0)
		return;
	snprintf(f->step, sizeof(f->step), "%s", step);
	f->deadline_ns = store_deadline(STALL_NS);
	if (f->quiet || !xm->progress)
		return;
	fprintf(xm->err, "\r%s: %s ...\033[K", f->name, step);
	fflush(xm->err);
	f->drawn = true;
}

static void undraw(struct follow *f)
{
	if (f->drawn)
		fputs("\r\033[K", f->xm->err);
	f->drawn = false;
}

/* The reason belongs to the state, but the two are not read at one instant: it gets a second. */
static enum outcome look_failed(struct follow *f)
{
	if (store_exists(f->xs, "/status/domain/%s/error", f->name))
		return FAILED;
	if (f->failed_mutely)
		return store_now() >= f->deadline_ns ? FAILED : GOING_ON;
	f->failed_mutely = true;
	f->deadline_ns = store_deadline(SECOND_NS);
	return GOING_ON;
}

static enum outcome look(struct follow *f)
{
	struct domain dom;
	char *step;

	domain_read(f->xs, f->name, &dom);
	if (!dom.has_record)
		return ENDED;
	if (!store_exists(f->xs, "/status/domain/%s/state", f->name))
		return GOING_ON;
	f->seen = f->seen || dom.state != DOM_DEFINED;
	if (dom.domid >= 0)
		f->domid = dom.domid;
	switch (dom.state) {
	case DOM_RUNNING:
	case DOM_PAUSED:
		return STARTED;
	case DOM_FAILED:
		return look_failed(f);
	case DOM_SHUTDOWN:
	case DOM_CRASHED:
		return ENDED;
	case DOM_STARTING:
		step = store_read(f->xs, XBT_NULL, "/status/domain/%s/step", f->name);
		draw(f, step && *step ? step : "starting");
		free(step);
		return GOING_ON;
	case DOM_STOPPING: /* a restarted xend undoes the half-built one before it starts anew */
	case DOM_DEFINED:
	case DOM_UNKNOWN:
	case DOM_STATE_NR:
		break;
	}
	return GOING_ON;
}

static enum outcome follow(struct follow *f, int interrupt)
{
	enum outcome outcome = GOING_ON;

	while (outcome == GOING_ON) {
		int woken = store_wait(f->xs, interrupt, f->deadline_ns);

		if (woken == -EINTR)
			return INTERRUPTED;
		if (woken < 0)
			return STORE_LOST;
		outcome = look(f);
		if (outcome == GOING_ON && woken == 0)
			return f->seen ? STALLED : NOBODY;
	}
	return outcome;
}

/* A start that is over leaves nothing of a transient domain; a stored record is switched off. */
static void withdraw(struct follow *f, bool destroy)
{
	struct request req = { .op = "destroy", .domain = f->name, .timeout_ns = 10 * SECOND_NS };
	struct domain dom;

	domain_read(f->xs, f->name, &dom);
	if (dom.has_record && dom.persistent)
		record_switch_off(f->xs, f->name);
	if (destroy) {
		request_run(f->xs, &req);
		request_close(f->xs, &req);
	}
	if (dom.has_record && !dom.persistent)
		store_remove(f->xs, XBT_NULL, "/config/domain/%s", f->name);
}

/*
 * A start that failed leaves as little. But where nothing is said of it any more, somebody has asked
 * for another one since (start_forget()): that is not ours.
 */
static int withdraw_failed(struct xs_handle *xs, xs_transaction_t t, void *data)
{
	const char *name = data;
	int has = store_has(xs, t, "/status/domain/%s/state", name);
	long long n;

	if (has > 0)
		has = store_has(xs, t, "/config/domain/%s", name);
	if (has <= 0)
		return has;
	if (store_read_number(xs, t, &n, "/config/domain/%s/persistent", name) && !n)
		return store_remove(xs, t, "/config/domain/%s", name);
	return store_write(xs, t, "off", "/config/domain/%s/power", name);
}

static int tell_failed(struct follow *f)
{
	char *error = store_read(f->xs, XBT_NULL, "/status/domain/%s/error", f->name);

	xm_fail(f->xm, "%s: not started: %s", f->name,
		error && *error ? error : "xend gave no reason");
	free(error);
	store_transact(f->xs, withdraw_failed, (void *)f->name);
	return 1;
}

static int tell(struct follow *f, enum outcome outcome)
{
	struct xm *xm = f->xm;

	undraw(f);
	switch (outcome) {
	case STARTED:
		if (!f->quiet)
			fprintf(xm->out, "Started domain %s (id=%d)\n", f->name, f->domid);
		return 0;
	case FAILED:
		return tell_failed(f);
	case ENDED:
		return xm_fail(xm,
			       "%s: it has ended already: '%s why %s' tells why, and its last words, if "
			       "it had any, are in /var/log/xen/console/guest-%s.log",
			       f->name, xm->prog, f->name, f->name);
	case NOBODY:
		withdraw(f, false);
		return xm_fail(xm,
			       "%s: not started: xend does not answer; is it running? (it logs to "
			       "%s)",
			       f->name, notify_log_of("xend"));
	case STALLED:
		return xm_fail(xm,
			       "%s: still starting (%s) after a long time; xend goes on, 'xm list "
			       "-a' shows how it ends",
			       f->name, f->step[0] ? f->step : "no step named");
	case INTERRUPTED:
		withdraw(f, true);
		xm_fail(xm, "%s: interrupted; the start is undone", f->name);
		return CLI_INTERRUPTED;
	case GOING_ON:
	case STORE_LOST:
		break;
	}
	return xm_fail(xm, "%s: the store went away; xend goes on when it is back", f->name);
}

int start_follow(struct xm *xm, const char *name, bool quiet, int *domid)
{
	struct follow f = { .xm = xm, .xs = xm->xs, .name = name, .quiet = quiet, .domid = -1 };
	enum outcome outcome = STORE_LOST;
	struct interrupts interrupts;

	interrupts_open(&interrupts);
	f.deadline_ns = store_deadline(PICKUP_NS);
	if (store_watch(f.xs, "start", "/status/domain/%s", name))
		outcome = follow(&f, interrupts.fd);
	store_unwatch(f.xs, "start", "/status/domain/%s", name);
	interrupts_close(&interrupts);
	*domid = f.domid;
	return tell(&f, outcome);
}
