/* SPDX-License-Identifier: MIT */
/*
 * xend.c - the core's three entry points: start, event, run.
 *
 * Events only mark what must be looked at; all work happens in xend_run(), one piece a call, so
 * that a long build never keeps another domain's step waiting for more than one step.
 */
#include "xend.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "home.h"
#include "host.h"
#include "log.h"
#include "loss.h"
#include "reconcile.h"
#include "recover.h"
#include "request.h"
#include "status.h"
#include "steps.h"
#include "store.h"

/* @releaseDomain tells of deaths; this look only catches what an event could not. */
#define SAFETY_CHECK_NS (10 * NS_PER_S)

static const struct {
	const char *path, *token;
} watches[] = {
	{ PATH_CONFIG_ROOT, "config" },
	{ PATH_REQUEST_ROOT, "request" },
	{ PATH_BACKEND_ROOT, "backend" },
	{ PATH_HOST_STOPPING, "stopping" },
	{ "@releaseDomain", "release" },
};

static int make_roots(struct xend *x)
{
	static const char *const roots[] = { PATH_CONFIG_ROOT, PATH_STATUS_ROOT, PATH_REQUEST_ROOT,
					     PATH_HISTORY_ROOT };

	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		if (!xs_mkdir(x->xs, XBT_NULL, roots[i]))
			return errno ? -errno : -EIO;
	}
	return 0;
}

int xend_start(struct xend *x, struct xs_handle *xs, struct hv *hv, int wake_fd, uint64_t now_ns)
{
	int err;

	*x = (struct xend){ .xs = xs, .hv = hv, .root = "", .wake_fd = wake_fd, .now_ns = now_ns,
			    .has_foreign = true };
	err = make_roots(x);
	if (!err)
		err = home_write_dom0(x);
	if (!err)
		err = host_write(x);
	if (err)
		return err;
	loss_look(x);
	err = host_first_start(x);
	if (err == 1)
		err = recover_boot(x);
	if (!err)
		err = recover_domains(x);
	if (err)
		return err;
	status_refresh(x);
	for (size_t i = 0; i < sizeof(watches) / sizeof(watches[0]); i++) {
		if (!xs_watch(xs, watches[i].path, watches[i].token))
			return errno ? -errno : -EIO;
	}
	return 0;
}

static void mark_all(struct xend *x)
{
	struct path root = { PATH_CONFIG_ROOT };
	char name[PATH_NAME_MAX];
	unsigned int nr;
	char **names = store_list(x->xs, root, &nr);

	for (unsigned int i = 0; i < nr; i++)
		if (path_name_of(names[i], name))
			domain_get(x, name);
	free(names);
	for (struct domain *d = x->domains; d; d = d->next)
		d->dirty = true;
}

static void config_event(struct xend *x, const char *path)
{
	char name[PATH_NAME_MAX];
	struct domain *d;

	if (!path_component(path, PATH_CONFIG_ROOT, name)) {
		mark_all(x);
		return;
	}
	d = domain_get(x, name);
	if (!d)
		return;
	d->dirty = true;
	d->give_up = false;
}

void xend_event(struct xend *x, const char *path, const char *token)
{
	char id[PATH_NAME_MAX];

	if (!strcmp(token, "config"))
		config_event(x, path);
	else if (!strcmp(token, "stopping"))
		mark_all(x);	/* taken away: what was left switched on starts */
	else if (!strcmp(token, "backend"))
		return;		/* being woken is all: a waiting step looks again */
	else if (!strcmp(token, "release"))
		x->check_domains = true;
	else if (path_component(path, PATH_REQUEST_ROOT, id))
		request_event(x, id);
	else
		request_scan(x);
}

/* One step or one look for each domain; the list may lose members meanwhile. */
static uint64_t run_domains(struct xend *x)
{
	uint64_t again = XEND_IDLE;

	for (struct domain *d = x->domains, *next; d; d = next) {
		uint64_t t = 0;

		next = d->next;
		if (d->walk != WALK_NONE)
			t = steps_run(x, d);
		else if (d->dirty)
			t = reconcile(x, d);
		else
			t = XEND_IDLE;
		if (t < again)
			again = t;
	}
	return again;
}

uint64_t xend_run(struct xend *x, uint64_t now_ns)
{
	uint64_t again, t;

	x->now_ns = now_ns;
	if (x->check_domains || now_ns >= x->next_check_ns) {
		x->check_domains = false;
		x->next_check_ns = now_ns + SAFETY_CHECK_NS;
		reconcile_deaths(x);
		loss_look(x);
	}
	/*
	 * First what is asked: it may give a domain a step to do, and nothing would wake us for
	 * that.
	 */
	again = request_run(x);
	t = run_domains(x);
	if (t < again)
		again = t;
	return x->next_check_ns < again ? x->next_check_ns : again;
}

void xend_stop(struct xend *x)
{
	request_drop_all(x);
	loss_fini(x);
	while (x->domains)
		domain_drop(x, x->domains);
}
