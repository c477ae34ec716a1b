/* SPDX-License-Identifier: MIT */
/*
 * cmd_wait.c - `xs wait`: until nodes have values, exist, or are gone.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmds.h"
#include "die.h"
#include "glob.h"
#include "long_value.h"
#include "store.h"

struct waiting {
	char *path;	/* of a pattern what is before its first asterisk */
	char *pattern;	/* NULL: it is a path */
	const char *value; /* NULL: any */
	bool gone, other;  /* it is not there; it has another value */
	bool met;  /* as was heard of it last: a reason to look */
	bool seen; /* at_once() has found it so */
	bool unsure; /* only at_once() can say: a pattern; a long value, which is read as a whole */
	int rc;
};

struct conditions {
	struct waiting *w;
	int nr;
};

static bool holds(const struct waiting *w, int rc, const char *data, size_t len)
{
	bool same = rc == 0 && w->value && strlen(w->value) == len &&
		    memcmp(w->value, data, len) == 0;

	if (w->gone)
		return rc == -ENOENT;
	return rc == 0 && (!w->value || same != w->other);
}

static void got(void *arg, int rc, const char *data, size_t len)
{
	struct waiting *w = arg;

	w->unsure = rc == 0 && w->value && long_is_mark_of(w->path, data, len, NULL);
	if (rc && rc != -ENOENT)
		w->rc = rc;
	else
		w->met = w->unsure || holds(w, rc, data, len);
}

static void on_event(void *arg, const char *path)
{
	struct waiting *w = arg;

	(void)path;
	if (w->pattern)
		w->met = true;
	else
		xs_submit_str(store(), XS_READ, 0, w->path, got, w);
}

static void on_registered(void *arg, int rc, const char *data, size_t len)
{
	(void)data;
	(void)len;
	((struct waiting *)arg)->rc = rc;
}

static void parse(char *typed, struct waiting *w)
{
	char *equal = strchr(typed, '=');
	size_t len = strlen(typed);

	if (equal) {
		w->value = equal + 1;
		w->other = equal > typed && equal[-1] == '!';
		equal[w->other ? -1 : 0] = '\0';
	} else if (len > 1 && typed[len - 1] == '!') {
		typed[len - 1] = '\0';
		w->gone = true;
	}
	w->path = store_path(typed);
	if (glob_is_pattern(w->path)) {
		w->pattern = must(strdup(w->path));
		w->path[glob_base_len(w->path)] = '\0';
		if (!*w->path)
			strcpy(w->path, "/");
		w->unsure = true;
	}
}

/* Whether a node is so that the pattern names; or, where it shall be gone, whether there is none. */
static int look_at_all(struct waiting *w, uint32_t tx)
{
	char path[XENSTORE_ABS_PATH_MAX + 1];
	struct xs_node *root;
	bool found = false;
	int rc = long_tree_read(tx, w->path, -1, XS_TREE_VALUES, &root);

	for (struct xs_node *n = rc ? NULL : root; n; n = xs_tree_next(root, n)) {
		xs_tree_path(n, path, sizeof(path));
		if (!glob_match(w->pattern, path))
			continue;
		found = found || w->gone ||
			holds(w, n->value_rc, n->value ? n->value : "", n->value_len);
	}
	if (!rc)
		xs_tree_free(root);
	w->seen = found != w->gone;
	return rc == -ENOENT ? 0 : rc;
}

/* Each was so at some moment; whether all are at one. 1: they are; 0; -errno. */
static int at_once(void *arg, struct xs_client *c, uint32_t tx)
{
	struct conditions *all = arg;

	for (int i = 0; i < all->nr; i++) {
		struct waiting *w = &all->w[i];
		size_t len = 0;
		char *data = NULL;
		int rc;

		(void)c;
		if (w->pattern) {
			rc = look_at_all(w, tx);
		} else {
			data = store_read(tx, w->path, &len, &rc);
			w->seen = holds(w, rc, data, len);
		}
		free(data);
		if (rc && rc != -ENOENT)
			return rc;
		w->met = w->seen;
	}
	return 0;
}

