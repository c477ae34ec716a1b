/* SPDX-License-Identifier: MIT */
/* rules.c - see rules.h. */
#include "rules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "doc.h"
#include "kind.h"
#include "lifetime.h"
#include "long_value.h"
#include "watch_state.h"

/* ---- in the store ---- */

static void take(struct rules *r, const struct xs_node *n)
{
	const struct xs_node *at = n->children;

	while (at && strcmp(at->name, "at") != 0)
		at = at->next;
	/* without a place it is about nothing */
	if (!n->value || !at || !at->value || !*at->value)
		return;
	if (r->nr == r->max) {
		r->max = r->max ? r->max * 2 : 8;
		r->v = must(realloc(r->v, r->max * sizeof(*r->v)));
	}
	r->v[r->nr] = (struct rules_one){ .name = must(strdup(n->name)), .at = must(strdup(at->value)),
					  .text = must(malloc(n->value_len + 1)), .len = n->value_len };
	memcpy(r->v[r->nr].text, n->value, n->value_len);
	r->v[r->nr++].text[n->value_len] = '\0';
}

int rules_read(struct rules *r, uint32_t tx)
{
	struct xs_node *root;
	int rc = long_tree_read(tx, RULES_HOME, 2, XS_TREE_VALUES | XS_TREE_SORT, &root);

	*r = (struct rules){ 0 };
	if (rc == -ENOENT || rc == -EACCES) /* a guest, or somebody who may not look */
		return 0;
	if (rc)
		return rc;
	for (const struct xs_node *n = root->children; n; n = n->next)
		take(r, n);
	xs_tree_free(root);
	return 0;
}

void rules_free(struct rules *r)
{
	for (size_t i = 0; i < r->nr; i++) {
		free(r->v[i].name);
		free(r->v[i].at);
		free(r->v[i].text);
		rule_free(r->v[i].rule);
	}
	free(r->v);
	*r = (struct rules){ 0 };
}

const struct rule *rules_rule(struct rules_one *one)
{
	char name[XENSTORE_ABS_PATH_MAX + 1];
	struct doc d = { .name = name, .quiet = one->quiet };

	snprintf(name, sizeof(name), RULES_HOME "/%s", one->name);
	if (!one->rule && !one->broken)
		one->rule = rule_read(&d, one->text, one->len);
	one->broken = !one->rule;
	return one->rule;
}

/* ---- asking them ---- */

const char *rules_tail(const char *at, const char *path)
{
	if (strcmp(at, "/") == 0)
		return strcmp(path, "/") == 0 ? "" : path;
	while (*at) {
		size_t n = strcspn(++at, "/"), len;

		if (*path++ != '/')
			return NULL;
		len = strcspn(path, "/");
		if (!len || (!(n == 1 && *at == '*') && (n != len || memcmp(at, path, n) != 0)))
			return NULL;
		at += n;
		path += len;
	}
	return path;
}

struct lasting {
	bool says, lasts;
};

static void ask_lasting(void *arg, const struct rule *at, bool needed)
{
	struct lasting *l = arg;

	(void)needed;
	if (at->says_lasts)
		*l = (struct lasting){ true, at->lasts };
}

/* Whether the daemon keeps @path as the rule wants it, or does not tell. */
static bool lasts_as_wanted(const struct rule *rule, const char *tail, const char *path,
			    struct rule_fault *fault)
{
	struct lasting l = { false, false };
	int lasts;

	rule_each(rule, tail, ask_lasting, &l);
	lasts = l.says ? lifetime_told(path) : -1;
	if (lasts < 0 || lasts == l.lasts)
		return true;
	fault->keyword = "x-lasts";
	snprintf(fault->text, sizeof(fault->text), l.lasts ?
		 "is not kept over a boot of the host, and shall be: see xenstored --persist" :
		 "is kept over a boot of the host, and shall not be: see xenstored --volatile");
	return false;
}

/* Whether any of them has the value of @path a secret, whichever does not allow it. */
static bool is_secret(struct rules *r, const char *path)
{
	for (size_t i = 0; i < r->nr; i++) {
		const char *tail = rules_tail(r->v[i].at, path);
		const struct rule *rule = tail ? rules_rule(&r->v[i]) : NULL;

		if (rule && rule_is_secret(rule, tail))
			return true;
	}
	return false;
}

static bool one_allows(struct rules *r, struct rules_one *one, const char *path,
		       const struct rule_value *v, char why[RULES_WHY_LEN])
{
	const char *tail = rules_tail(one->at, path);
	const struct rule *rule;
	struct rule_fault fault;
	bool allowed;

	if (!tail)
		return true;
	rule = rules_rule(one);
	allowed = rule && rule_allows(rule, tail, v, &fault);
	if (rule && !allowed && is_secret(r, path))
		rule_allows_untold(rule, tail, v, &fault);
	if (!rule)
		snprintf(why, RULES_WHY_LEN, "nobody can say whether this is possible: schema %.100s "
			 "is none (xs schema rm, or add it again)", one->name);
	else if (!allowed || !lasts_as_wanted(rule, tail, path, &fault))
		snprintf(why, RULES_WHY_LEN, "%s (%s of schema %.100s)", fault.text, fault.keyword,
			 one->name);
	else
		return true;
	return false;
}

bool rules_allow(struct rules *r, const char *path, const struct rule_value *v,
		 char why[RULES_WHY_LEN])
{
	/* what holds them is not held by them: else a wrong one could not be mended */
	if (path_is_below(RULES_HOME, path))
		return true;
	for (size_t i = 0; i < r->nr; i++)
		if (!one_allows(r, &r->v[i], path, v, why))
			return false;
	return true;
}

struct rule_value rules_value_of(const struct xs_node *n)
{
	struct rule_value v = { n->value ? n->value : "", n->value ? n->value_len : 0,
				RULE_ANY_KIND };

	if (n->kind != XS_KIND_TEXT && kind_fits((enum xs_kind)n->kind, v.bytes, v.len))
		v.kind = n->kind;
	else if (n->children && !v.len)
		v.kind = XS_KIND_OBJECT;
	return v;
}
