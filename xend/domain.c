/* SPDX-License-Identifier: MIT */
/*
 * domain.c - the list of domains and the moves between states.
 */
#include "domain.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build_pv.h"
#include "restore_pv.h"
#include "save_pv.h"
#include "history.h"
#include "log.h"
#include "status.h"
#include "xend.h"

static const char *const state_names[STATE_NR] = {
	[STATE_DEFINED] = "defined", [STATE_STARTING] = "starting", [STATE_RUNNING] = "running",
	[STATE_PAUSED] = "paused", [STATE_STOPPING] = "stopping", [STATE_SHUTDOWN] = "shutdown",
	[STATE_CRASHED] = "crashed", [STATE_FAILED] = "failed",
};

static const char *const after_names[AFTER_NR] = {
	[AFTER_STOP] = "stop", [AFTER_RESTART] = "restart", [AFTER_CRASH] = "crash",
	[AFTER_FAIL] = "fail", [AFTER_MOVED] = "moved",
};

static int find_word(const char *const *names, int nr, const char *name)
{
	for (int i = 0; name && i < nr; i++) {
		if (!strcmp(names[i], name))
			return i;
	}
	return nr;
}

const char *domain_state_name(enum domain_state state)
{
	return state_names[state];
}

enum domain_state domain_state_parse(const char *name)
{
	return (enum domain_state)find_word(state_names, STATE_NR, name);
}

const char *domain_after_name(enum domain_after after)
{
	return after_names[after];
}

enum domain_after domain_after_parse(const char *name)
{
	return (enum domain_after)find_word(after_names, AFTER_NR, name);
}

struct domain *domain_find(struct xend *x, const char *name)
{
	for (struct domain *d = x->domains; d; d = d->next) {
		if (!strcmp(d->name, name))
			return d;
	}
	return NULL;
}

struct domain *domain_find_id(struct xend *x, int domid)
{
	for (struct domain *d = x->domains; d; d = d->next) {
		if (d->domid == domid)
			return d;
	}
	return NULL;
}

struct domain *domain_get(struct xend *x, const char *name)
{
	struct domain *d = domain_find(x, name), **end;

	if (d)
		return d;
	/* Domain-0 is the host's own: what /status says of it is not a record's. */
	if (!strcmp(name, "Domain-0"))
		return NULL;
	if (!path_name_ok(name)) {
		log_warnx("a record's name is not possible (letters, digits and _.+- are): "
			  "ignored");
		return NULL;
	}
	d = calloc(1, sizeof(*d));
	if (!d)
		return NULL;
	snprintf(d->name, sizeof(d->name), "%s", name);
	d->domid = -1;
	for (end = &x->domains; *end; end = &(*end)->next)
		;
	*end = d;
	return d;
}

bool domain_lost_number(const struct domain *d, const struct hv_domain *list, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (list[i].domid == d->domid)
			return memcmp(list[i].uuid, d->uuid_bytes, sizeof(d->uuid_bytes)) != 0;
	return false;
}

static bool has_uuid(const struct domain *other, const struct domain *d)
{
	return other != d && (other->domid >= 0 || other->walk != WALK_NONE) &&
	       !memcmp(other->uuid_bytes, d->rec.uuid, sizeof(d->rec.uuid));
}

static int uuid_taken(struct domain *d, const char *by)
{
	domain_error(d, "%s has this uuid, too: a record without a uuid gets one of its own", by);
	return -EEXIST;
}

int domain_claim_uuid(struct xend *x, struct domain *d)
{
	struct hv_domain *list;
	size_t nr;
	int err;

	for (const struct domain *other = x->domains; other; other = other->next)
		if (has_uuid(other, d))
			return uuid_taken(d, other->name);
	err = hv_domain_list(x->hv, &list, &nr);
	if (err) {
		domain_error(d, "the hypervisor does not list its domains: %s", strerror(-err));
		return err;
	}
	for (size_t i = 0; i < nr && !err; i++)
		if (!list[i].dying && !memcmp(list[i].uuid, d->rec.uuid, sizeof(d->rec.uuid)))
			err = uuid_taken(d, "a domain of other tools");
	free(list);
	return err;
}

void domain_drop(struct xend *x, struct domain *d)
{
	struct domain **p = &x->domains;

	while (*p != d)
		p = &(*p)->next;
	*p = d->next;
	build_free(d->build);
	restore_free(d->restore);
	save_release(d->saving.file);
	free(d);
}

void domain_error(struct domain *d, const char *fmt, ...)
{
	va_list ap;

	if (d->error[0])
		return;
	va_start(ap, fmt);
	vsnprintf(d->error, sizeof(d->error), fmt, ap);
	va_end(ap);
}

void domain_set_state(struct xend *x, struct domain *d, enum domain_state state, const char *why)
{
	enum domain_state from = d->state;

	d->state = state;
	status_write(x, d);
	domain_tell(x, d, from, why);
}

void domain_tell(struct xend *x, const struct domain *d, enum domain_state from, const char *why)
{
	const char *to = state_names[d->state];

	if (from == d->state)
		return;
	history_add(x, d->name, state_names[from], to, why, d->error);
	if (d->error[0])
		log_info("%s: %s -> %s (%s): %s", d->name, state_names[from], to, why, d->error);
	else
		log_info("%s: %s -> %s (%s)", d->name, state_names[from], to, why);
}
