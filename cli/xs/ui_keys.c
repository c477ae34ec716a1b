/* SPDX-License-Identifier: MIT */
/*
 * ui_keys.c - the keys of `xs browse`: one table, which is also its help; and the line the user
 * types into.
 */
#include <curses.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "name.h"
#include "store.h"
#include "ui.h"

#define ESCAPE 27
#define CTRL(c) ((c) & 31)

void ui_say(struct ui *u, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(u->message, sizeof(u->message), fmt, ap);
	va_end(ap);
	pace_want(&u->pace);
}

/* ---- moving ---- */

static void move_to(struct ui *u, long line)
{
	long last;

	model_lines(&u->model);
	last = (long)u->model.nr_lines - 1;
	u->model.cursor = u->model.line[line < 0 ? 0 : line > last ? last : line];
}

static void move_by(struct ui *u, long n)
{
	move_to(u, (long)model_lines(&u->model) + n);
}

static void key_up(struct ui *u) { move_by(u, -1); }
static void key_down(struct ui *u) { move_by(u, 1); }
static void key_page_up(struct ui *u) { move_by(u, -(long)ui_tree_rows(u) / 2 - 1); }
static void key_page_down(struct ui *u) { move_by(u, (long)ui_tree_rows(u) / 2 + 1); }
static void key_top(struct ui *u) { move_to(u, 0); }
static void key_bottom(struct ui *u) { move_to(u, (long)u->model.nr_lines); }

static void key_open(struct ui *u)
{
	model_open(&u->model, u->model.cursor, true);
}

static void key_close(struct ui *u)
{
	struct ui_node *n = u->model.cursor;

	if (n->open && n->parent && u->model.view != VIEW_FLAT)
		model_open(&u->model, n, false);
	else if (n->parent)
		u->model.cursor = n->parent;
}

/* What has nothing below it has its value to look at. */
static void key_toggle(struct ui *u)
{
	if (!u->model.cursor->has_children)
		ui_value_open(u);
	else if (u->model.cursor->parent)
		model_open(&u->model, u->model.cursor, !u->model.cursor->open);
}

/* ---- jumping ---- */

/*
 * The way is read now, not when it is drawn: the answer is either the node or that there is none.
 */
void ui_jump(struct ui *u, const char *path)
{
	char here[UI_PATH_MAX];
	struct ui_node *n = model_nearest(&u->model, path), *to;

	model_path(u->model.cursor, here, sizeof(here));
	if (!n) {
		ui_say(u, "%s is not below %s", path, u->model.root->name);
		return;
	}
	while (!(to = model_find(&u->model, path)) && u->link_up) {
		struct ui_node *at = n;
		char dir[UI_PATH_MAX], *names;
		size_t len;

		model_path(at, dir, sizeof(dir));
		if (xs_sync_str(store(), XS_DIRECTORY, 0, dir, &names, &len) == 0) {
			model_set_children(&u->model, at, names, len);
			free(names);
		}
		n = model_nearest(&u->model, path);
		if (n == at)
			break;
	}
	if (!to) {
		ui_say(u, "%s: no such node", path);
		return;
	}
	for (n = to->parent; n; n = n->parent)
		model_open(&u->model, n, true);
	u->model.cursor = to;
	snprintf(u->last_jump, sizeof(u->last_jump), "%s", here);
}

static void path_typed(struct ui *u, const char *text)
{
	char path[UI_PATH_MAX], *typed = name_typed(text);
	size_t len;

	snprintf(path, sizeof(path), "%s%.3000s", typed[0] == '/' ? "" : "/", typed);
	free(typed);
	len = strlen(path);
	if (len > 1 && path[len - 1] == '/')
		path[len - 1] = '\0';
	ui_jump(u, path);
}

static void key_path(struct ui *u)
{
	ui_ask(u, "path: ", "", path_typed);
}

/* Nodes that hold another's path (backend, frontend, vm), or a domain's number. */
static void key_follow(struct ui *u)
{
	const struct ui_node *n = u->model.cursor;
	char home[64];

	if (n->value && n->value[0] == '/') {
		ui_jump(u, n->value);
	} else if (n->value && (strcmp(n->name, "backend-id") == 0 ||
				strcmp(n->name, "frontend-id") == 0 ||
				strcmp(n->name, "domid") == 0)) {
		snprintf(home, sizeof(home), "/local/domain/%d", atoi(n->value));
		ui_jump(u, home);
	} else {
		ui_say(u, "%s holds no path", n->name);
	}
}

