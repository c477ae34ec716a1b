/* SPDX-License-Identifier: MIT */
/*
 * ui_panes.c - the lower panes that need a reading of their own: devices with both their ends side
 * by side, and what is different from the snapshot. Read while they are shown, at most once a
 * second.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "long_value.h"
#include "meaning.h"
#include "store.h"
#include "text.h"
#include "ui.h"
#include "ui_rules.h"

#define AGAIN_MS 1000
#define DIFF_MAX 2000

void ui_lines_clear(struct ui_lines *l)
{
	for (size_t i = 0; i < l->nr; i++)
		free(l->at[i]);
	free(l->at);
	*l = (struct ui_lines){ 0 };
}

void ui_lines_add(struct ui_lines *l, const char *fmt, ...)
{
	va_list ap;

	if (l->nr == l->max) {
		l->max = l->max ? l->max * 2 : 64;
		l->at = realloc(l->at, l->max * sizeof(*l->at));
	}
	va_start(ap, fmt);
	if (!l->at || vasprintf(&l->at[l->nr++], fmt, ap) < 0)
		cli_die(CLI_FAIL, "out of memory");
	va_end(ap);
}

/* ---- devices ---- */

/* A child's value as text fit for the screen, malloc'd; "" when there is none. */
static char *text_of(const struct xs_node *dir, const char *name)
{
	const struct xs_node *n = dir ? xs_tree_child(dir, name) : NULL;

	return n && n->value ? text_escape(n->value, n->value_len) : strdup("");
}

/* "4 Connected" */
static void state_of(const struct xs_node *dir, char *buf, size_t size)
{
	char *state = text_of(dir, "state"), word[32];
	const char *name = meaning_decode("/local/domain/0/backend/vbd/1/1/state", state,
					  strlen(state), word, sizeof(word));

	snprintf(buf, size, "%.4s%s%s", *state ? state : "-", name ? " " : "", name ? name : "");
	free(state);
}

/* What the pair is for people: the disk's name and image, the card's address. */
static char *what_of(const struct xs_node *back)
{
	static const char *const keys[] = { "dev", "params", "mac", "bridge", "hotplug-status",
					    "hotplug-error" };
	char *all = strdup(""), *more;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		char *text = text_of(back, keys[i]);

		/* "connected" is how it should be: only the other words are news */
		if (!*text || !strcmp(text, "connected")) {
			free(text);
			continue;
		}
		if (asprintf(&more, "%s%s%s", all, *all ? " " : "", text) < 0)
			cli_die(CLI_FAIL, "out of memory");
		free(text);
		free(all);
		all = more;
	}
	return all;
}

static void add_pair(struct ui_lines *l, const char *domid, const char *kind,
		     const struct xs_node *front)
{
	char *backend = text_of(front, "backend"), front_state[32], back_state[32], id[48], *what;
	struct xs_node *back = NULL;

	if (xs_tree_read(store(), 0, backend, 1, XS_TREE_VALUES, &back) != 0)
		back = NULL;
	state_of(front, front_state, sizeof(front_state));
	state_of(back, back_state, sizeof(back_state));
	snprintf(id, sizeof(id), "%s %s", kind, front->parent ? front->name : "0");
	what = back ? what_of(back) : strdup("no backend there");
	ui_lines_add(l, "%4s %-12s %-15s %-15s %s", domid, id, front_state, back_state, what);
	free(what);
	free(backend);
	xs_tree_free(back);
}

/* @home: "/local/domain/N", or "" for the own home of a guest. */
static void add_domain(struct ui_lines *l, const char *home, const char *domid)
{
	char path[128];
	struct xs_node *root;

	snprintf(path, sizeof(path), "%s%sdevice", home, *home ? "/" : "");
	if (xs_tree_read(store(), 0, path, 3, XS_TREE_VALUES | XS_TREE_SORT, &root) == 0) {
		for (struct xs_node *kind = root->children; kind; kind = kind->next)
			for (struct xs_node *d = kind->children; d; d = d->next)
				add_pair(l, domid, kind->name, d);
		xs_tree_free(root);
	}
	snprintf(path, sizeof(path), "%s%sconsole", home, *home ? "/" : "");
	if (xs_tree_read(store(), 0, path, 1, XS_TREE_VALUES, &root) != 0)
		return;
	if (xs_tree_child(root, "backend"))
		add_pair(l, domid, "console", root);
	xs_tree_free(root);
}

