/* SPDX-License-Identifier: MIT */
/*
 * define.c - see define.h.
 */
#include <errno.h>

#include "define.h"
#include "domain_name.h"
#include "domains.h"

/* @name is the one that was wanted; @prog how the user calls this program. */
static int tell_same_name(struct xm *xm, const char *name, const struct record_conflict *c)
{
	if (c->live)
		return xm_fail(xm,
			       "%s: a domain of that name is there already (id %d): choose another "
			       "with name=..., or end it with '%s destroy %s'",
			       name, c->domid, xm->prog, name);
	if (c->persistent)
		return xm_fail(
			xm,
			"%s: there is a stored record of that name: '%s start %s' starts it, "
			"'%s delete %s' removes it",
			name, xm->prog, name, xm->prog, name);
	return xm_fail(xm, "%s: a domain of that name is just starting or ending; try again", name);
}

int define_record(struct xm *xm, const struct record *rec, enum record_mode mode)
{
	struct xs_handle *xs = xm_store(xm);
	struct record_conflict conflict;
	int ret;

	if (!xs)
		return 1;
	ret = record_put(xs, rec, mode, &conflict);
	if (ret == -EEXIST && !conflict.same_name)
		return xm_fail(xm,
			       "%s: uuid %s is %s's already: remove the uuid line, and one is made",
			       rec->name, rec->uuid_text, conflict.name);
	if (ret == -EEXIST)
		return tell_same_name(xm, rec->name, &conflict);
	if (ret == -E2BIG)
		return xm_fail(xm,
			       "%s: a value is too long for the store (4096 bytes with its path)",
			       rec->name);
	return ret ? xm_fail_store(xm, "writing the record", -ret) : 0;
}

int define_name_is_free(struct xm *xm, const char *name)
{
	struct record_conflict conflict = { 0 };
	const char *problem = domain_name_problem(name);
	struct domain dom;

	if (problem)
		return xm_fail(xm, "the name '%.80s' %s", name, problem);
	if (!xm_store(xm))
		return 1;
	if (!domain_read(xm->xs, name, &dom) || (!dom.has_record && dom.domid < 0))
		return 0;
	conflict.live = domain_is_live(&dom);
	conflict.persistent = dom.persistent;
	conflict.domid = dom.domid;
	return tell_same_name(xm, name, &conflict);
}
