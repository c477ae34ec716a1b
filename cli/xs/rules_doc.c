/* SPDX-License-Identifier: MIT */
/*
 * rules_doc.c - a document that has been written, and what schemas of one's own (rules.h) say of
 * it.
 */
#include <errno.h>
#include <stdio.h>

#include "die.h"
#include "doc.h"
#include "kind.h"
#include "plan.h"
#include "rules_whole.h"

static struct rule_value value_of_want(const struct want *w)
{
	/* a node that is only named has children */
	if (!w->value)
		return (struct rule_value){ "", 0, w->kind == XS_KIND_LIST ? w->kind :
					    XS_KIND_OBJECT };
	return (struct rule_value){ w->value, w->len, w->kind == WANT_ANY_KIND || w->unsaid ? RULE_ANY_KIND :
				    w->kind };
}

/* @w is what says so; NULL: nothing in @d does. */
static void told(const struct doc *d, const struct want *w, const char *path, const char *why)
{
	if (w && w->line)
		cli_warn("%s:%d:%d: %s: %s", d->name, w->line, w->column, path, why);
	else
		cli_warn("%s: %s: %s", d->name, path, why);
}

static void check_values(struct rules *r, const struct doc *d, unsigned int *nr)
{
	char why[RULES_WHY_LEN];

	for (size_t i = 0; i < d->nr; i++) {
		const struct want *w = &d->wants[i];
		const struct rule_value v = value_of_want(w);

		if (w->gone || rules_allow(r, w->path, &v, why))
			continue;
		++*nr;
		told(d, w, w->path, why);
	}
}

/*
 * What no want says is missing where it would be: the object is shown, or else what was changed in
 * it.
 */
static int check_whole(struct rules *r, uint32_t tx, const struct doc *d, const struct plan *p, unsigned int *nr)
{
	const struct rules_sight s = { .tx = tx };
	struct rules_missing m;

	for (size_t i = 0; i < p->nr; i++) {
		const struct want *w;
		int rc = rules_whole(r, &s, p->v[i].path, i ? p->v[i - 1].path : NULL, &m);

		if (!rc)
			continue;
		if (rc != -EINVAL)
			return rc;
		++*nr;
		w = doc_find(d, m.at);
		told(d, w && w->line ? w : p->v[i].want, m.at, m.why);
	}
	return 0;
}

int rules_check_doc(uint32_t tx, const struct doc *d, const struct plan *p, unsigned int *nr)
{
	struct rules r;
	int rc = rules_read(&r, tx);

	*nr = 0;
	if (r.nr)
		check_values(&r, d, nr);
	/* what is misspelt is missing, too: that is told once */
	if (!rc && r.nr && !*nr)
		rc = check_whole(&r, tx, d, p, nr);
	rules_free(&r);
	return *nr ? -EINVAL : rc;
}
