/* SPDX-License-Identifier: MIT */
/*
 * ui_read.c - what `xs browse` asks of the store. Only what is on the screen is read, by requests
 * in flight all at once, each once at a time; an answer finds its node by path, since the node may
 * be gone by then.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "die.h"
#include "long_value.h"
#include "store.h"
#include "ui.h"
#include "ui_names.h"
#include "watch_state.h"

/* One request on its way. */
struct job {
	struct ui *u;
	struct ui_names list; /* what came so far */
	char path[];
};

int64_t ui_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static struct job *job_create(struct ui *u, const char *path)
{
	size_t len = strlen(path) + 1;
	struct job *j = calloc(1, sizeof(*j) + len);

	if (!j)
		cli_die(CLI_FAIL, "out of memory");
	j->u = u;
	memcpy(j->path, path, len);
	return j;
}

static void job_free(struct job *j)
{
	ui_names_fini(&j->list);
	free(j);
}

static void submit(struct job *j, unsigned int type, xs_done_fn *done)
{
	int rc = xs_submit_str(store(), type, 0, j->path, done, j);

	if (rc)
		done(j, rc, NULL, 0);
}

/* ---- the tree ---- */

static void on_whole_value(void *arg, int rc, const char *data, size_t len)
{
	struct job *j = arg;
	struct ui_node *n = rc == -ECANCELED ? NULL : model_find(&j->u->model, j->path);

	if (n) {
		n->asked_value = false;
		if (rc == -ENOENT)
			model_remove(&j->u->model, n);
		else if (rc != -ESTALE) /* an event will tell */
			model_set_value(&j->u->model, n, rc ? NULL : data, rc ? 0 : len, rc,
					ui_now_ms());
		pace_want(&j->u->pace);
	}
	job_free(j);
}

static void on_value(void *arg, int rc, const char *data, size_t len)
{
	struct job *j = arg;

	if (rc == 0 && long_is_mark_of(j->path, data, len, NULL))
		long_submit_join(j->path, data, len, on_whole_value, j);
	else
		on_whole_value(j, rc, data, len);
}

static void list_part(struct job *j);

static void on_part(void *arg, int rc, const char *data, size_t len)
{
	struct job *j = arg;
	struct ui_node *n = rc == -ECANCELED ? NULL : model_find(&j->u->model, j->path);
	enum ui_part part = n && rc == 0 ? ui_names_take(&j->list, data, len) : PART_CHANGED;

	if (part == PART_MORE) {
		list_part(j);
		return;
	}
	if (n) {
		n->asked_list = false;
		if (part == PART_LAST)
			model_set_children(&j->u->model, n, j->list.names, j->list.len);
		else
			n->stale_list = rc == 0; /* another directory by now: from the start */
		pace_want(&j->u->pace);
	}
	job_free(j);
}

static void list_part(struct job *j)
{
	char from[24];
	struct iovec iov[2] = { { j->path, strlen(j->path) + 1 } };
	int rc;

	iov[1].iov_len = snprintf(from, sizeof(from), "%zu", j->list.len) + 1;
	iov[1].iov_base = from;
	rc = xs_submit(store(), XS_DIRECTORY_PART, 0, iov, 2, on_part, j);
	if (rc)
		on_part(j, rc, NULL, 0);
}

static void on_list(void *arg, int rc, const char *data, size_t len)
{
	struct job *j = arg;
	struct ui_node *n = rc == -ECANCELED ? NULL : model_find(&j->u->model, j->path);

	if (n && rc == -E2BIG && model_is_open(&j->u->model, n)) {
		list_part(j);
		return;
	}
	if (n) {
		n->asked_list = false;
		if (rc == 0)
			model_set_children(&j->u->model, n, data, len);
		else
			n->has_children = rc == -E2BIG;
		pace_want(&j->u->pace);
	}
	job_free(j);
}

static void read_node(struct ui *u, struct ui_node *n)
{
	char path[UI_PATH_MAX];

	model_path(n, path, sizeof(path));
	if (n->stale_value && !n->asked_value) {
		n->stale_value = false;
		n->asked_value = true;
		submit(job_create(u, path), XS_READ, on_value);
	}
	/* the answer to the first may be that it is gone: the node is looked up again */
	n = model_find(&u->model, path);
	if (n && n->stale_list && !n->asked_list) {
		n->stale_list = false;
		n->asked_list = true;
		submit(job_create(u, path), XS_DIRECTORY, on_list);
	}
}

/* ---- the node under the cursor ---- */

static void on_perms(void *arg, int rc, const char *data, size_t len)
{
	struct job *j = arg;
	struct ui_detail *d = &j->u->detail;

	d->asked -= rc != -ECANCELED;
	if (rc != -ECANCELED && strcmp(d->path, j->path) == 0) {
		free(d->perms);
		d->perms = rc ? NULL : malloc(len + 1);
		d->perms_len = d->perms ? len : 0;
		if (d->perms)
			memcpy(d->perms, data, len + 1);
		pace_want(&j->u->pace);
	}
	job_free(j);
}

static void on_gen(void *arg, int rc, const char *data, size_t len)
{
	struct job *j = arg;
	struct ui_detail *d = &j->u->detail;

	(void)len;
	d->asked -= rc != -ECANCELED;
	if (rc == 0 && strcmp(d->path, j->path) == 0) {
		d->gen = atoll(data);
		pace_want(&j->u->pace);
	}
	job_free(j);
}

