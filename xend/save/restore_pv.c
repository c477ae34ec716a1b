/* SPDX-License-Identifier: MIT */
/*
 * restore_pv.c - a start from a file of xm save: the steps, and the worker behind them. Another
 * process reads the stream (restore_stream.c, restore_finish.c); restore_serve.c does what it asks.
 */
#include "restore_pv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "build_pv.h"
#include "move_in.h"
#include "move_more.h"
#include "pv_tables.h"
#include "restore_priv.h"
#include "xend.h"

#define PAGES_PER_MIB 256
#define QUIET_S 600			/* of a channel: the guest may take 60 s to suspend */

int restore_fail(struct restore *r, int err, const char *what)
{
	return worker_fail(&r->worker, err, "%s: %s", what, strerror(-err));
}

int restore_damaged(struct restore *r, const char *what)
{
	return worker_fail(&r->worker, -EINVAL, "the saved memory is damaged: %s", what);
}

uint64_t restore_mfn_of(void *arg, uint64_t pfn)
{
	const struct restore *r = arg;

	return restore_frames_mfn(&r->frames, pfn);
}

static int run(struct worker *w)
{
	struct restore *r = (struct restore *)w;
	int err = hv_open(&r->hv);

	return err ? restore_fail(r, err, "no hypercalls") : restore_serve(r);
}

static void destroy(struct worker *w)
{
	struct restore *r = (struct restore *)w;

	if (r->hv)
		hv_close(r->hv);
	if (r->fd >= 0)
		close(r->fd);
	saved_head_free(&r->head);
	free(r->console);
	if (r->window)
		munmap(r->window, sizeof(*r->window));
	free(r);
}

/* --- the steps --- */

/* A file of xl save does not say whose it is where xend could read it: the record is believed. */
static void take_numbers(const struct domain *d, struct saved_head *h)
{
	memcpy(h->uuid, d->rec.uuid_text, sizeof(h->uuid));
	h->nr_pages = d->rec.maxmem_mib * PAGES_PER_MIB;
	h->nr_vcpus = d->rec.maxvcpus;
}

static int compare_head(struct domain *d, struct saved_head *h)
{
	if (h->is_xl)
		take_numbers(d, h);
	if (strcmp(h->uuid, d->rec.uuid_text)) {
		domain_error(d, "%s is the memory of another domain (%s, uuid %s): remove saved= "
			     "to boot this one", d->rec.saved, h->name, h->uuid);
		return -EINVAL;
	}
	if (h->nr_pages > d->rec.maxmem_mib * PAGES_PER_MIB) {
		domain_error(d, "%s has %llu MiB of memory: maxmem=%llu is too little",
			     d->rec.saved, (unsigned long long)(h->nr_pages / PAGES_PER_MIB),
			     (unsigned long long)d->rec.maxmem_mib);
		return -EINVAL;
	}
	if (!h->nr_vcpus || h->nr_vcpus > d->rec.maxvcpus) {
		domain_error(d, "%s has %u virtual CPUs: maxvcpus=%u is too few", d->rec.saved,
			     h->nr_vcpus, d->rec.maxvcpus);
		return -EINVAL;
	}
	return 0;
}

static int read_channel(struct domain *d, struct restore *r)
{
	r->fd = move_in_connect(d);
	r->is_channel = true;
	return r->fd < 0 ? r->fd : saved_head_take(r->fd, &r->head);
}

/* Of a file: its file system may be another machine's, and answer when it likes. */
static int run_head(struct worker *w)
{
	struct restore *r = (struct restore *)w;

	return saved_head_read(r->path, &r->head, &r->fd);
}

static int begin(struct xend *x, struct domain *d)
{
	struct restore *r = calloc(1, sizeof(*r));
	int err;

	if (!r) {
		domain_error(d, "dom0 has not enough memory to restore a domain");
		return -ENOMEM;
	}
	r->worker.run = run_head;
	r->worker.destroy = destroy;
	r->fd = -1;
	snprintf(r->path, sizeof(r->path), "%s", d->rec.saved);
	d->restore = r;
	if (d->rec.arriving[0])
		return read_channel(d, r);
	err = worker_start(&r->worker, x->wake_fd);
	if (err) {
		d->restore = NULL;
		domain_error(d, "dom0 has no thread to spare");
	}
	return err ? err : worker_result(&r->worker);
}

