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
#include "meaning.h"
#include "name.h"
#include "store.h"
#include "text.h"
#include "ui.h"

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
	char *payload; /* behind the path */
	size_t payload_len;
	char command[UI_PATH_MAX + UI_TEXT_MAX];
	enum step step;
	struct xs_txn *txn;
	bool away; /* on its way: the user may not begin another */
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
		free(e);
	}
}

void ui_edit_forget(struct ui *u)
{
	edit_free(u->edit);
	u->edit = NULL;
}

/* ---- the transaction ---- */

static void advance(struct ui_edit *e);

static bool as_seen(const struct ui_edit *e, const char *data, size_t len)
{
	switch (e->step) {
	case CHECK_VALUE:
		return !e->absent && len == e->seen_len && memcmp(data, e->seen, len) == 0;
	case CHECK_PERMS:
		return !e->perms || (len == e->perms_len && memcmp(data, e->perms, len) == 0);
	case CHECK_GEN:
		return e->gen < 0 || atoll(data) == e->gen;
	case CHANGE:
	case COMMIT:
		break;
	}
	return true;
}

static void on_step(void *arg, int rc, const char *data, size_t len)
{
	struct ui_edit *e = arg;

	if (e->step == CHECK_VALUE && e->absent && rc == -ENOENT) {
		rc = 0;
		e->step = CHECK_GEN; /* nothing to compare */
	} else if (e->step == CHECK_GEN && rc == -ENOSYS) {
		rc = 0; /* a daemon without generations */
	} else if (rc == 0 && !as_seen(e, data, len)) {
		rc = -ESTALE;
	}
	if (rc) {
		xs_txn_abort(e->txn, rc);
		return;
	}
	e->step++;
	advance(e);
}

static void advance(struct ui_edit *e)
{
	static const unsigned int types[] = {
		[CHECK_VALUE] = XS_READ, [CHECK_PERMS] = XS_GET_PERMS,
		[CHECK_GEN] = XS_DIRECTORY_PART,
	};
	struct iovec iov[2] = { { e->path, strlen(e->path) + 1 } };
	unsigned int type, nr = 1;
	int rc;

	if (e->step == COMMIT) {
		xs_txn_commit(e->txn);
		return;
	}
	type = e->step == CHANGE ? e->type : types[e->step];
	if (e->step == CHECK_GEN)
		iov[nr++] = (struct iovec){ (void *)"0", 2 };
	else if (e->step == CHANGE && e->type != XS_RM)
		iov[nr++] = (struct iovec){ e->payload, e->payload_len };
	rc = xs_submit(store(), type, xs_txn_id(e->txn), iov, nr, on_step, e);
	if (rc)
		xs_txn_abort(e->txn, rc);
}

static void body(void *arg, struct xs_txn *t)
{
	struct ui_edit *e = arg;

	e->txn = t;
	e->step = CHECK_VALUE;
	advance(e);
}

static void finished(void *arg, int rc, unsigned int attempts)
{
	struct ui_edit *e = arg;
	struct ui *u = e->u;

	(void)attempts;
	if (rc == -ESTALE)
		ui_say(u, "%s changed meanwhile: look again, nothing was written", e->path);
	else if (rc)
		ui_say(u, "%s: %s", e->path, cli_words(rc));
	else
		ui_say(u, "%s", e->command);
	model_touch(&u->model, e->path);
	u->detail.stale = true;
	u->edit = NULL;
	edit_free(e);
	pace_want(&u->pace);
}

static void carry_out(struct ui *u)
{
	int rc;

	if (!u->link_up) {
		ui_say(u, "the daemon is gone: nothing was written");
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
	ui_say(u, "not confirmed: nothing was written");
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

void ui_edit_value(struct ui *u)
{
	struct ui_edit *e = begin(u, XS_WRITE);
	char *text;

	if (!e)
		return;
	text = text_escape(e->seen, e->seen_len);
	if (strlen(text) < UI_TEXT_MAX) {
		ui_ask(u, "value: ", text, value_typed);
	} else {
		/* what is cut would be written cut */
		ui_say(u, "too long to be typed: xs write --stdin %s", e->path);
		ui_edit_forget(u);
	}
	free(text);
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
