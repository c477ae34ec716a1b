/* SPDX-License-Identifier: MIT */
/*
 * ui_edit.c - changes made in `xs browse -w`. Each is one transaction, by callbacks, that first
 * looks whether the store still holds what was on the screen: the value, the permissions, and the
 * generation, which tells also of a value that changed and changed back, and of children. If not,
 * nothing is changed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "long_value.h"
#include "meaning.h"
#include "name.h"
#include "store.h"
#include "text.h"
#include "ui.h"
#include "ui_names.h"
#include "ui_outside.h"
#include "ui_rules.h"

#define TRIES 20

enum step { CHECK_VALUE, CHECK_PERMS, CHECK_GEN, CHANGE, COMMIT };

struct ui_edit {
	struct ui *u;
	unsigned int type; /* XS_WRITE, XS_RM, XS_SET_PERMS */
	bool absent;       /* it must not be there yet */
	char path[UI_PATH_MAX];
	char *seen, *perms; /* what was on the screen */
	size_t seen_len, perms_len;
	long long gen;
	bool no_gen;		/* the daemon has none: children come by DIRECTORY */
	struct ui_names list;	/* the children there are now */
	char *payload; /* behind the path */
	size_t payload_len;
	char command[UI_PATH_MAX + UI_TEXT_MAX];
	enum step step;
	struct xs_txn *txn;
	bool away; /* on its way: the user may not begin another */
	bool outside; /* an editor made it, which may have been much work */
};

static char *copy(const char *data, size_t len)
{
	char *c = malloc(len + 1);

	if (!c)
		cli_die(CLI_FAIL, "out of memory");
	memcpy(c, data ? data : "", len);
	c[len] = '\0';
	return c;
}

static void edit_free(struct ui_edit *e)
{
	if (e) {
		free(e->seen);
		free(e->perms);
		free(e->payload);
		ui_names_fini(&e->list);
		free(e);
	}
}

void ui_edit_forget(struct ui *u)
{
	edit_free(u->edit);
	u->edit = NULL;
}

/* Why @e is not written, and where the text is that somebody made in an editor. */
static void say_not_written(const struct ui_edit *e, const char *why)
{
	char name[UI_OUTSIDE_NAME];

	if (e->outside && ui_outside_keep(e->payload, e->payload_len, name))
		ui_say(e->u, "your text is in %s: %s", name, why);
	else
		ui_say(e->u, "%s", why);
}

/* ---- the transaction ---- */

static void advance(struct ui_edit *e);

static bool as_seen(const struct ui_edit *e, const char *data, size_t len)
{
	char mark[LONG_MARK_MAX];
	const char *seen;
	size_t seen_len;

	switch (e->step) {
	case CHECK_VALUE:
		seen_len = long_shown(e->path, e->seen, e->seen_len, mark, &seen);
		return !e->absent && len == seen_len && memcmp(data, seen, len) == 0;
	case CHECK_PERMS:
		return !e->perms || (len == e->perms_len && memcmp(data, e->perms, len) == 0);
	case CHECK_GEN:
		return e->gen < 0 || e->no_gen || atoll(data) == e->gen;
	case CHANGE:
	case COMMIT:
		break;
	}
	return true;
}

/* One part of the children, or all; where more are to come the step is the same once more. */
static int take_names(struct ui_edit *e, int rc, const char *data, size_t len)
{
	enum ui_part part;

	if (e->no_gen) {
		/* too many for DIRECTORY: of them none is known to be a part */
		e->list.names = rc ? NULL : copy(data, len);
		e->list.len = rc ? 0 : len;
		return 0;
	}
	part = ui_names_take(&e->list, data, len);
	e->step -= part == PART_MORE;
	return part == PART_CHANGED ? -ESTALE : 0;
}

static void on_step(void *arg, int rc, const char *data, size_t len)
{
	struct ui_edit *e = arg;

	if (e->step == CHECK_VALUE && e->absent && rc == -ENOENT) {
		rc = 0;
		e->step = CHECK_GEN; /* nothing to compare */
	} else if (e->step == CHECK_GEN && rc == -ENOSYS && !e->no_gen) {
		e->no_gen = true;
		rc = 0;
		e->step--; /* the same by DIRECTORY */
	} else if (rc == 0 && !as_seen(e, data, len)) {
		rc = -ESTALE;
	} else if (e->step == CHECK_GEN && (rc == 0 || rc == -E2BIG)) {
		rc = take_names(e, rc, data, len);
	}
	if (rc) {
		xs_txn_abort(e->txn, rc);
		return;
	}
	e->step++;
	advance(e);
}

/* Of what was seen. */
static size_t nr_parts(const struct ui_edit *e)
{
	return e->absent ? 0 : long_nr_parts(e->path, e->seen, e->seen_len);
}

static int submit_write(struct ui_edit *e)
{
	/* a short one over a short one leaves what else is there */
	bool parts = nr_parts(e) || long_is_needed(e->path, e->payload, e->payload_len);

	return long_submit_write(xs_txn_id(e->txn), e->path, e->payload, e->payload_len,
				 parts ? e->list.names : NULL, e->list.len, on_step, e);
}

