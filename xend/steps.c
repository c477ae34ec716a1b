/* SPDX-License-Identifier: MIT */
/*
 * steps.c - the step table and its walker.
 *
 * Owns: the order of everything between a record and a running guest. Not: when to start or
 * what follows (reconcile.c).
 */
#include "steps.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "build_pv.h"
#include "devices.h"
#include "dom0_memory.h"
#include "home.h"
#include "log.h"
#include "move_in.h"
#include "reconcile.h"
#include "restore_pv.h"
#include "save_pv.h"
#include "record_store.h"
#include "cpu_share.h"
#include "status.h"
#include "store.h"
#include "xend.h"

static int store_error(struct domain *d, const char *what, int err)
{
	if (err)
		domain_error(d, "the store refuses to %s: %s", what, strerror(-err));
	return err;
}

/* Where the memory of a new domain comes from: its kernel, or a file of xm save. */
struct maker {
	int (*image)(struct xend *x, struct domain *d);
	void (*image_late)(struct xend *x, struct domain *d);
	int (*populate)(struct xend *x, struct domain *d);
	int (*load)(struct xend *x, struct domain *d);
	void (*load_late)(struct xend *x, struct domain *d);
	int (*tables)(struct xend *x, struct domain *d);
};

static const struct maker from_kernel = {
	build_image, build_image_late, build_populate, build_load, NULL, build_tables,
};

static const struct maker from_file = {
	restore_image, restore_image_late, restore_populate, restore_load, restore_load_late, restore_tables,
};

static int do_image(struct xend *x, struct domain *d)
{
	return d->maker->image(x, d);
}

static void image_late(struct xend *x, struct domain *d)
{
	d->maker->image_late(x, d);
}

static int do_populate(struct xend *x, struct domain *d)
{
	return d->maker->populate(x, d);
}

static int do_load(struct xend *x, struct domain *d)
{
	return d->maker->load(x, d);
}

/*
 * What is destroyed next is nobody's to fill. A kernel's worker is done before there is a domain.
 */
static int undo_load(struct xend *x, struct domain *d)
{
	return restore_stop(x, d);
}

static void load_late(struct xend *x, struct domain *d)
{
	d->maker->load_late(x, d);
}

static int do_tables(struct xend *x, struct domain *d)
{
	return d->maker->tables(x, d);
}

static void free_makers(struct domain *d)
{
	build_free(d->build);
	d->build = NULL;
	restore_free(d->restore);
	d->restore = NULL;
}

static int do_create(struct xend *x, struct domain *d)
{
	uint16_t domid;
	int err = hv_domain_create(x->hv, d->uuid_bytes, d->rec.maxvcpus, &domid);

	if (err == -ENOMEM)
		domain_error(d, "not enough memory in the hypervisor for one more domain: shut "
			     "down a domain");
	else if (err)
		domain_error(d, "the hypervisor refuses to create a domain: %s", strerror(-err));
	else
		d->domid = domid;
	return err;
}

/* Also waits until it is gone: while somebody still maps its frames, they are not free. */
static int undo_create(struct xend *x, struct domain *d)
{
	struct hv_domain info;
	int err;

	if (d->domid < 0)
		return 0;
	err = hv_domain_destroy(x->hv, (uint16_t)d->domid);
	if (err && err != -ENOENT) {
		log_warnx("%s: the hypervisor refuses to destroy domain %d: %s", d->name, d->domid,
			  strerror(-err));
		return err;
	}
	err = hv_domain_info(x->hv, (uint16_t)d->domid, &info);
	if (err == -ENOENT || (!err && memcmp(info.uuid, d->uuid_bytes, sizeof(info.uuid))))
		return 0;
	return -EINPROGRESS;
}

static int do_schedule(struct xend *x, struct domain *d)
{
	return sched_apply(x, d, false);
}

static int do_home(struct xend *x, struct domain *d)
{
	int err = d->rec.arriving[0] ? home_write_rings(x, d) : home_write(x, d);

	return store_error(d, "write the domain's home", err);
}

