/* SPDX-License-Identifier: MIT */
/*
 * request_save.c - xm save: ask the guest, write it down, end it or let it go on.
 *
 * Before its memory is written down, its disks come to rest: what it was told is done is on them,
 * and nothing of it is on the way any more. What fails on the way, or is withdrawn, leaves a
 * running guest and no new file.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk_drain.h"
#include "home.h"
#include "log.h"
#include "reconcile.h"
#include "record_store.h"
#include "request_ops.h"
#include "save_pv.h"
#include "saving.h"
#include "steps.h"
#include "store.h"
#include "vdev.h"
#include "xend.h"

#define SUSPEND_NS (60 * NS_PER_S)

void saving_let_go(struct domain *d)
{
	save_release(d->saving.file);
	d->saving.file = NULL;
}

int saving_epoch(struct request *r)
{
	uint8_t uuid[16];

	if (record_uuid_make(uuid))
		return refuse(r, -EIO, "no random numbers");
	vdev_uuid_format(uuid, r->epoch);
	return 0;
}

static int poll_ended(struct xend *x, struct request *r)
{
	const struct domain *d = domain_find(x, r->domain);

	return !d || (d->domid < 0 && d->walk == WALK_NONE) ? 0 : -EINPROGRESS;
}

int saving_go_on(struct xend *x, struct request *r, struct domain *d)
{
	int err;

	disk_drain_end(x, d);
	err = hv_domain_resume(x->hv, (uint16_t)d->domid);
	return err ? refuse(r, err, "the hypervisor refuses to resume it: %s", strerror(-err)) : 0;
}

/* A guest that is about to suspend is resumed by reconcile.c. */
int saving_give_up(struct xend *x, struct request *r, struct domain *d)
{
	if (d->saving.state == SAVE_ASKED)
		home_withdraw_shutdown(x, d);
	saving_let_go(d);
	return d->saving.state <= SAVE_ASKED ? 0 : saving_go_on(x, r, d);
}

/* The guest still runs: wait on, or take the wish back. */
int saving_poll_asked(struct xend *x, struct request *r, struct domain *d)
{
	if (x->now_ns < r->deadline_ns)
		return -EINPROGRESS;
	if (d->saving.waited_on || home_withdraw_shutdown(x, d) != -EALREADY) {
		saving_let_go(d);
		return refuse(r, -ETIMEDOUT, "its kernel did not suspend itself within %d s",
			      (int)(SUSPEND_NS / NS_PER_S));
	}
	/* It has taken the wish and is at it. */
	d->saving.waited_on = true;
	r->deadline_ns = x->now_ns + SUSPEND_NS;
	return -EINPROGRESS;
}

/* How the worker's step ended, with @why; one whose file system does not answer has ended. */
static int look(struct xend *x, struct request *r, struct domain *d, char *why)
{
	int err = save_result(d->saving.file, why);

	r->deadline_ns = err == -EINPROGRESS ? x->now_ns + NS_PER_S : 0;
	if (err != -EINPROGRESS || !save_is_stuck(d->saving.file, x->now_ns))
		return err;
	snprintf(why, WORKER_WHY, "the file system of the file took nothing for %d s", SAVE_FILE_STUCK_S);
	return -ETIMEDOUT;
}

static int finish(struct xend *x, struct request *r, struct domain *d)
{
	char why[WORKER_WHY];
	int err = look(x, r, d, why);

	if (err == -EINPROGRESS)
		return err;
	saving_let_go(d);
	if (err || d->saving.goes_on) {
		int resumed = saving_go_on(x, r, d);

		return err ? refuse(r, err, "%s", why) : resumed;
	}
	/*
	 * Also where its host goes down, or loses its power now: booted anew, it would change its
	 * disks.
	 */
	if (record_power_off(x->xs, d->name))
		log_warnx("%s: saved, and its record cannot be switched off", d->name);
	steps_begin_down(x, d, AFTER_STOP, "save");
	r->poll = poll_ended;
	return -EINPROGRESS;
}

static int ask_disks(struct xend *x, struct request *r, struct domain *d)
{
	int err = disk_drain(x, d, r->epoch, false);

	if (err) {
		saving_let_go(d);
		saving_go_on(x, r, d);
		return refuse(r, err, "the store refuses to ask its disks: %s", strerror(-err));
	}
	d->saving.state = SAVE_DRAINING;
	r->began_ns = x->now_ns;
	r->deadline_ns = x->now_ns + DISK_DRAIN_S * NS_PER_S;
	return 0;
}