static void advance(struct ui_edit *e)
{
	static const unsigned int types[] = {
		[CHECK_VALUE] = XS_READ, [CHECK_PERMS] = XS_GET_PERMS,
		[CHECK_GEN] = XS_DIRECTORY_PART,
	};
	struct iovec iov[2] = { { e->path, strlen(e->path) + 1 } };
	unsigned int type, nr = 1;
	char from[24];
	int rc;

	if (e->step == COMMIT) {
		xs_txn_commit(e->txn);
		return;
	}
	if (e->step == CHANGE && e->type == XS_WRITE) {
		rc = submit_write(e);
		if (rc)
			xs_txn_abort(e->txn, rc);
		return;
	}
	type = e->step == CHANGE ? e->type : types[e->step];
	if (e->step == CHECK_GEN && e->no_gen) {
		type = XS_DIRECTORY;
	} else if (e->step == CHECK_GEN) {
		iov[nr++] = (struct iovec){ from, 0 };
		iov[1].iov_len = (size_t)snprintf(from, sizeof(from), "%zu", e->list.len) + 1;
	}
	if (e->step == CHANGE && e->type == XS_SET_PERMS)
		rc = long_submit_perms(xs_txn_id(e->txn), e->path, nr_parts(e), e->payload,
				       e->payload_len, on_step, e);
	else
		rc = xs_submit(store(), type, xs_txn_id(e->txn), iov, nr, on_step, e);
	if (rc)
		xs_txn_abort(e->txn, rc);
}

static void body(void *arg, struct xs_txn *t)
{
	struct ui_edit *e = arg;

	e->txn = t;
	e->step = CHECK_VALUE;
	e->no_gen = false;
	ui_names_fini(&e->list);
	advance(e);
}

static void finished(void *arg, int rc, unsigned int attempts)
{
	struct ui_edit *e = arg;
	struct ui *u = e->u;
	char why[UI_PATH_MAX + 128];

	(void)attempts;
	if (rc) {
		snprintf(why, sizeof(why), rc == -ESTALE ?
			 "%s changed meanwhile: look again, nothing was written" : "%s: %s",
			 e->path, cli_words(rc));
		say_not_written(e, why);
	} else {
		ui_say(u, "%s", e->command);
	}
	model_touch(&u->model, e->path);
	u->detail.stale = true;
	u->edit = NULL;
	edit_free(e);
	pace_want(&u->pace);
}

static void carry_out(struct ui *u)
{
	struct ui_edit *e = u->edit;
	char why[UI_RULES_WHY];
	int rc;

	if (!u->link_up) {
		say_not_written(u->edit, "the daemon is gone: nothing was written");
		ui_edit_forget(u);
		return;
	}
	if ((e->type == XS_WRITE && !ui_rules_allow(u, e->path, e->payload, e->payload_len, why)) ||
	    (e->type != XS_SET_PERMS && !ui_rules_whole(u, e->path, e->type == XS_RM, why))) {
		say_not_written(e, why);
		ui_edit_forget(u);
		return;
	}
	u->edit->away = true;
	rc = xs_txn_run(store(), body, finished, u->edit, TRIES);
	if (rc)
		finished(u->edit, rc, 0);
}

/* ---- asking ---- */

static void confirmed(struct ui *u, const char *text)
{
	if (strcmp(text, "yes") == 0) {
		carry_out(u);
		return;
	}
	say_not_written(u->edit, "not confirmed: nothing was written");
	ui_edit_forget(u);
}

/* A running domain's device keys: a wrong one there takes its disk away. */
static bool is_live_device(const char *path)
{
	return strncmp(path, "/local/domain/", 14) == 0 &&
	       (strstr(path, "/device/") || strstr(path, "/backend/") || strstr(path, "/console/"));
}

static void confirm(struct ui *u)
{
	if (is_live_device(u->edit->path))
		ui_ask(u, "a running domain's device; type yes to go on: ", "", confirmed);
	else
		carry_out(u);
}

/* A change of the node under the cursor, as it is seen now; NULL after saying why not. */
static struct ui_edit *begin(struct ui *u, unsigned int type)
{
	const struct ui_node *n = u->model.cursor;
	struct ui_edit *e;

	if (!u->writable) {
		ui_say(u, "looking only: xs browse -w may change things");
		return NULL;
	}
	if (u->edit && u->edit->away) {
		ui_say(u, "the last change is still on its way");
		return NULL;
	}
	ui_edit_forget(u);
	e = calloc(1, sizeof(*e));
	if (!e)
		cli_die(CLI_FAIL, "out of memory");
	e->u = u;
	e->type = type;
	model_path(n, e->path, sizeof(e->path));
	e->seen = copy(n->value, n->len);
	e->seen_len = n->len;
	if (u->detail.perms && strcmp(u->detail.path, e->path) == 0) {
		e->perms = copy(u->detail.perms, u->detail.perms_len);
		e->perms_len = u->detail.perms_len;
		/* one that is being read again is not what the screen shows */
		e->gen = u->detail.stale || u->detail.asked ? -1 : u->detail.gen;
	} else {
		e->gen = -1;
	}
	u->edit = e;
	return e;
}