static int undo_home(struct xend *x, struct domain *d)
{
	return d->domid < 0 ? 0 : home_remove(x, d);
}

static int do_introduce(struct xend *x, struct domain *d)
{
	if (xs_introduce_domain(x->xs, (unsigned int)d->domid, d->made.store_mfn,
				d->made.store_port))
		return 0;
	return store_error(d, "take the domain's ring", errno ? -errno : -EIO);
}

/*
 * The domain is killed before the store lets go of it: whoever hears of the release (the
 * console of another toolstack, a backend) then sees it dying and drops what it still maps.
 */
static int undo_introduce(struct xend *x, struct domain *d)
{
	if (d->domid < 0)
		return 0;
	hv_domain_destroy(x->hv, (uint16_t)d->domid);
	/* Refused when it was never introduced: nothing to undo then. */
	xs_release_domain(x->xs, (unsigned int)d->domid);
	return 0;
}

static int do_disks(struct xend *x, struct domain *d)
{
	char why[DOMAIN_ERROR_MAX];
	int err = 0;

	for (unsigned int i = 0; i < d->rec.nr_disks && !err; i++)
		err = devices_may_write(x, &d->rec.disk[i], why, sizeof(why));
	if (err)
		domain_error(d, "%s", why);
	return err;
}

static int do_devices(struct xend *x, struct domain *d)
{
	int err = d->rec.arriving[0] ? devices_write_console(x, d) : devices_write(x, d);

	return store_error(d, "write the devices", err);
}

static int undo_devices(struct xend *x, struct domain *d)
{
	return d->domid < 0 ? 0 : devices_remove(x, d);
}

/* A guest that arrives stands still meanwhile: what it can do without comes up beside it. */
static int do_backends(struct xend *x, struct domain *d)
{
	return d->rec.arriving[0] ? devices_ready_but_console(x, d) : devices_ready(x, d);
}

static int undo_backends(struct xend *x, struct domain *d)
{
	int err;

	if (d->domid < 0)
		return 0;
	/* Ask once, when the wait begins; the answer comes as a watch event. */
	if (!d->deadline_ns) {
		err = devices_close(x, d);
		if (err)
			return err;
	}
	return devices_closed(x, d) ? 0 : -EINPROGRESS;
}

/*
 * The guest of another host runs there until its memory is here, and stands still for all that
 * begins then. So what its devices' processes need to come up begins before any of it is asked for;
 * one that cannot is a no while nothing was given away.
 */
static int do_early(struct xend *x, struct domain *d)
{
	int err = 0;

	if (!d->rec.arriving[0])
		return 0;
	if (!d->deadline_ns) {
		/* Else the store would be the first, when it takes the ring. */
		hv_grant_room(x->hv);
		d->made = (struct build_result){ 0 };
		err = home_write(x, d);
		err = store_error(d, "write the devices", err ? err : devices_write_early(x, d));
	}
	if (!err)
		err = devices_ready(x, d);
	return err ? err : restore_accept(x, d);
}

/* Of what has come further, all is gone by now. */
static int undo_early(struct xend *x, struct domain *d)
{
	int err;

	if (d->domid < 0 || store_has(x->xs, path_home((unsigned int)d->domid, NULL)) == 0)
		return 0;
	err = undo_backends(x, d);
	if (!err)
		err = devices_remove(x, d);
	return err ? err : home_remove(x, d);
}

/*
 * From here on the disks change: the same memory must not go on with them a second time, not even
 * when xend is killed before the next step.
 */
static int do_use_up(struct xend *x, struct domain *d)
{
	if (!d->rec.saved[0])
		return 0;
	d->rec.saved[0] = '\0';
	return store_error(d, "forget the saved memory", record_forget_saved(x->xs, d->name));
}

