/* SPDX-License-Identifier: MIT */
/* watch_reread.c - see watch_reread.h. */
#include "watch_reread.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "long_value.h"
#include "store.h"
#include "watch_report.h"
#include "watch_session.h"

struct reread {
	struct session *s;
	char *value, *perms; /* NULL: not told */
	size_t len, perms_len;
	int rc, perms_rc;
	char path[];
};

void watch_report_gone(void *arg, struct seen *seen)
{
	struct session *s = arg;
	struct news n = news_of("del", seen->path, seen);

	watch_report(s, &n);
	seen_remove(&s->map, seen);
}

static void report_gone_path(const struct reread *r)
{
	struct news n = news_of("del", r->path, NULL);
	bool fresh = !seen_find(&r->s->map, r->path);

	seen_below(&r->s->map, r->path, watch_report_gone, r->s);
	/* removed before we ever saw it: still worth a line, unless all we knew is gone */
	if (fresh && r->rc == -ENOENT)
		watch_report(r->s, &n);
}

static void report_put(const struct reread *r)
{
	bool fresh, perms_only;
	struct seen *seen = seen_put(&r->s->map, r->path, &fresh);
	struct news n;

	perms_only = !fresh && bytes_same(seen->value, seen->len, r->value, r->len) &&
		     !r->perms_rc &&
		     !bytes_same(seen->perms, seen->perms_len, r->perms, r->perms_len);
	n = news_of(perms_only ? "perms" : "put", r->path, fresh ? NULL : seen);
	n.value = r->value;
	n.len = r->len;
	n.perms = perms_only ? r->perms : NULL;
	n.perms_len = r->perms_len;
	watch_report(r->s, &n);
	seen_set(seen, r->value, r->len, r->perms, r->perms_len);
}

static void finish(struct reread *r)
{
	if (r->rc == -ENOENT || r->perms_rc == -ENOENT)
		report_gone_path(r);
	else if (r->rc != -ESTALE) /* else another event is on its way */
		report_put(r);
	free(r->value);
	free(r->perms);
	free(r);
}

static char *copy(const char *data, size_t len)
{
	char *c = must(malloc(len + 1));

	memcpy(c, data, len);
	c[len] = '\0';
	return c;
}

static void got_value(void *arg, int rc, const char *data, size_t len)
{
	struct reread *r = arg;

	free(r->value);
	r->value = rc ? NULL : copy(data, len);
	r->len = rc ? 0 : len;
	r->rc = rc;
}

static void got_whole(void *arg, int rc, const char *data, size_t len)
{
	got_value(arg, rc, data, len);
	finish(arg);
}

static void got_perms(void *arg, int rc, const char *data, size_t len)
{
	struct reread *r = arg;
	char *mark = r->value;

	r->perms_rc = rc;
	r->perms = rc ? NULL : copy(data, len);
	r->perms_len = rc ? 0 : len;
	if (!mark || !long_is_mark_of(r->path, mark, r->len, NULL)) {
		finish(r);
		return;
	}
	r->value = NULL;
	long_submit_join(r->path, mark, r->len, got_whole, r);
	free(mark);
}

void watch_reread(struct session *s, const char *path)
{
	size_t len = strlen(path) + 1;
	struct reread *r = must(calloc(1, sizeof(*r) + len));

	r->s = s;
	memcpy(r->path, path, len);
	/* answers come in this order; the second finds what the first left in r */
	if (xs_submit_str(store(), XS_READ, 0, path, got_value, r) != 0 ||
	    xs_submit_str(store(), XS_GET_PERMS, 0, path, got_perms, r) != 0)
		cli_die(CLI_FAIL, "%s: cannot be read again", path);
}