static const char *name_of(const struct waiting *w)
{
	return w->pattern ? w->pattern : w->path;
}

/* The first one that does not hold, or NULL. */
static struct waiting *unmet(const struct conditions *all)
{
	for (int i = 0; i < all->nr; i++)
		if (!all->w[i].met)
			return &all->w[i];
	return NULL;
}

/* Ends the program when one can never be told. */
static bool all_met(struct conditions *all)
{
	bool look = all->nr > 1;
	int rc = 0;

	for (int i = 0; i < all->nr; i++) {
		look = look || all->w[i].unsure;
		if (all->w[i].rc)
			store_failed(all->w[i].path, all->w[i].rc);
	}
	if (unmet(all))
		return false;
	if (!look)
		return true;
	rc = xs_transact(store(), at_once, all, XS_TRIES, NULL);
	if (rc && rc != -EAGAIN)
		store_failed("commit", rc);
	/* What was heard meanwhile is not what was seen: another look. */
	for (int i = 0; rc && i < all->nr; i++)
		all->w[i].met = true;
	/* Nor what is heard behind its end, which may be a reason to look but says nothing. */
	for (int i = 0; i < all->nr; i++)
		if (!all->w[i].seen)
			return false;
	return !rc;
}

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000L + ts.tv_nsec / 1000000;
}

static int run_wait(struct cli_args *a)
{
	long timeout = cli_ms(a, "timeout", -1), deadline = now_ms() + timeout;
	struct conditions all = { must(calloc((size_t)a->argc, sizeof(*all.w))), a->argc };
	int rc = 0;

	xs_client_set_patience(store(), -1);
	for (int i = 0; i < all.nr && !rc; i++) {
		parse(a->argv[i], &all.w[i]);
		rc = xs_client_watch(store(), all.w[i].path, all.w[i].pattern ? -1 : 0, on_event,
				     &all.w[i], on_registered, NULL);
	}
	/* No time to hear anything: what is so now is looked at. */
	for (int i = 0; timeout == 0 && i < all.nr; i++)
		all.w[i].met = all.w[i].unsure = true;
	while (!rc && !all_met(&all)) {
		long left = timeout < 0 ? -1 : deadline - now_ms();
		const struct waiting *w = unmet(&all);

		if (timeout >= 0 && left <= 0)
			cli_die(CLI_TIMEOUT, "%s: not so within the time",
				name_of(w ? w : &all.w[0]));
		rc = xs_client_run(store(), w ? left : 0);
	}
	if (rc)
		store_failed(all.w[0].path, rc);
	store_hang_up();
	for (int i = 0; i < all.nr; i++) {
		free(all.w[i].path);
		free(all.w[i].pattern);
	}
	free(all.w);
	return CLI_OK;
}

static const struct cli_opt opts[] = {
	{ 't', "timeout", "TIME", "give up after TIME (200ms, 5s, 2m) with status 124" },
	{ 0 },
};

const struct cli_cmd cmd_wait = {
	.name = "wait",
	.args = "CONDITION...",
	.help = "waits until nodes have values, are gone, or exist",
	.more =
		"A condition is PATH=VALUE, PATH!=VALUE (it is there and has another value), PATH!\n"
		"(it is gone), or PATH (it is there). Several have to hold at the same time. Of a\n"
		"PATH with asterisks, quoted for the shell, one node is enough that is so; with !\n"
		"none may be left.",
	.opts = opts,
	.min_args = 1,
	.max_args = -1,
	.example = "xs wait -t 30s /status/domain/web/state=running\n"
		   "xs wait '/status/domain/*/state=crashed'",
	.says = CLI_SAYS_NOTHING,
	.run = run_wait,
};