/* An earlier xend may have done it, and not lived to write that down. */
static int do_unpause(struct xend *x, struct domain *d)
{
	struct hv_domain info;
	int err;

	if (d->rec.paused || (!hv_domain_info(x->hv, (uint16_t)d->domid, &info) && !info.paused))
		return 0;
	err = hv_domain_unpause(x->hv, (uint16_t)d->domid);
	if (err)
		domain_error(d, "the hypervisor refuses to start the domain: %s", strerror(-err));
	return err;
}

static int undo_unpause(struct xend *x, struct domain *d)
{
	if (d->domid >= 0)
		hv_domain_pause(x->hv, (uint16_t)d->domid);
	return 0;
}

struct step {
	const char *name;
	int (*run)(struct xend *x, struct domain *d);
	int (*undo)(struct xend *x, struct domain *d);
	uint64_t run_limit_ns, undo_limit_ns;	/* for a step that waits */
	uint64_t poll_ns;			/* when no event tells; 0: events do */
	/* words for a run that took too long */
	void (*late)(struct xend *x, struct domain *d);
};

static const struct step steps[] = {
	{ "disks", do_disks },
	{ "image", do_image, .run_limit_ns = 300 * NS_PER_S, .late = image_late },
	/* How much a saved domain needs its file says. */
	{ "memory", dom0_memory_make_room, .run_limit_ns = 60 * NS_PER_S,
	  .poll_ns = 100 * NS_PER_MS, .late = dom0_memory_late },
	{ "create", do_create, undo_create, .undo_limit_ns = 10 * NS_PER_S,
	  .poll_ns = 20 * NS_PER_MS },
	{ "schedule", do_schedule },
	/* It may have begun to load: what follows is no part of that. */
	{ "populate", do_populate, undo_load, .undo_limit_ns = 10 * NS_PER_S },
	{ "early", do_early, undo_early, .run_limit_ns = 30 * NS_PER_S, .undo_limit_ns = 10 * NS_PER_S,
	  .late = devices_blame },
	{ "load", do_load, undo_load, .run_limit_ns = 3600 * NS_PER_S,
	  .undo_limit_ns = 10 * NS_PER_S, .late = load_late },
	{ "tables", do_tables },
	{ "home", do_home, undo_home },
	{ "introduce", do_introduce, undo_introduce },
	{ "devices", do_devices, undo_devices },
	{ "backends", do_backends, undo_backends, .run_limit_ns = 30 * NS_PER_S,
	  .undo_limit_ns = 10 * NS_PER_S, .late = devices_blame },
	{ "hand-over", move_in_step, .run_limit_ns = 60 * NS_PER_S, .poll_ns = NS_PER_MS,
	  .late = move_in_late },
	{ "use-up", do_use_up },
	{ "unpause", do_unpause, undo_unpause },
};
#define NR_STEPS ((int)(sizeof(steps) / sizeof(steps[0])))

const char *steps_name(int step)
{
	return step >= 0 && step < NR_STEPS ? steps[step].name : NULL;
}

static void set_step(struct domain *d, int step)
{
	d->step = step;
	d->deadline_ns = 0;
}

void steps_begin_up(struct xend *x, struct domain *d, const char *why)
{
	d->walk = WALK_UP;
	d->maker = d->rec.saved[0] ? &from_file : &from_kernel;
	d->error[0] = '\0';
	d->end_why[0] = '\0';
	d->start_kib = 0;
	d->log_from = save_console_len(d->name);
	d->preserved = false;
	d->built_hash = record_hash(&d->rec);
	memcpy(d->uuid, d->rec.uuid_text, sizeof(d->uuid));
	memcpy(d->uuid_bytes, d->rec.uuid, sizeof(d->uuid_bytes));
	set_step(d, 0);
	domain_set_state(x, d, STATE_STARTING, why);
}

