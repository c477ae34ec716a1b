/* SPDX-License-Identifier: MIT */
/* confine.c - what a confined connection of domain 0 may still do: see confine.h. */
#include "confine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conn.h"
#include "perms.h"

struct rule {
	bool write;	/* this very node may be written; else it and all below may be read */
	size_t len;
	char *path;	/* canonical */
};

struct confine {
	unsigned int nr;
	struct rule rule[];
};

void confine_free(struct confine *f)
{
	for (unsigned int i = 0; f && i < f->nr; i++)
		free(f->rule[i].path);
	free(f);
}

static int parse(struct rule *rule, const char *text)
{
	struct xs_path path XS_NOT_CLEARED;

	/* Absolute only: a rule says what it means without knowing whose connection it is. */
	if ((text[0] != 'r' && text[0] != 'w') || text[1] != '/' ||
	    xs_path_canonical(text + 1, strlen(text + 1), 0, 0, &path) < 0)
		return -EINVAL;
	rule->write = text[0] == 'w';
	rule->len = path.len;
	rule->path = strndup(path.text, path.len);
	return rule->path ? 0 : -ENOMEM;
}

int confine_conn(struct conn *c, const char *const *rules, unsigned int nr)
{
	struct confine *f;
	int ret = 0;

	/* A watch, a transaction or a stream begun with all rights would go on having them. */
	if (c->domain || !c->privileged || c->confine || c->nr_requests > 0)
		return -EINVAL;
	f = calloc(1, sizeof(*f) + nr * sizeof(f->rule[0]));
	if (!f)
		return -ENOMEM;
	while (ret == 0 && f->nr < nr) {
		ret = parse(&f->rule[f->nr], rules[f->nr]);
		f->nr++;
	}
	if (ret < 0)
		confine_free(f);
	else
		c->confine = f;
	return ret;
}

/* What one rule gives of a path: ACCESS_*. */
static unsigned int given(const struct rule *rule, const struct xs_path *path)
{
	if (rule->write)
		return path->len == rule->len && memcmp(path->text, rule->path, rule->len) == 0 ?
			       ACCESS_READ | ACCESS_WRITE :
			       0;
	return xs_path_is_within(path->text, path->len, rule->path, rule->len) ? ACCESS_READ : 0;
}

bool confine_allows(const struct conn *c, const struct xs_path *path, unsigned int need)
{
	const struct confine *f = c->confine;

	need |= ACCESS_READ;
	for (unsigned int i = 0; f && i < f->nr; i++) {
		if ((given(&f->rule[i], path) & need) == need)
			return true;
	}
	return !f;
}

int confine_watch(const struct conn *c, const struct xs_path *path)
{
	const struct confine *f = c->confine;

	if (f && c->nr_watches >= CONFINE_WATCHES)
		return -ENOSPC;
	for (unsigned int i = 0; f && i < f->nr; i++) {
		if (!f->rule[i].write && given(&f->rule[i], path))
			return 0;
	}
	return f ? -EACCES : 0;
}

int confine_txn(const struct conn *c)
{
	return c->confine && c->nr_txns >= CONFINE_TXNS ? -ENOSPC : 0;
}

int confine_txn_nodes(const struct conn *c, unsigned int nr)
{
	return c->confine && nr > CONFINE_TXN_NODES ? -ENOSPC : 0;
}
