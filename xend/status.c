/* SPDX-License-Identifier: MIT */
/*
 * status.c - the only writer of /status.
 */
#include "status.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "devices.h"
#include "foreign.h"
#include "log.h"
#include "store.h"
#include "vdev.h"
#include "xend.h"

#define DOM0_NAME "Domain-0"

static void write_or_remove(struct txn *tx, struct path p, bool present, const char *value)
{
	if (present)
		txn_write(tx, p, value);
	else
		txn_rm(tx, p);
}

static bool is_as_built(struct txn *tx, const struct domain *d)
{
	return record_hash(&d->rec) == d->built_hash && devices_as_recorded(tx, d);
}

static int as_built_body(struct txn *tx, void *arg)
{
	const struct domain *d = arg;

	return d->built_hash && is_as_built(tx, d) ? 0 : -ESTALE;
}

bool status_is_as_built(struct xend *x, const struct domain *d)
{
	return !store_transact(x->xs, as_built_body, (void *)d);
}

void status_write_in(struct txn *tx, const struct domain *d)
{
	char domid[16], hash[24], start_kib[24], log_from[24];

	snprintf(domid, sizeof(domid), "%d", d->domid);
	snprintf(hash, sizeof(hash), "%016" PRIx64, d->built_hash);
	snprintf(start_kib, sizeof(start_kib), "%" PRIu64, d->start_kib);
	snprintf(log_from, sizeof(log_from), "%" PRIu64, d->log_from);
	txn_write(tx, path_status(d->name, "state"), domain_state_name(d->state));
	write_or_remove(tx, path_status(d->name, "domid"), d->domid >= 0, domid);
	write_or_remove(tx, path_status(d->name, "uuid"), d->uuid[0], d->uuid);
	write_or_remove(tx, path_status(d->name, "error"), d->error[0], d->error);
	write_or_remove(tx, path_status(d->name, "built"), d->domid >= 0 && d->built_hash, hash);
	write_or_remove(tx, path_status(d->name, "pending"),
			d->domid >= 0 && d->built_hash && d->walk == WALK_NONE && !is_as_built(tx, d),
			"1");
	write_or_remove(tx, path_status(d->name, "start_kib"), d->domid >= 0 && d->start_kib,
			start_kib);
	write_or_remove(tx, path_status(d->name, "log_from"), d->domid >= 0 && d->log_from,
			log_from);
	write_or_remove(tx, path_status(d->name, "transient"), d->transient, "1");
	write_or_remove(tx, path_status(d->name, "preserved"), d->preserved, "1");
	write_or_remove(tx, path_status(d->name, "handed"), d->handed, "1");
	write_or_remove(tx, path_status(d->name, "ended"), d->ended, "1");
	/* One of other tools' may have had the name before the record came. */
	txn_rm(tx, path_status(d->name, "foreign"));
	if (!d->saving.file)
		txn_rm(tx, path_status(d->name, "move"));
	if (d->walk == WALK_NONE) {
		txn_rm(tx, path_status(d->name, "step"));
		txn_rm(tx, path_status(d->name, "after"));
		txn_rm(tx, path_status(d->name, "end_why"));
	}
	if (d->domid < 0) {
		txn_rm(tx, path_status(d->name, "memory_kib"));
		txn_rm(tx, path_status(d->name, "vcpus"));
		txn_rm(tx, path_status(d->name, "cpu_time_ns"));
		txn_rm(tx, path_status(d->name, "started"));
	}
}

static int status_body(struct txn *tx, void *arg)
{
	status_write_in(tx, arg);
	return 0;
}

void status_write(struct xend *x, const struct domain *d)
{
	if (store_transact(x->xs, status_body, (void *)d))
		log_warn("%s: status cannot be written", d->name);
}

static int off_body(struct txn *tx, void *arg)
{
	const struct domain *d = arg;
	int on = txn_is(tx, path_config(d->name, "power"), "on");

	if (!on)
		status_write_in(tx, d);
	return on > 0 ? -ESTALE : on;
}

bool status_write_off(struct xend *x, const struct domain *d)
{
	int err = store_transact(x->xs, off_body, (void *)d);

	if (err && err != -ESTALE)
		log_warn("%s: status cannot be written", d->name);
	return err != -ESTALE;
}