void steps_begin_down(struct xend *x, struct domain *d, enum domain_after after, const char *why)
{
	if (d->walk == WALK_DOWN)
		return;
	save_release(d->saving.file);
	d->saving.file = NULL;
	if (d->walk == WALK_NONE)
		d->step = NR_STEPS - 1;
	d->walk = WALK_DOWN;
	d->after = after;
	snprintf(d->end_why, sizeof(d->end_why), "%s", why);
	d->preserved = false;
	set_step(d, d->step);
	/* A start that fails is "starting" until all is undone, then "failed". */
	if (after == AFTER_FAIL)
		domain_set_state(x, d, STATE_STARTING, why);
	else
		domain_set_state(x, d, STATE_STOPPING, why);
}

bool steps_resume_up(struct xend *x, struct domain *d, const char *step)
{
	int i = NR_STEPS - 1;

	while (i > 0 && strcmp(steps[i].name, "hand-over") && strcmp(steps[i].name, step))
		i--;
	if (strcmp(steps[i].name, step) || d->rec.arriving[0])
		return false;
	d->walk = WALK_UP;
	set_step(d, i);
	return true;
}

void steps_resume_down(struct xend *x, struct domain *d, const char *step, enum domain_after after)
{
	int i = NR_STEPS - 1;

	while (i > 0 && step && strcmp(steps[i].name, step))
		i--;
	/* An unknown name ends at 0: undo everything instead. */
	if (!step || strcmp(steps[i].name, step))
		i = NR_STEPS - 1;
	d->walk = WALK_DOWN;
	d->after = after;
	set_step(d, i);
	if (after != AFTER_FAIL)
		domain_set_state(x, d, STATE_STOPPING, "xend-restarted");
}

/* The step wants to wait: until when to sleep, or 0 when its time is over. */
static uint64_t wait_until(struct xend *x, struct domain *d, uint64_t limit_ns, uint64_t poll_ns)
{
	if (!d->deadline_ns)
		d->deadline_ns = x->now_ns + limit_ns;
	if (x->now_ns >= d->deadline_ns)
		return 0;
	return poll_ns && x->now_ns + poll_ns < d->deadline_ns ? x->now_ns + poll_ns :
								 d->deadline_ns;
}

static uint64_t run_up(struct xend *x, struct domain *d)
{
	const struct step *s = &steps[d->step];
	int err = 0;
	uint64_t again;

	if (!d->deadline_ns)
		err = store_error(d, "keep the journal", status_write_step(x, d, s->name));
	log_debug("%s: step %s", d->name, s->name);
	if (!err)
		err = s->run(x, d);
	if (err == -EINPROGRESS) {
		again = wait_until(x, d, s->run_limit_ns, s->poll_ns);
		if (again)
			return again;
		if (s->late)
			s->late(x, d);
	}
	if (err) {
		domain_error(d, "step %s failed: %s", s->name, strerror(-err));
		steps_begin_down(x, d, AFTER_FAIL, s->name);
		return 0;
	}
	set_step(d, d->step + 1);
	if (d->step == NR_STEPS) {
		d->walk = WALK_NONE;
		move_in_tell_times(d);
		free_makers(d);
		reconcile_built(x, d);
	}
	return 0;
}

static uint64_t run_down(struct xend *x, struct domain *d)
{
	const struct step *s = &steps[d->step];
	int err;
	uint64_t again;

	if (!d->deadline_ns)
		status_write_step(x, d, s->name);
	log_debug("%s: undo %s", d->name, s->name);
	err = s->undo ? s->undo(x, d) : 0;
	if (err == -EINPROGRESS) {
		again = wait_until(x, d, s->undo_limit_ns, s->poll_ns);
		if (again)
			return again;
		log_warnx("%s: undoing \"%s\" takes too long: going on without it", d->name,
			  s->name);
	} else if (err) {
		log_warnx("%s: undoing \"%s\" failed: %s", d->name, s->name, strerror(-err));
	}
	set_step(d, d->step - 1);
	if (d->step < 0) {
		d->walk = WALK_NONE;
		d->domid = -1;
		d->handed = false;
		free_makers(d);
		reconcile_undone(x, d);
	}
	return 0;
}

uint64_t steps_run(struct xend *x, struct domain *d)
{
	return d->walk == WALK_UP ? run_up(x, d) : run_down(x, d);
}