static void key_back(struct ui *u)
{
	char to[UI_PATH_MAX];

	if (!u->last_jump[0]) {
		ui_say(u, "nowhere to go back to");
		return;
	}
	strcpy(to, u->last_jump);
	ui_jump(u, to);
}

static void key_find(struct ui *u) { ui_find_begin(u); }
static void key_next(struct ui *u) { ui_find_next(u, 1); }
static void key_previous(struct ui *u) { ui_find_next(u, -1); }

/* ---- panes ---- */

static void show(struct ui *u, enum ui_pane pane)
{
	u->pane = pane;
	u->pane_top = 0;
	u->devices_ms = u->diff_ms = 0;
}

static void key_pane(struct ui *u) { show(u, u->pane >= PANE_DIFF ? PANE_EVENTS : u->pane + 1); }
static void key_no_pane(struct ui *u) { show(u, u->pane ? PANE_NONE : PANE_EVENTS); }

static void key_devices(struct ui *u)
{
	show(u, u->pane == PANE_DEVICES ? PANE_EVENTS : PANE_DEVICES);
}

static void key_diff(struct ui *u) { show(u, PANE_DIFF); }
static void key_snapshot(struct ui *u) { ui_snapshot_take(u); }
static void key_zoom(struct ui *u) { u->zoom = !u->zoom; }
static void key_pane_down(struct ui *u) { u->pane_top++; }
static void key_pane_up(struct ui *u) { u->pane_top -= u->pane_top > 0; }

static void key_pin(struct ui *u)
{
	char path[UI_PATH_MAX];
	struct ui_entry *pin;

	model_path(u->model.cursor, path, sizeof(path));
	pin = log_find(&u->pins, path);
	if (pin) {
		log_remove(&u->pins, path);
		ui_say(u, "%s is no longer pinned", path);
		return;
	}
	log_add(&u->pins, path, 0, 0);
	log_find(&u->pins, path)->count = 0;
	show(u, PANE_PINS);
	ui_say(u, "xs watch %s", path);
}

static void key_refresh(struct ui *u)
{
	u->model.root->stale_below = true;
	u->devices_ms = u->diff_ms = 0;
	u->rules_known = false;
}

static void key_help(struct ui *u)
{
	if (u->pane == PANE_KEYS) {
		u->zoom = false;
		show(u, u->pane_before);
		return;
	}
	u->pane_before = u->pane;
	u->zoom = true;
	show(u, PANE_KEYS);
}

static void key_quit(struct ui *u)
{
	if (u->pane == PANE_KEYS)
		key_help(u);
	else
		u->quit = true;
}

