/* SPDX-License-Identifier: MIT */
/* rollback.c - see rollback.h. */
#include "rollback.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xs.h>
#include <xs_past_reader.h>

#include "die.h"
#include "json_out.h"
#include "kind.h"
#include "long_value.h"
#include "store.h"

void rollback_fini(struct rollback *r)
{
	for (size_t i = 0; i < r->nr; i++) {
		free(r->v[i].path);
		free(r->v[i].value);
		free(r->v[i].perms);
	}
	free(r->v);
	r->v = NULL;
	r->nr = 0;
}

static char *copy(const char *data, size_t len)
{
	char *out = must(malloc(len + 1));

	memcpy(out, data, len);
	out[len] = '\0';
	return out;
}

static int take_step(void *arg, const struct xs_past_view *v)
{
	struct rollback *r = arg;

	if (v->rec.kind == XS_PAST_LIMIT)
		return -ESTALE;
	if (v->rec.kind != XS_PAST_NODE && v->rec.kind != XS_PAST_GONE)
		return -EPROTO;
	r->v = must(realloc(r->v, (r->nr + 1) * sizeof(*r->v)));
	r->v[r->nr++] = (struct rollback_step){
		.gone = v->rec.kind == XS_PAST_GONE, .kind = v->rec.mark,
		.path = copy(v->path, v->rec.path_len),
		.value = copy(v->value, v->rec.value_len), .value_len = v->rec.value_len,
		.perms = copy(v->perms, v->rec.perms_len), .perms_len = v->rec.perms_len,
	};
	return 0;
}

static void kind_set(void *arg, int rc, const char *data, size_t len)
{
	(void)data;
	(void)len;
	*(int *)arg = rc;
}

static int do_step(struct xs_client *c, uint32_t tx, const struct rollback_step *s)
{
	const struct iovec perms[] = {
		{ s->path, strlen(s->path) + 1 }, { s->perms, s->perms_len },
	};
	int rc, kind_rc = 0;

	if (s->gone)
		return xs_sync_str(c, XS_RM, tx, s->path, NULL, NULL);
	rc = xs_sync_write(c, tx, s->path, s->value, s->value_len);
	if (!rc && kind_known())
		rc = kind_submit(tx, s->path, (enum xs_kind)s->kind, kind_set, &kind_rc);
	xs_client_wait(c);
	if (!rc)
		rc = kind_rc;
	return rc ? rc : xs_sync(c, XS_SET_PERMS, tx, perms, 2, NULL, NULL);
}

int rollback_ask(struct rollback *r)
{
	char number[24];
	const char *words[] = { "diff", number, r->path };

	snprintf(number, sizeof(number), "%" PRIu64, r->rev);
	rollback_fini(r);
	r->failed = r->path;
	return xs_past_ask(store(), words, 3, take_step, r);
}

static int check_value(struct rollback *r, uint32_t tx, struct rules *rules, const struct rollback_step *s)
{
	struct rule_value v = { .kind = RULE_ANY_KIND };
	char *value;
	int rc;

	if (s->gone || long_is_part(s->path, NULL))
		return 0;
	r->failed = s->path;
	value = long_read(tx, s->path, &v.len, &rc);
	if (rc)
		return rc;
	v.bytes = value;
	if (s->kind != XS_KIND_TEXT && kind_fits((enum xs_kind)s->kind, value, v.len))
		v.kind = s->kind;
	rc = rules_allow(rules, s->path, &v, r->why) ? 0 : -EINVAL;
	free(value);
	return rc;
}

static int check_whole(struct rollback *r, struct rules *rules, const struct rules_sight *sight, size_t i)
{
	struct rules_missing m;
	int rc = rules_whole(rules, sight, r->v[i].path, i ? r->v[i - 1].path : NULL, &m);

	if (rc != -EINVAL)
		return rc;
	snprintf(r->at, sizeof(r->at), "%s", m.at);
	snprintf(r->why, sizeof(r->why), "%s", m.why);
	r->failed = r->at;
	return rc;
}

/* All has been written: what is read is what there will be, the schemas included. */
static int check_rules(struct rollback *r, uint32_t tx)
{
	const struct rules_sight sight = { .tx = tx };
	struct rules rules;
	int rc = rules_read(&rules, tx);

	for (size_t i = 0; i < r->nr && rules.nr && !rc; i++)
		rc = check_value(r, tx, &rules, &r->v[i]);
	for (size_t i = 0; i < r->nr && rules.nr && !rc; i++)
		rc = check_whole(r, &rules, &sight, i);
	rules_free(&rules);
	return rc;
}

/* What has to change is asked anew each time: somebody else may have changed something. */
static int roll_back(void *arg, struct xs_client *c, uint32_t tx)
{
	struct rollback *r = arg;
	int rc = rollback_ask(r);

	for (size_t i = 0; i < r->nr && !rc; i++) {
		r->failed = r->v[i].path;
		rc = do_step(c, tx, &r->v[i]);
	}
	return rc ? rc : check_rules(r, tx);
}

int rollback_run(struct rollback *r)
{
	return xs_transact(store(), roll_back, r, XS_TRIES, NULL);
}

json_t *rollback_json(const struct rollback *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->nr; i++) {
		const struct rollback_step *s = &r->v[i];

		json_array_append_new(list, json_pack("{s:s, s:o}", "path", s->path, "value",
			s->gone ? json_null() : json_value(s->value, s->value_len)));
	}
	return list;
}