int restore_image(struct xend *x, struct domain *d)
{
	struct restore *r;
	int err = d->restore ? worker_result(&d->restore->worker) : begin(x, d);

	r = d->restore;
	if (err == -EINPROGRESS || !r)
		return err;
	r->worker.run = run;
	if (err == -EINVAL)
		domain_error(d, "%s is not a file that xm save or xl save made, or is damaged: "
			     "remove saved= to boot the domain anew", d->rec.saved);
	else if (err)
		domain_error(d, "the saved memory %s cannot be read: %s: remove saved= to boot the "
			     "domain anew", d->rec.saved, strerror(-err));
	return err ? err : compare_head(d, &r->head);
}

void restore_image_late(struct xend *x, struct domain *d)
{
	domain_error(d, "the file system of %s does not answer", d->rec.saved);
}

uint64_t restore_kib(const struct restore *r)
{
	return r->head.nr_pages * (PAGE / 1024);
}

static int start_worker(struct xend *x, struct domain *d)
{
	int err = worker_start(&d->restore->worker, x->wake_fd);

	if (!err)
		return 0;
	d->restore = NULL;
	domain_error(d, "dom0 has no thread to spare");
	return err;
}

int restore_populate(struct xend *x, struct domain *d)
{
	struct restore *r = d->restore;
	struct hv_domain info = { .shared_info_mfn = 0 };
	int err;

	r->domid = (uint16_t)d->domid;
	r->max_pages = d->rec.maxmem_mib * PAGES_PER_MIB;
	err = build_limits(x, d, &r->made);
	if (err)
		return err;
	err = hv_domain_info(x->hv, r->domid, &info);
	r->shared_info_mfn = info.shared_info_mfn;
	if (!err && d->rec.arriving[0])
		move_more_apply(x, d, &r->head);
	/* What comes from another host is asked for later. */
	if (!err && !d->rec.arriving[0])
		return start_worker(x, d);
	if (err)
		domain_error(d, "the domain cannot be restored: %s", strerror(-err));
	return err;
}

int restore_accept(struct xend *x, struct domain *d)
{
	int err = move_in_accept(d);

	if (!err)
		return start_worker(x, d);
	domain_error(d, "the domain cannot be restored: %s", strerror(-err));
	return err;
}

/* A guest that moves while it runs takes as long as it takes, if only something comes. */
static void wait_on(struct xend *x, struct domain *d)
{
	uint64_t asks = atomic_load(&d->restore->asks);

	if (d->deadline_ns && asks == d->restore->asks_seen)
		return;
	d->restore->asks_seen = asks;
	d->deadline_ns = x->now_ns + QUIET_S * NS_PER_S;
}

int restore_load(struct xend *x, struct domain *d)
{
	struct restore *r = d->restore;
	int err = worker_result(&r->worker);

	if (err == -EINPROGRESS && r->is_channel)
		wait_on(x, d);
	else if (err && err != -EINPROGRESS)
		domain_error(d, "%s: %s", d->rec.saved, r->worker.why);
	return err;
}

void restore_load_late(struct xend *x, struct domain *d)
{
	if (d->restore->is_channel)
		domain_error(d, "nothing came from the other host for %d s", QUIET_S);
	else
		domain_error(d, "%s could not be read in time", d->rec.saved);
}

int restore_tables(struct xend *x, struct domain *d)
{
	d->made = d->restore->made;
	return build_grant_rings(x, d);
}

const char *restore_console(const struct restore *r)
{
	return r && r->console ? r->console : "";
}

int restore_stop(struct xend *x, struct domain *d)
{
	return d->restore ? worker_stop(&d->restore->worker) : 0;
}

void restore_free(struct restore *r)
{
	worker_release(r ? &r->worker : NULL);
}