static const struct {
	int key;
	void (*fn)(struct ui *u);
	const char *help; /* NULL: another key for the same */
} keys[] = {
	{ 'k', key_up, "k, up           one line up" },
	{ KEY_UP, key_up, NULL },
	{ 'j', key_down, "j, down         one line down" },
	{ KEY_DOWN, key_down, NULL },
	{ 'l', key_open, "l, right        opens a node" },
	{ KEY_RIGHT, key_open, NULL },
	{ 'h', key_close, "h, left         closes it; else goes to what it is in" },
	{ KEY_LEFT, key_close, NULL },
	{ '\n', key_toggle, "Enter           opens or closes; of a leaf: the value on the whole screen" },
	{ '\r', key_toggle, NULL },
	{ KEY_ENTER, key_toggle, NULL },
	{ ' ', ui_value_open, "Space           the value on the whole screen" },
	{ 'g', key_top, "g, G            first line, last line" },
	{ KEY_HOME, key_top, NULL },
	{ 'G', key_bottom, NULL },
	{ KEY_END, key_bottom, NULL },
	{ CTRL('D'), key_page_down, "Ctrl-D, Ctrl-U  half a page down, up" },
	{ KEY_NPAGE, key_page_down, NULL },
	{ CTRL('U'), key_page_up, NULL },
	{ KEY_PPAGE, key_page_up, NULL },
	{ '/', key_find, "/               searches all paths: letters in their order" },
	{ '=', ui_find_value_begin, "=               searches in all values" },
	{ '&', ui_filter_begin, "&               only what has a text in its name or value" },
	{ 'o', ui_order_next, "o               sorts by size, by last change, by name" },
	{ 'n', key_next, "n, N            the next one found, the one before" },
	{ 'N', key_previous, NULL },
	{ ':', key_path, ":               goes to a path" },
	{ 'f', key_follow, "f, b            follows a path that is a value; goes back" },
	{ 'b', key_back, NULL },
	{ 'w', key_pin, "w               pins the node: its changes are counted; again: no more" },
	{ '\t', key_pane, "Tab             the lower part: changes, devices, pins, differences" },
	{ 'c', key_no_pane, "c               closes the lower part, opens it again" },
	{ 'v', key_devices, "v               devices, both ends side by side" },
	{ 's', key_snapshot, "s, D            takes a snapshot; what differs from it" },
	{ 'D', key_diff, NULL },
	{ 'z', key_zoom, "z               a large lower part" },
	{ ']', key_pane_down, "], [            scrolls the lower part" },
	{ '[', key_pane_up, NULL },
	{ 'e', ui_edit_value, "e, p            changes the value, the permissions (with -w)" },
	{ 'E', ui_edit_outside, "E               changes the value in $EDITOR (with -w)" },
	{ 'p', ui_edit_perms, NULL },
	{ 'a', ui_edit_add, "a, d            adds a child; removes the node (with -w)" },
	{ 'd', ui_edit_remove, NULL },
	{ 'y', ui_yank_path, "y, Y            copies the path; the node and all below as JSON" },
	{ 'Y', ui_yank_json, NULL },
	{ 't', ui_view_next, "t               a flat list; only one domain; the tree again" },
	{ 'r', key_refresh, "r               reads everything again" },
	{ '?', key_help, "?, q            these keys; leaves" },
	{ 'q', key_quit, NULL },
};

void ui_keys_list(struct ui_lines *l)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].help)
			ui_lines_add(l, "%s", keys[i].help);
	ui_value_keys_list(l);
}

/* ---- the line being typed ---- */

void ui_ask(struct ui *u, const char *label, const char *text,
	    void (*done)(struct ui *u, const char *text))
{
	struct ui_prompt *p = &u->prompt;

	p->label = label;
	snprintf(p->text, sizeof(p->text), "%s", text);
	p->len = strlen(p->text);
	p->typed = NULL;
	p->done = done;
}

static void give_up(struct ui *u)
{
	if (u->pane == PANE_FOUND)
		u->pane = u->pane_before;
	ui_edit_forget(u);
	ui_say(u, "given up");
}

/* One character back, whatever its length in UTF-8. */
static void rub_out(struct ui_prompt *p)
{
	while (p->len > 0 && ((unsigned char)p->text[--p->len] & 0xc0) == 0x80)
		;
	p->text[p->len] = '\0';
}

static void type_yanked(struct ui *u)
{
	struct ui_prompt *p = &u->prompt;
	size_t len = u->yanked ? strlen(u->yanked) : 0;

	if (p->len + len >= sizeof(p->text))
		return;
	memcpy(p->text + p->len, u->yanked ? u->yanked : "", len + 1);
	p->len += len;
}

static void prompt_key(struct ui *u, int key)
{
	struct ui_prompt *p = &u->prompt;
	char text[UI_TEXT_MAX];

	if (key == '\n' || key == '\r' || key == KEY_ENTER || key == ESCAPE || key == CTRL('G')) {
		strcpy(text, p->text);
		p->label = NULL;
		if (key == ESCAPE || key == CTRL('G'))
			give_up(u);
		else
			p->done(u, text);
		return;
	}
	if (key == KEY_BACKSPACE || key == 127 || key == CTRL('H')) {
		rub_out(p);
	} else if (key == CTRL('U')) {
		p->text[p->len = 0] = '\0';
	} else if (key == CTRL('Y')) {
		type_yanked(u);
	} else if (key >= ' ' && key < 256 && p->len + 1 < sizeof(p->text)) {
		p->text[p->len++] = (char)key;
		p->text[p->len] = '\0';
	}
	if (p->typed)
		p->typed(u);
}

void ui_key(struct ui *u, int key)
{
	if (u->prompt.label) {
		prompt_key(u, key);
		return;
	}
	u->message[0] = '\0';
	if (u->value.shown) {
		ui_value_key(u, key);
		return;
	}
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].key == key)
			keys[i].fn(u);
}
