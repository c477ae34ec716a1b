/* SPDX-License-Identifier: MIT */
/* plan_apply.c - carries a plan out, in a transaction. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kind.h"
#include "long_value.h"
#include "plan.h"
#include "store.h"

/* So many changes are sent without waiting for the others. */
#define AT_ONCE 1024u

struct act {
	const char *path;
	int rc;
};

static void acted(void *arg, int rc, const char *data, size_t len)
{
	(void)data;
	(void)len;
	((struct act *)arg)->rc = rc;
}

/* What a node is when it is made needs no word if it is text, or an object for its children. */
static bool says_kind(const struct change *c)
{
	if (!c->want || c->want->kind == WANT_ANY_KIND || !kind_known())
		return false;
	if (c->kind == CHANGE_ADD)
		return !plan_same_kind(c->want, XS_KIND_TEXT);
	return c->kind == CHANGE_SET && !plan_same_kind(c->want, c->old_kind);
}

static int submit_change(uint32_t tx, const struct change *c, struct act *a)
{
	const struct want *w = c->want;
	int rc = 0;

	a->path = c->path;
	if (c->kind == CHANGE_REMOVE)
		return xs_submit_str(store(), XS_RM, tx, c->path, acted, a);
	if (c->kind == CHANGE_PERMS)
		return long_submit_perms(tx, c->path, w->value ?
					 long_nr_parts(c->path, w->value, w->len) : c->old_parts,
					 w->perms, w->perms_len, acted, a);
	if (w->value && c->kind == CHANGE_SET)
		rc = long_drop_parts(tx, c->path, long_nr_parts(c->path, w->value, w->len));
	if (rc)
		return rc;
	if (w->value)
		return long_submit_write(tx, c->path, w->value, w->len, NULL, 0, acted, a);
	return xs_submit_str(store(), XS_MKDIR, tx, c->path, acted, a);
}

/* The change, then what the value is in JSON. @a: room for two. */
static int submit_both(uint32_t tx, const struct change *c, struct act *a)
{
	int rc = change_is_of_kind(c) ? 0 : submit_change(tx, c, a);

	if (rc || !says_kind(c))
		return rc;
	a[1].path = c->path;
	return kind_submit(tx, c->path, (enum xs_kind)c->want->kind, acted, &a[1]);
}

int plan_apply(const struct plan *p, uint32_t tx, char **failed)
{
	struct act *acts = calloc(2 * p->nr + 1, sizeof(*acts));
	int rc = acts ? 0 : -ENOMEM;

	for (size_t i = 0; i < p->nr && !rc; i++) {
		rc = submit_both(tx, &p->v[i], acts + 2 * i);
		/* the daemon begins while the rest is being put together */
		if (!rc && i % AT_ONCE == AT_ONCE - 1)
			rc = xs_client_run(store(), 0);
	}
	xs_client_wait(store());
	for (size_t i = 0; i < 2 * p->nr && !rc; i++)
		if (acts[i].rc) {
			rc = acts[i].rc;
			*failed = strdup(acts[i].path);
		}
	free(acts);
	return rc;
}
