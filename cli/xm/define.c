/* SPDX-License-Identifier: MIT */
/*
 * define.c - see define.h.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "define.h"
#include "domain_name.h"
#include "domains.h"
#include "record_store.h"

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

/* Whether both are one path, or names of one block device. */
static bool same_place(const char *a, const char *b)
{
	struct stat st_a, st_b;

	if (strcmp(a, b) == 0)
		return true;
	return stat(a, &st_a) == 0 && stat(b, &st_b) == 0 && S_ISBLK(st_a.st_mode) &&
	       S_ISBLK(st_b.st_mode) && st_a.st_rdev == st_b.st_rdev;
}

int define_disk_is_free(struct xm *xm, const char *path)
{
	struct xs_handle *xs = xm_store(xm);
	struct domains all;
	struct record rec;
	int ret = xs ? domains_load(xs, &all) : 1;

	if (ret)
		return xs ? xm_fail_store(xm, "reading the records", -ret) : 1;
	for (size_t i = 0; !ret && i < all.nr; i++) {
		if (!all.at[i].has_record || record_get(xs, all.at[i].name, &rec))
			continue;
		for (size_t j = 0; !ret && j < (size_t)rec.nr_disks; j++)
			if (vdev_is_path(rec.disk[j].backend) && same_place(rec.disk[j].path, path))
				ret = xm_fail(xm, "%s is %s's already: detach it there, or name another volume",
					      path, all.at[i].name);
	}
	domains_fini(&all);
	return ret;
}
