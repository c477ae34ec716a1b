/* SPDX-License-Identifier: MIT */
/*
 * cmd_ui.c - `xs ui`: the store as a tree on the whole terminal, kept up to date. Looks only, unless
 * -w: then values can be changed, each change guarded by the value that was on the screen.
 */
#include <curses.h>
#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmds.h"
#include "die.h"
#include "store.h"
#include "text.h"
#include "ui_model.h"

#define TICK_MS 200
#define FLASH_MS 2000
#define TRIES 100

struct ui {
	struct ui_model model;
	size_t cursor, top;
	bool writable, changed, quit;
	char search[128];
	char message[XENSTORE_ABS_PATH_MAX + 256]; /* the bottom line: last action as a command */
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static struct ui_node *current(const struct ui *u)
{
	return u->model.lines[u->cursor];
}

static int page(void)
{
	return LINES > 3 ? LINES - 2 : 1;
}

/* ---- drawing ---- */

static void draw_line(const struct ui *u, int y, const struct ui_node *n, bool selected)
{
	char *value = n->value ? text_escape(n->value, n->len) : strdup("(not readable)");
	char line[1024], buf[32];
	const char *meaning = model_meaning(n, buf, sizeof(buf));
	bool flash = n->changed_ms && now_ms() - n->changed_ms < FLASH_MS;

	(void)u;
	snprintf(line, sizeof(line), "%*s%c %s%s%.600s%s%s%s", n->depth * 2, "",
		 n->open ? '-' : ' ', n->name, n->len || !n->value ? " = " : "",
		 n->len || !n->value ? value : "", meaning ? "  (" : "", meaning ? meaning : "",
		 meaning ? ")" : "");
	attrset(selected ? A_REVERSE : flash ? A_BOLD : A_NORMAL);
	mvaddnstr(y, 0, line, COLS);
	for (int x = getcurx(stdscr); selected && x < COLS && getcury(stdscr) == y; x++)
		addch(' ');
	attrset(A_NORMAL);
	free(value);
}

static void draw(struct ui *u)
{
	char path[XENSTORE_ABS_PATH_MAX + 1];
	int rows = page();

	if (u->cursor >= u->model.nr_lines)
		u->cursor = u->model.nr_lines - 1;
	if (u->cursor < u->top)
		u->top = u->cursor;
	if (u->cursor >= u->top + rows)
		u->top = u->cursor - rows + 1;
	erase();
	for (int y = 0; y < rows && u->top + y < u->model.nr_lines; y++)
		draw_line(u, y, u->model.lines[u->top + y], u->top + y == u->cursor);
	model_path(current(u), path, sizeof(path));
	attrset(A_BOLD);
	mvaddnstr(LINES - 2, 0, path, COLS);
	attrset(A_NORMAL);
	mvaddnstr(LINES - 1, 0, u->message, COLS - 1);
	refresh();
}

/* Asks for a line at the bottom. Returns whether there was one. */
static bool prompt(const char *what, char *buf, int size)
{
	move(LINES - 1, 0);
	clrtoeol();
	addstr(what);
	echo();
	curs_set(1);
	timeout(-1);
	buf[0] = '\0';
	getnstr(buf, size - 1);
	timeout(TICK_MS);
	noecho();
	curs_set(0);
	return buf[0] != '\0';
}

/* ---- moving ---- */

static void move_by(struct ui *u, long n)
{
	long to = (long)u->cursor + n, last = (long)u->model.nr_lines - 1;

	u->cursor = to < 0 ? 0 : to > last ? last : to;
}

static void open_here(struct ui *u)
{
	model_open(&u->model, current(u), true);
}

static void close_here(struct ui *u)
{
	struct ui_node *n = current(u);

	if (n->open && n->parent)
		model_open(&u->model, n, false);
	else if (n->parent)
		u->cursor = model_line_of(&u->model, n->parent);
}

static void toggle(struct ui *u)
{
	if (current(u)->parent)
		model_open(&u->model, current(u), !current(u)->open);
}

static void find_next(struct ui *u, int step)
{
	size_t n = u->model.nr_lines;

	for (size_t i = 1; i <= n && u->search[0]; i++) {
		size_t at = (u->cursor + n + step * (long)i) % n;
		const struct ui_node *x = u->model.lines[at];

		if (strstr(x->name, u->search) || (x->value && strstr(x->value, u->search))) {
			u->cursor = at;
			return;
		}
	}
	snprintf(u->message, sizeof(u->message), "%s: not among the open nodes", u->search);
}

static void ask_search(struct ui *u)
{
	char text[sizeof(u->search)];

	if (prompt("/", text, sizeof(text)))
		strcpy(u->search, text);
	find_next(u, 1);
}

static void jump_to(struct ui *u, const char *path)
{
	struct ui_node *n = model_reach(&u->model, path);

	if (n)
		u->cursor = model_line_of(&u->model, n);
	else
		snprintf(u->message, sizeof(u->message), "%.200s: no such node", path);
}

static void ask_path(struct ui *u)
{
	char text[512];

	if (prompt("path: ", text, sizeof(text)))
		jump_to(u, text);
}

/* The nodes that hold another node's path: frontend, backend, vm, ... */
static void follow(struct ui *u)
{
	const struct ui_node *n = current(u);

	if (n->value && n->value[0] == '/')
		jump_to(u, n->value);
	else
		snprintf(u->message, sizeof(u->message), "%s holds no path", n->name);
}

/* ---- changing ---- */

struct edit {
	const char *path;
	const struct ui_node *seen;
	const char *value; /* NULL: remove */
};

static int do_edit(void *arg, struct xs_client *c, uint32_t tx)
{
	struct edit *e = arg;
	size_t len;
	int rc;
	char *now = store_read(tx, e->path, &len, &rc);
	bool same = now && e->seen->value && len == e->seen->len &&
		    memcmp(now, e->seen->value, len) == 0;

	free(now);
	if (rc)
		return rc;
	if (!same)
		return -ECANCELED; /* not what the user saw */
	if (!e->value)
		return xs_sync_str(c, XS_RM, tx, e->path, NULL, NULL);
	return xs_sync_write(c, tx, e->path, e->value, strlen(e->value));
}

static void carry_out(struct ui *u, struct edit *e)
{
	int rc = xs_transact(store(), do_edit, e, TRIES, NULL);

	if (rc == -ECANCELED)
		snprintf(u->message, sizeof(u->message), "%s changed meanwhile: look again", e->path);
	else if (rc)
		snprintf(u->message, sizeof(u->message), "%s: %s", e->path, cli_words(rc));
	else if (e->value)
		snprintf(u->message, sizeof(u->message), "xs write %s '%s'", e->path, e->value);
	else
		snprintf(u->message, sizeof(u->message), "xs rm %s", e->path);
	u->changed = true;
}

static bool may_write(struct ui *u)
{
	if (!u->writable)
		snprintf(u->message, sizeof(u->message), "looking only: xs ui -w may change things");
	return u->writable;
}

static void edit_here(struct ui *u)
{
	char path[XENSTORE_ABS_PATH_MAX + 1], text[1024];
	struct edit e = { .path = path, .seen = current(u), .value = text };

	if (!may_write(u))
		return;
	model_path(current(u), path, sizeof(path));
	if (prompt("new value: ", text, sizeof(text)))
		carry_out(u, &e);
}

static void remove_here(struct ui *u)
{
	char path[XENSTORE_ABS_PATH_MAX + 1], text[256];
	struct edit e = { .path = path, .seen = current(u) };

	if (!may_write(u) || !current(u)->parent)
		return;
	model_path(current(u), path, sizeof(path));
	if (prompt("type the name to remove it and all below: ", text, sizeof(text)) &&
	    strcmp(text, current(u)->name) == 0)
		carry_out(u, &e);
}

static void add_here(struct ui *u)
{
	char path[XENSTORE_ABS_PATH_MAX + 1], name[128], value[1024], full[sizeof(path) + 130];
	int rc;

	if (!may_write(u) || !prompt("name of the new child: ", name, sizeof(name)))
		return;
	prompt("value: ", value, sizeof(value));
	model_path(current(u), path, sizeof(path));
	snprintf(full, sizeof(full), "%s/%s", strcmp(path, "/") ? path : "", name);
	rc = xs_sync_write(store(), 0, full, value, strlen(value));
	if (rc)
		snprintf(u->message, sizeof(u->message), "%s: %s", full, cli_words(rc));
	else
		snprintf(u->message, sizeof(u->message), "xs write %s '%s'", full, value);
	model_open(&u->model, current(u), true);
	u->changed = true;
}

/* ---- keys ---- */

static void key_up(struct ui *u) { move_by(u, -1); }
static void key_down(struct ui *u) { move_by(u, 1); }
static void key_page_up(struct ui *u) { move_by(u, -page() / 2); }
static void key_page_down(struct ui *u) { move_by(u, page() / 2); }
static void key_top(struct ui *u) { u->cursor = 0; }
static void key_bottom(struct ui *u) { u->cursor = u->model.nr_lines - 1; }
static void key_next(struct ui *u) { find_next(u, 1); }
static void key_previous(struct ui *u) { find_next(u, -1); }
static void key_refresh(struct ui *u) { u->changed = true; }
static void key_quit(struct ui *u) { u->quit = true; }

static void key_help(struct ui *u)
{
	snprintf(u->message, sizeof(u->message),
		 "hjkl/arrows move, Enter opens, g G ^D ^U, / n N search, : path, f follow, "
		 "r refresh, e edit, a add, d remove, q quit");
}

static const struct {
	int key;
	void (*fn)(struct ui *u);
} keys[] = {
	{ 'k', key_up },         { KEY_UP, key_up },           { 'j', key_down },
	{ KEY_DOWN, key_down },  { 'l', open_here },           { KEY_RIGHT, open_here },
	{ 'h', close_here },     { KEY_LEFT, close_here },     { '\n', toggle },
	{ KEY_ENTER, toggle },   { 'g', key_top },             { KEY_HOME, key_top },
	{ 'G', key_bottom },     { KEY_END, key_bottom },      { 4, key_page_down },
	{ 21, key_page_up },     { KEY_NPAGE, key_page_down }, { KEY_PPAGE, key_page_up },
	{ '/', ask_search },     { 'n', key_next },            { 'N', key_previous },
	{ ':', ask_path },       { 'f', follow },              { 'r', key_refresh },
	{ 'e', edit_here },      { 'a', add_here },            { 'd', remove_here },
	{ '?', key_help },       { 'q', key_quit },
};

static void on_event(void *arg, const char *path)
{
	(void)path;
	((struct ui *)arg)->changed = true;
}

static void loop(struct ui *u)
{
	while (!u->quit) {
		int key;

		xs_client_run(store(), 0);
		if (u->changed) {
			struct ui_node *here = current(u);
			char path[XENSTORE_ABS_PATH_MAX + 1];

			/* the node under the cursor may be gone after this */
			model_path(here, path, sizeof(path));
			u->changed = false;
			model_refresh(&u->model);
			for (size_t i = 0; i < u->model.nr_lines; i++) {
				char other[XENSTORE_ABS_PATH_MAX + 1];

				model_path(u->model.lines[i], other, sizeof(other));
				if (strcmp(path, other) == 0)
					u->cursor = i;
			}
		}
		draw(u);
		key = getch();
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
			if (keys[i].key == key)
				keys[i].fn(u);
	}
}

static int run_ui(struct cli_args *a)
{
	struct ui u = { .writable = cli_has(a, "write") };
	const char *term = getenv("TERM");
	char *path = store_path(a->argc ? a->argv[0] : "/");
	int rc;

	if (!isatty(STDOUT_FILENO) || !term || strcmp(term, "dumb") == 0)
		cli_die(CLI_USAGE, "ui needs a terminal; xs tree %s prints the same", path);
	rc = model_init(&u.model, path);
	if (rc)
		store_failed(path, rc);
	xs_client_set_patience(store(), -1);
	xs_client_watch(store(), path, -1, on_event, &u, NULL, NULL);
	setlocale(LC_CTYPE, "");
	initscr();
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	curs_set(0);
	timeout(TICK_MS);
	key_help(&u);
	loop(&u);
	endwin();
	store_hang_up();
	model_free(&u.model);
	free(path);
	return CLI_OK;
}

static const struct cli_opt opts[] = {
	{ 'w', "write", NULL, "values may be changed, nodes added and removed" },
	{ 0 },
};

const struct cli_cmd cmd_ui = {
	.name = "ui",
	.args = "[PATH]",
	.help = "the store as a tree on the whole terminal, kept up to date (? shows keys)",
	.opts = opts,
	.max_args = 1,
	.run = run_ui,
};