struct step_args {
	const struct domain *d;
	const char *step;
};

static int step_body(struct txn *tx, void *arg)
{
	const struct step_args *a = arg;

	txn_write(tx, path_status(a->d->name, "step"), a->step);
	if (a->d->walk == WALK_DOWN)
		txn_write(tx, path_status(a->d->name, "after"), domain_after_name(a->d->after));
	if (a->d->walk == WALK_DOWN && a->d->end_why[0])
		txn_write(tx, path_status(a->d->name, "end_why"), a->d->end_why);
	if (a->d->domid >= 0)
		txn_writef(tx, path_status(a->d->name, "domid"), "%d", a->d->domid);
	return 0;
}

int status_write_step(struct xend *x, const struct domain *d, const char *step)
{
	struct step_args a = { d, step };

	return store_transact(x->xs, step_body, &a);
}

void status_started(struct xend *x, const struct domain *d)
{
	if (store_writef(x->xs, path_status(d->name, "started"), "%llu", x->now_ns / NS_PER_S))
		log_warn("%s: status cannot be written", d->name);
}

void status_remove(struct xend *x, const char *name)
{
	store_rm(x->xs, path_status(name, NULL));
}

static int figures_body(struct txn *tx, void *arg)
{
	const struct hv_domain *h = ((void **)arg)[0];
	const char *name = ((void **)arg)[1];

	txn_writef(tx, path_status(name, "memory_kib"), "%" PRIu64, h->tot_kib);
	txn_writef(tx, path_status(name, "vcpus"), "%u", h->nr_vcpus);
	txn_writef(tx, path_status(name, "cpu_time_ns"), "%" PRIu64, h->cpu_time_ns);
	return 0;
}

static void write_figures(struct xend *x, const char *name, const struct hv_domain *h)
{
	void *arg[2] = { (void *)h, (void *)name };

	store_transact(x->xs, figures_body, arg);
}

static void write_dom0(struct xend *x, const struct hv_domain *h)
{
	char uuid[37];

	vdev_uuid_format(h->uuid, uuid);
	store_write(x->xs, path_status(DOM0_NAME, "state"), "running");
	store_write(x->xs, path_status(DOM0_NAME, "domid"), "0");
	store_write(x->xs, path_status(DOM0_NAME, "uuid"), uuid);
	write_figures(x, DOM0_NAME, h);
}

static enum domain_state state_of(const struct hv_domain *h)
{
	if (h->shutdown)
		return h->reason == HV_SHUTDOWN_CRASH ? STATE_CRASHED : STATE_SHUTDOWN;
	return h->paused ? STATE_PAUSED : STATE_RUNNING;
}

static int foreign_body(struct txn *tx, void *arg)
{
	const struct hv_domain *h = ((void **)arg)[0];
	const char *name = ((void **)arg)[1];
	char uuid[37];

	vdev_uuid_format(h->uuid, uuid);
	txn_write(tx, path_status(name, "state"), domain_state_name(state_of(h)));
	txn_writef(tx, path_status(name, "domid"), "%u", h->domid);
	txn_write(tx, path_status(name, "uuid"), uuid);
	txn_write(tx, path_status(name, "foreign"), "1");
	return figures_body(tx, arg);
}

void status_write_foreign(struct xend *x, const char *name, const struct hv_domain *h)
{
	void *arg[2] = { (void *)h, (void *)name };

	if (store_transact(x->xs, foreign_body, arg))
		log_warn("%s: status cannot be written", name);
}

void status_refresh_one(struct xend *x, const struct domain *d)
{
	struct hv_domain h;

	if (!hv_domain_info(x->hv, (uint16_t)d->domid, &h))
		write_figures(x, d->name, &h);
}

void status_refresh(struct xend *x)
{
	struct hv_domain *list;
	size_t nr;

	if (hv_domain_list(x->hv, &list, &nr))
		return;
	for (size_t i = 0; i < nr; i++) {
		struct domain *d = list[i].domid ? domain_find_id(x, list[i].domid) : NULL;

		if (list[i].domid == 0)
			write_dom0(x, &list[i]);
		else if (d && d->walk == WALK_NONE)
			write_figures(x, d->name, &list[i]);
	}
	foreign_refresh(x, list, nr);
	free(list);
}