static void read_devices(struct ui *u)
{
	struct ui_lines *l = &u->devices;
	struct xs_node *all;
	char home[64];

	ui_lines_clear(l);
	ui_lines_add(l, "%4s %-12s %-15s %-15s %s", "dom", "device", "frontend", "backend", "what");
	if (xs_tree_read(store(), 0, "/local/domain", 1, XS_TREE_SORT, &all) != 0) {
		add_domain(l, "", "here");
	} else {
		for (struct xs_node *d = all->children; d; d = d->next) {
			snprintf(home, sizeof(home), "/local/domain/%.16s", d->name);
			add_domain(l, home, d->name);
		}
		xs_tree_free(all);
	}
	if (l->nr == 1)
		ui_lines_add(l, "     no domain has a device");
}

/* ---- the snapshot ---- */

static struct xs_node *read_all(struct ui *u)
{
	struct xs_node *tree;
	int rc = long_tree_read(0, u->model.root->name, -1,
				XS_TREE_VALUES | XS_TREE_PERMS | XS_TREE_SORT, &tree);

	if (rc)
		ui_say(u, "%s: %s", u->model.root->name, cli_words(rc));
	return rc ? NULL : tree;
}

void ui_snapshot_take(struct ui *u)
{
	struct xs_node *tree = u->link_up ? read_all(u) : NULL;
	size_t nr = 0;

	if (!tree) {
		ui_say(u, "the daemon is gone: no snapshot now");
		return;
	}
	xs_tree_free(u->snapshot);
	u->snapshot = tree;
	u->diff_ms = 0;
	for (const struct xs_node *n = tree; n; n = xs_tree_next(tree, n))
		nr++;
	ui_say(u, "snapshot of %zu nodes; D compares. xs export --all %s >before.json", nr,
	       u->model.root->name);
}

static void add_change(struct ui_lines *l, char sign, const struct xs_node *n,
		       const struct xs_node *before)
{
	char path[UI_PATH_MAX], *value, *old;

	if (l->nr >= DIFF_MAX)
		return;
	xs_tree_path(n, path, sizeof(path));
	value = n->value ? text_escape(n->value, n->value_len) : strdup("");
	old = before && before->value ? text_escape(before->value, before->value_len) : strdup("");
	if (before)
		ui_lines_add(l, "%c %s: %s -> %s", sign, path, old, value);
	else
		ui_lines_add(l, "%c %s%s%s", sign, path, *value ? " = " : "", value);
	free(value);
	free(old);
}

static void add_below(struct ui_lines *l, char sign, const struct xs_node *top)
{
	for (const struct xs_node *n = top; n; n = xs_tree_next(top, n))
		add_change(l, sign, n, NULL);
}

static bool same_bytes(const char *a, size_t a_len, const char *b, size_t b_len)
{
	return a_len == b_len && !a == !b && (!a || memcmp(a, b, a_len) == 0);
}

static void compare(struct ui_lines *l, const struct xs_node *was, const struct xs_node *is)
{
	const struct xs_node *a = was->children, *b = is->children;

	if (!same_bytes(was->value, was->value_len, is->value, is->value_len))
		add_change(l, '~', is, was);
	else if (!same_bytes(was->perms, was->perms_len, is->perms, is->perms_len))
		add_change(l, 'p', is, NULL);
	while (a || b) {
		int c = !a ? 1 : !b ? -1 : strcmp(a->name, b->name);

		if (c < 0) {
			add_below(l, '-', a);
			a = a->next;
		} else if (c > 0) {
			add_below(l, '+', b);
			b = b->next;
		} else {
			compare(l, a, b);
			a = a->next;
			b = b->next;
		}
	}
}

static void read_diff(struct ui *u)
{
	struct xs_node *now;

	ui_lines_clear(&u->diff);
	if (!u->snapshot) {
		ui_lines_add(&u->diff, "there is no snapshot: s takes one");
		return;
	}
	now = read_all(u);
	if (now)
		compare(&u->diff, u->snapshot, now);
	xs_tree_free(now);
	if (!u->diff.nr)
		ui_lines_add(&u->diff, "nothing is different from the snapshot");
}

void ui_panes_refresh(struct ui *u)
{
	int64_t now = ui_now_ms();

	if (!u->link_up)
		return;
	ui_rules_refresh(u);
	if (u->pane == PANE_DEVICES && now - u->devices_ms >= AGAIN_MS) {
		u->devices_ms = now;
		read_devices(u);
	}
	if (u->pane == PANE_DIFF && now - u->diff_ms >= AGAIN_MS) {
		u->diff_ms = now;
		read_diff(u);
	}
}
