/* SPDX-License-Identifier: MIT */
/* foreign.c - see foreign.h. */
#include "foreign.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "status.h"
#include "store.h"
#include "vdev.h"
#include "xend.h"

static bool is_ours(struct xend *x, const char *name)
{
	return strcmp(name, "Domain-0") == 0 || domain_find(x, name) ||
	       store_has(x->xs, path_config(name, NULL)) != 0;
}

/*
 * What it is called: by its own name, unless that is one of ours or could not be one, else by its
 * number, with as many more as it takes to be none of ours. Its home is dom0's to write, but who
 * wrote it is not us.
 */
static void name_of(struct xend *x, const struct hv_domain *h, char out[PATH_NAME_MAX])
{
	char *name = store_read(x->xs, path_home(h->domid, "name"));

	if (name && path_name_ok(name) && !is_ours(x, name)) {
		snprintf(out, PATH_NAME_MAX, "%s", name);
	} else {
		snprintf(out, PATH_NAME_MAX, "domain-%u", h->domid);
		for (unsigned int more = 2; is_ours(x, out); more++)
			snprintf(out, PATH_NAME_MAX, "domain-%u-%u", h->domid, more);
	}
	free(name);
}

static bool is_foreign(struct xend *x, const struct hv_domain *h)
{
	return h->domid && !h->dying && !domain_find_id(x, h->domid);
}

bool foreign_is(struct xend *x, const char *name)
{
	return path_name_ok(name) && store_exists(x->xs, path_status(name, "foreign"));
}

static const struct hv_domain *find(const struct hv_domain *list, size_t nr, long domid)
{
	for (size_t i = 0; i < nr; i++)
		if (list[i].domid == domid)
			return &list[i];
	return NULL;
}

/* What is told of one that is gone, has been taken over, or goes by another name now. */
static void forget_old(struct xend *x, const struct hv_domain *list, size_t nr)
{
	struct path root = { PATH_STATUS_ROOT };
	char name[PATH_NAME_MAX], now[PATH_NAME_MAX];
	unsigned int nr_names;
	char **names = store_list(x->xs, root, &nr_names);

	for (unsigned int i = 0; i < nr_names; i++) {
		const struct hv_domain *h;

		if (!path_name_of(names[i], name) || !foreign_is(x, name))
			continue;
		h = find(list, nr, store_read_long(x->xs, path_status(name, "domid")));
		if (h)
			name_of(x, h, now);
		if (domain_find(x, name))
			store_rm(x->xs, path_status(name, "foreign"));
		else if (!h || !is_foreign(x, h) || strcmp(now, name) != 0)
			status_remove(x, name);
	}
	free(names);
}

void foreign_refresh(struct xend *x, const struct hv_domain *list, size_t nr)
{
	char name[PATH_NAME_MAX];
	bool any = false;

	if (x->has_foreign)
		forget_old(x, list, nr);
	for (size_t i = 0; i < nr; i++) {
		if (!is_foreign(x, &list[i]))
			continue;
		any = true;
		name_of(x, &list[i], name);
		status_write_foreign(x, name, &list[i]);
	}
	x->has_foreign = any;
}

/* The name of the one with @domid; false: no such. */
static bool by_number(struct xend *x, long domid, char out[PATH_NAME_MAX])
{
	struct hv_domain h;

	if (domid <= 0 || domid > UINT16_MAX || hv_domain_info(x->hv, (uint16_t)domid, &h) ||
	    !is_foreign(x, &h))
		return false;
	name_of(x, &h, out);
	return true;
}

/* The one called *@name, or with that number: then *@name is @found, what it is called. */
static bool find_one(struct xend *x, const char **name, char found[PATH_NAME_MAX], struct hv_domain *h)
{
	char *end;
	long domid = strtol(*name, &end, 10);

	if (**name && !*end && by_number(x, domid, found))
		*name = found;
	/* A record may have come since it was listed: the name is that one's. */
	if (!foreign_is(x, *name) || is_ours(x, *name))
		return false;
	domid = store_read_long(x->xs, path_status(*name, "domid"));
	return domid > 0 && domid <= UINT16_MAX && !hv_domain_info(x->hv, (uint16_t)domid, h) && is_foreign(x, h);
}

int foreign_ask_shutdown(struct xend *x, const char *name)
{
	char found[PATH_NAME_MAX];
	struct hv_domain h;

	if (!find_one(x, &name, found, &h))
		return -ENOENT;
	return store_write(x->xs, path_home(h.domid, "control/shutdown"), "poweroff");
}

struct domain *foreign_adopt(struct xend *x, const char *name)
{
	char found[PATH_NAME_MAX];
	struct hv_domain h;
	struct domain *d;

	if (!find_one(x, &name, found, &h))
		return NULL;
	d = domain_get(x, name);
	if (!d)
		return NULL;
	d->domid = h.domid;
	memcpy(d->uuid_bytes, h.uuid, sizeof(d->uuid_bytes));
	vdev_uuid_format(h.uuid, d->uuid);
	d->transient = true;
	d->state = STATE_RUNNING;
	store_rm(x->xs, path_status(name, "foreign"));
	/* What xl notes of a domain. */
	store_rm(x->xs, path_libxl(h.domid));
	log_info("%s: domain %u of other tools is taken over, to be ended", name, h.domid);
	return d;
}