static void read_detail(struct ui *u)
{
	struct ui_detail *d = &u->detail;
	char path[UI_PATH_MAX];
	struct iovec iov[2] = { { path, 0 }, { (char *)"0", 2 } };
	struct job *j;

	model_path(u->model.cursor, path, sizeof(path));
	if (strcmp(path, d->path) != 0) {
		strcpy(d->path, path);
		free(d->perms);
		d->perms = NULL;
		d->perms_len = 0;
		d->gen = -1;
		d->stale = true;
	}
	if (!d->stale || d->asked)
		return;
	d->stale = false;
	d->asked = 2;
	submit(job_create(u, path), XS_GET_PERMS, on_perms);
	iov[0].iov_len = strlen(path) + 1;
	j = job_create(u, path);
	if (xs_submit(store(), XS_DIRECTORY_PART, 0, iov, 2, on_gen, j) != 0)
		on_gen(j, -EIO, NULL, 0);
}

/* ---- lines of the log, pins ---- */

static void take_entries(struct ui_log *l, const char *path, int rc, const char *data, size_t len)
{
	for (size_t i = 0; i < l->nr; i++) {
		struct ui_entry *e = log_at(l, i);

		if (!e->asked || strcmp(e->path, path) != 0)
			continue;
		e->asked = false;
		log_set_value(e, rc ? NULL : data, len, rc);
	}
}

/* The answer is of no use: an event will have it asked again. */
static void take_asked(struct ui_log *l, const char *path)
{
	for (size_t i = 0; i < l->nr; i++)
		if (strcmp(log_at(l, i)->path, path) == 0)
			log_at(l, i)->asked = false;
}

static void on_whole_entry(void *arg, int rc, const char *data, size_t len)
{
	struct job *j = arg;

	if (rc == -ESTALE) {
		take_asked(&j->u->log, j->path);
		take_asked(&j->u->pins, j->path);
	} else if (rc != -ECANCELED) {
		take_entries(&j->u->log, j->path, rc, data, len);
		take_entries(&j->u->pins, j->path, rc, data, len);
		pace_want(&j->u->pace);
	}
	job_free(j);
}

static void on_entry(void *arg, int rc, const char *data, size_t len)
{
	struct job *j = arg;

	if (rc == 0 && long_is_mark_of(j->path, data, len, NULL))
		long_submit_join(j->path, data, len, on_whole_entry, j);
	else
		on_whole_entry(j, rc, data, len);
}

/* The newest @nr lines, those that are on the screen. */
static void read_entries(struct ui *u, struct ui_log *l, size_t nr)
{
	for (size_t i = l->nr > nr ? l->nr - nr : 0; i < l->nr; i++) {
		struct ui_entry *e = log_at(l, i);

		if (!e->stale || e->asked || e->path[0] != '/')
			continue;
		e->stale = false;
		e->asked = true;
		submit(job_create(u, e->path), XS_READ, on_entry);
	}
}

static void read_below(struct ui *u, struct ui_node *n)
{
	read_node(u, n);
	for (size_t i = 0; i < n->nr_children; i++)
		read_below(u, n->children[i]);
}

void ui_read(struct ui *u, size_t nr_lines)
{
	model_settle(&u->model);
	if (model_needs_all(&u->model))
		read_below(u, u->model.root);
	model_lines(&u->model);
	for (size_t i = u->top; i < u->top + nr_lines && i < u->model.nr_lines; i++) {
		read_node(u, u->model.line[i]);
		if (u->model.moved)
			break; /* it was removed at once: the lines are no longer true */
	}
	read_detail(u);
	if (u->pane == PANE_EVENTS)
		read_entries(u, &u->log, ui_pane_rows(u));
	if (u->pane == PANE_PINS)
		read_entries(u, &u->pins, ui_pane_rows(u));
}

/* ---- what the store tells ---- */

static int64_t wall_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

void ui_on_event(void *arg, const char *path)
{
	struct ui *u = arg;
	const struct ui_node *known = model_find(&u->model, path);
	struct ui_entry *e;
	char parent[UI_PATH_MAX];

	if (long_is_part(path, NULL))
		return; /* the mark's own event tells */
	model_touch(&u->model, path);
	u->detail.stale = u->detail.stale || strcmp(path, u->detail.path) == 0 ||
			  strcmp(path, u->model.root->name) == 0;
	if (path_is_below(RULES_HOME, path))
		u->rules_known = false;
	pace_want(&u->pace);
	/* the registration's own event, also after a reconnect: everything may have changed */
	if (strcmp(path, u->model.root->name) == 0) {
		u->devices_ms = u->diff_ms = 0;
		u->rules_known = false;
		for (size_t i = 0; i < u->pins.nr; i++)
			log_at(&u->pins, i)->stale = true;
		return;
	}
	u->nr_events++;
	log_add(&u->log, path, wall_ms(), 16);
	e = log_find(&u->log, path);
	if (e->count == 1 && known && known->value)
		log_set_old(e, known->value, known->len);
	/* a pinned node, or something below it */
	for (snprintf(parent, sizeof(parent), "%s", path); u->pins.nr && *parent;
	     *strrchr(parent, '/') = '\0') {
		e = log_find(&u->pins, parent);
		if (e) {
			e->count++;
			e->stale = true;
			e->at_ms = wall_ms();
		}
	}
}

void ui_on_link(void *arg, bool up)
{
	struct ui *u = arg;

	u->link_up = up;
	log_add(&u->log, up ? "the daemon is back" : "the daemon is gone", wall_ms(), 0);
	pace_want(&u->pace);
}