static int poll_drained(struct xend *x, struct request *r, struct domain *d)
{
	char why[WORKER_WHY];
	int err = disk_drained(x, d, r->epoch, r->began_ns, why, sizeof(why));

	if (err == -EINPROGRESS)
		return err;
	r->deadline_ns = 0;
	if (!err)
		err = save_take_record(d->saving.file, x, why);
	if (err) {
		saving_let_go(d);
		saving_go_on(x, r, d);
		return refuse(r, err, "%s", why);
	}
	d->saving.state = SAVE_WRITING;
	err = save_begin(d->saving.file, x);
	if (!err)
		return finish(x, r, d);
	d->saving.file = NULL;
	saving_go_on(x, r, d);
	return refuse(r, err, "dom0 has no thread to spare");
}

/* The guest is not asked before there is a file to write to. */
static int poll_opened(struct xend *x, struct request *r, struct domain *d)
{
	char why[WORKER_WHY];
	int err = look(x, r, d, why);

	if (err == -EINPROGRESS)
		return err;
	if (err)
		refuse(r, err, "%s", why);
	else
		err = saving_ask(x, r, d);
	if (!err)
		return -EINPROGRESS;
	saving_let_go(d);
	return err;
}

static int poll_saved(struct xend *x, struct request *r)
{
	struct domain *d = domain_find(x, r->domain);

	if (!d || !d->saving.file)
		return refuse(r, -ESRCH, "it ended while it was being saved");
	if (store_has(x->xs, path_request(r->id, "op")) == 0)
		return saving_give_up(x, r, d);
	if (d->saving.state == SAVE_OFFERED)
		return poll_opened(x, r, d);
	if (d->saving.state == SAVE_ASKED)
		return saving_poll_asked(x, r, d);
	if (d->saving.state == SAVE_SUSPENDED) {
		int err = ask_disks(x, r, d);

		if (err)
			return err;
	}
	return d->saving.state == SAVE_DRAINING ? poll_drained(x, r, d) : finish(x, r, d);
}

/* Whether its kernel can: Linux says so in its home. */
static bool can_suspend(struct xend *x, const struct domain *d)
{
	return store_read_long(x->xs, path_home((unsigned int)d->domid,
						"control/feature-suspend")) == 1;
}

int saving_ask(struct xend *x, struct request *r, struct domain *d)
{
	int err;

	d->saving.state = SAVE_ASKED;
	err = home_ask_shutdown(x, d, "suspend");
	if (err)
		return refuse(r, err, "the store refuses control/shutdown: %s", strerror(-err));
	r->deadline_ns = x->now_ns + SUSPEND_NS;
	return 0;
}

int saving_possible(struct xend *x, struct request *r, const struct domain *d)
{
	if (d->state != STATE_RUNNING || d->walk != WALK_NONE)
		return refuse(r, -EBUSY, "%s is %s", d->name, domain_state_name(d->state));
	if (!can_suspend(x, d))
		return refuse(r, -EOPNOTSUPP, "the kernel of %s does not offer to be suspended",
			      d->name);
	return 0;
}

static int begin(struct xend *x, struct request *r, struct domain *d, const char *file)
{
	long checkpoint = store_read_long(x->xs, path_request(r->id, "args/checkpoint"));
	bool as_xl = store_read_long(x->xs, path_request(r->id, "args/xl")) == 1;
	struct saving s = { .state = SAVE_OFFERED, .goes_on = checkpoint == 1 };
	char why[WORKER_WHY];
	int err = saving_epoch(r);

	if (err)
		return err;
	err = save_open(x, d, file, as_xl, &s.file, why);
	if (err)
		return refuse(r, err, "%s", why);
	d->saving = s;
	memcpy(r->domain, d->name, sizeof(r->domain));
	r->poll = poll_saved;
	return poll_saved(x, r);
}

int op_save(struct xend *x, struct request *r)
{
	struct domain *d = settled_target(x, r);
	char *file;
	int err;

	if (!d)
		return -ESRCH;
	err = saving_possible(x, r, d);
	if (err)
		return err;
	file = request_argument(x, r, "file");
	if (!file || file[0] != '/' || strlen(file) > DISK_PATH_MAX)
		err = refuse(r, -EINVAL, "no absolute path of a file given");
	else
		err = begin(x, r, d, file);
	free(file);
	return err;
}