static void set_payload(struct ui_edit *e, const char *text)
{
	free(e->payload);
	e->payload = copy(text, strlen(text));
	/* as it is shown, so it is typed: \n, \x00, \\ */
	e->payload_len = text_unescape_xenstore(e->payload);
}

/* ---- value ---- */

static void value_typed(struct ui *u, const char *text)
{
	struct ui_edit *e = u->edit;

	set_payload(e, text);
	snprintf(e->command, sizeof(e->command), "xs write %s '%s'", e->path, text);
	confirm(u);
}

/* The change that was begun, as the editor leaves it. */
static void edit_outside(struct ui *u)
{
	struct ui_edit *e = u->edit;

	if (!text_is_text(e->seen, e->seen_len)) {
		ui_say(u, "not text, nothing for an editor: xs write --stdin %s", e->path);
	} else if (ui_outside_edit(u, e->seen, e->seen_len, &e->payload, &e->payload_len)) {
		if (e->payload_len == e->seen_len &&
		    memcmp(e->payload, e->seen, e->seen_len) == 0) {
			ui_say(u, "%s is as it was: nothing was written", e->path);
		} else {
			snprintf(e->command, sizeof(e->command), "xs write --stdin %s", e->path);
			e->outside = true;
			confirm(u);
			return;
		}
	}
	ui_edit_forget(u);
}

void ui_edit_value(struct ui *u)
{
	struct ui_edit *e = begin(u, XS_WRITE);
	char *text;

	if (!e)
		return;
	text = text_escape(e->seen, e->seen_len);
	/* what is cut would be written cut */
	if (strlen(text) < UI_TEXT_MAX)
		ui_ask(u, "value: ", text, value_typed);
	else
		edit_outside(u);
	free(text);
}

void ui_edit_outside(struct ui *u)
{
	if (begin(u, XS_WRITE))
		edit_outside(u);
}

/* ---- permissions ---- */

static void perms_typed(struct ui *u, const char *text)
{
	struct ui_edit *e = u->edit;
	size_t len = strlen(text) + 1;

	free(e->payload);
	e->payload = copy(text, len);
	e->payload_len = len;
	for (char *c = e->payload; *c; c++)
		if (*c == ',' || *c == ' ')
			*c = '\0';
	snprintf(e->command, sizeof(e->command), "xs perms %s", e->path);
	for (size_t i = 0; i + 1 < len; i += strlen(e->payload + i) + 1)
		snprintf(e->command + strlen(e->command), sizeof(e->command) - strlen(e->command),
			 " %s", e->payload + i);
	confirm(u);
}

void ui_edit_perms(struct ui *u)
{
	struct ui_edit *e = begin(u, XS_SET_PERMS);
	char text[512];

	if (!e)
		return;
	store_perms_text(e->perms, e->perms_len, text, sizeof(text));
	ui_ask(u, "permissions: ", text, perms_typed);
}

/* ---- a new child ---- */

static void new_value_typed(struct ui *u, const char *text)
{
	set_payload(u->edit, text);
	snprintf(u->edit->command, sizeof(u->edit->command), "xs write --if-absent %s '%s'",
		 u->edit->path, text);
	confirm(u);
}

static void child_typed(struct ui *u, const char *text)
{
	struct ui_edit *e = u->edit;
	size_t len = strlen(e->path);
	char *name;

	if (!*text) {
		ui_edit_forget(u);
		return;
	}
	name = name_typed(text);
	snprintf(e->path + len, sizeof(e->path) - len, "%s%.765s", len > 1 ? "/" : "", name);
	free(name);
	model_open(&u->model, u->model.cursor, true);
	ui_ask(u, "its value: ", "", new_value_typed);
}

void ui_edit_add(struct ui *u)
{
	struct ui_edit *e = begin(u, XS_WRITE);

	if (!e)
		return;
	e->absent = true;
	e->gen = -1; /* it would be the directory's */
	ui_ask(u, "name of the new child: ", "", child_typed);
}

/* ---- removal ---- */

static void removal_typed(struct ui *u, const char *text)
{
	struct ui_edit *e = u->edit;
	char *name = name_typed(text);
	bool same = strcmp(name, strrchr(e->path, '/') + 1) == 0;

	free(name);
	if (!same) {
		ui_say(u, "that is not its name: nothing was removed");
		ui_edit_forget(u);
		return;
	}
	snprintf(e->command, sizeof(e->command), "xs rm %s", e->path);
	confirm(u);
}

void ui_edit_remove(struct ui *u)
{
	struct ui_edit *e;

	if (!u->model.cursor->parent) {
		ui_say(u, "the top cannot be removed");
		return;
	}
	e = begin(u, XS_RM);
	if (e)
		ui_ask(u, "type the name to remove it and all below: ", "", removal_typed);
}
