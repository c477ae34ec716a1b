/* SPDX-License-Identifier: MIT */
/*
 * request_rename.c - a running domain's name: record, status, history and home move in one
 * transaction, so that nobody ever sees it under none or both. What does not run is only its record
 * and history, which xm moves.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "foreign.h"
#include "request_ops.h"
#include "store.h"
#include "xend.h"

struct move {
	const struct domain *d;
	const char *to;
	const struct request *r;
};

/* Copies a subtree; the values are text here, as all of /config, /status and /history is. */
static void copy_tree(struct txn *tx, const char *from, const char *to)
{
	struct path p;
	unsigned int nr;
	char **names, *value;

	snprintf(p.s, sizeof(p.s), "%s", from);
	value = txn_read(tx, p);
	names = txn_list(tx, p, &nr);
	snprintf(p.s, sizeof(p.s), "%s", to);
	if (value)
		txn_write(tx, p, value);
	for (unsigned int i = 0; i < nr; i++) {
		char below[PATH_LEN_MAX], beside[PATH_LEN_MAX];

		if (snprintf(below, sizeof(below), "%s/%s", from, names[i]) < PATH_LEN_MAX &&
		    snprintf(beside, sizeof(beside), "%s/%s", to, names[i]) < PATH_LEN_MAX)
			copy_tree(tx, below, beside);
		else
			tx->err = -ENAMETOOLONG;
	}
	free(names);
	free(value);
}

static void move_tree(struct txn *tx, struct path from, struct path to)
{
	txn_rm(tx, to);
	copy_tree(tx, from.s, to.s);
	txn_rm(tx, from);
}

static int move_body(struct txn *tx, void *arg)
{
	const struct move *m = arg;
	const char *from = m->d->name;

	move_tree(tx, path_config(from, NULL), path_config(m->to, NULL));
	move_tree(tx, path_status(from, NULL), path_status(m->to, NULL));
	move_tree(tx, path_history(from, NULL), path_history(m->to, NULL));
	if (m->d->domid >= 0) {
		txn_write(tx, path_home((unsigned int)m->d->domid, "name"), m->to);
		txn_write(tx, path_vm(m->d->uuid, "name"), m->to);
	}
	request_note(tx, m->r);
	return 0;
}

int op_rename(struct xend *x, struct request *r)
{
	char *to = store_read(x->xs, path_request(r->id, "args/name"));
	bool done = request_noted(x, r) == 1;
	struct domain *d = done ? NULL : settled_target(x, r);
	struct move m = { d, to, r };
	const char *problem = domain_name_problem(to ? to : "");
	int err = 0;

	if (done) {
		free(to);
		return 0;
	}
	if (!d)
		err = -ESRCH;
	else if (problem)
		err = refuse(r, -EINVAL, "the name '%.80s' %s", to ? to : "", problem);
	else if (domain_find(x, to) || store_has(x->xs, path_config(to, NULL)) != 0 ||
		 foreign_is(x, to))
		err = refuse(r, -EEXIST, "there is a domain %.64s already", to);
	else if (d->walk != WALK_NONE)
		err = refuse(r, -EBUSY, "%s is %s", d->name, domain_state_name(d->state));
	else
		err = store_transact(x->xs, move_body, &m);
	if (!err) {
		strcpy(d->name, to);
		strcpy(d->rec.name, to);
		d->dirty = true;
	} else if (!r->error[0]) {
		refuse(r, err, "the store refuses: %s", strerror(-err));
	}
	free(to);
	return err;
}
