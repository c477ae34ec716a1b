/* SPDX-License-Identifier: MIT */
/*
 * ui_draw.c - `xs browse` on the terminal: title, tree and what is known about the node beside it,
 * a lower pane, the bottom line. Plain ASCII and at most two columns of text, so that it is the
 * same on a serial console; colours only add to marks that are there without them.
 */
#include <curses.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "die.h"
#include "meaning.h"
#include "name.h"
#include "schema.h"
#include "store.h"
#include "text.h"
#include "ui.h"
#include "ui_rules.h"

#define LOWER_ROWS 6
#define WIDE_ENOUGH 60 /* columns for a second one */

enum style { PLAIN, TITLE, CURSOR, CHANGED, WRONG, STYLE_NR };
static attr_t styles[STYLE_NR] = { A_NORMAL, A_REVERSE, A_REVERSE, A_BOLD, A_BOLD };

void ui_draw_init(void)
{
	static const short colours[STYLE_NR] = { [CHANGED] = COLOR_YELLOW, [WRONG] = COLOR_RED };
	const char *no = getenv("NO_COLOR");

	if ((no && *no) || !has_colors())
		return;
	start_color();
	use_default_colors();
	for (short i = 0; i < STYLE_NR; i++)
		if (colours[i] && init_pair(i, colours[i], -1) == OK)
			styles[i] |= COLOR_PAIR(i);
}

/* @text into columns [@x, @x + @width) of row @y, cut or filled up. What cannot be shown is '?'. */
static void put(int y, int x, int width, enum style style, const char *text)
{
	mbstate_t state = { 0 };
	int used = 0;

	if (y < 0 || y >= LINES || width <= 0)
		return;
	attrset(styles[style]);
	move(y, x);
	for (size_t left = strlen(text); left > 0 && used < width;) {
		wchar_t w;
		size_t n = mbrtowc(&w, text, left, &state);
		int columns = n == (size_t)-1 || n == (size_t)-2 || !n ? -1 : wcwidth(w);

		if (columns < 0) {
			addch('?');
			state = (mbstate_t){ 0 };
			n = 1;
			used++;
		} else if (used + columns <= width) {
			addnstr(text, (int)n);
			used += columns;
		} else {
			break;
		}
		text += n;
		left -= n;
	}
	for (; used < width; used++)
		addch(' ');
	attrset(A_NORMAL);
}

static void putf(int y, int x, int width, enum style style, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
static void putf(int y, int x, int width, enum style style, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		cli_die(CLI_FAIL, "out of memory");
	va_end(ap);
	put(y, x, width, style, text);
	free(text);
}

/* ---- rows ---- */

static size_t lower_rows(const struct ui *u)
{
	size_t all = LINES > 4 ? (size_t)LINES - 3 : 1;
	size_t wanted = u->zoom ? all - all / 4 : LOWER_ROWS;

	if (u->pane == PANE_NONE)
		return 0;
	if (u->pane == PANE_KEYS)
		return all - 1;
	return all < 2 * LOWER_ROWS && !u->zoom ? all / 3 : wanted;
}

size_t ui_tree_rows(const struct ui *u)
{
	/* title, line between, bottom line */
	size_t lower = u->pane == PANE_NONE ? 2 : lower_rows(u) + 3;

	return (size_t)LINES > lower ? (size_t)LINES - lower : 1;
}

size_t ui_pane_rows(const struct ui *u)
{
	return lower_rows(u);
}

/* ---- the tree ---- */

static void draw_node(const struct ui *u, int y, int width, const struct ui_node *n)
{
	bool flat = u->model.view == VIEW_FLAT;
	bool flash = n->changed_ms && ui_now_ms() - n->changed_ms < UI_FLASH_MS;
	char *value = n->value ? text_escape(n->value, n->len) : strdup("");
	char path[UI_PATH_MAX], buf[64], weight[24] = "", *name;
	const char *meaning;

	model_path(n, path, sizeof(path));
	name = name_shown(flat ? path : n->name);
	meaning = meaning_decode(path, n->value, n->len, buf, sizeof(buf));
	if (u->model.order != ORDER_NAME)
		snprintf(weight, sizeof(weight), "%9llu ", (unsigned long long)n->weight);
	putf(y, 0, width, n == u->model.cursor ? CURSOR : flash ? CHANGED : PLAIN,
	     "%c%s%*s%c%c%s%s%.500s%s%s%s", n == u->model.cursor ? '>' : ' ', weight,
	     flat ? 0 : n->depth * 2, "", flash ? '*' : ' ',
	     !n->has_children || flat ? ' ' : model_is_open(&u->model, n) ? '-' : '+',
	     name, *value ? " = " : "", value,
	     meaning ? " (" : "", meaning ? meaning : "", meaning ? ")" : "");
	free(name);
	free(value);
}

static void draw_tree(struct ui *u, int width)
{
	size_t rows = ui_tree_rows(u), at = model_lines(&u->model);

	/* what is left by a filter is seen as a whole where it can be */
	if (u->model.filter && u->top + rows > u->model.nr_lines)
		u->top = u->model.nr_lines > rows ? u->model.nr_lines - rows : 0;
	if (at < u->top)
		u->top = at;
	if (at >= u->top + rows)
		u->top = at - rows + 1;
	for (size_t i = 0; i < rows; i++) {
		if (u->top + i < u->model.nr_lines)
			draw_node(u, 1 + (int)i, width, u->model.line[u->top + i]);
		else
			put(1 + (int)i, 0, width, PLAIN, "");
	}
}

/* ---- what is known about the node ---- */

static int detail_text(int y, int last, int x, int width, const char *text)
{
	do {
		size_t len = text_fit(text, width);

		if (y <= last)
			putf(y++, x, width, PLAIN, "%.*s", (int)len, text);
		text += len;
	} while (*text && y <= last);
	return y;
}

struct drawn {
	int y, last, x, width;
};

static void draw_rule(void *arg, const char *text)
{
	struct drawn *d = arg;

	if (d->y <= d->last)
		d->y = detail_text(d->y, d->last, d->x, d->width, text);
}

static int draw_meaning(const struct ui *u, int y, int last, int x, int width)
{
	const struct ui_node *n = u->model.cursor;
	const struct schema_row *m = schema_find(u->detail.path);
	const char *decoded;
	char buf[64];

	decoded = meaning_decode(u->detail.path, n->value, n->len, buf, sizeof(buf));
	if (decoded && y <= last)
		putf(y++, x, width, PLAIN, "means: %s", decoded);
	if (!m)
		return y;
	if (m->words[0] && y <= last)
		y = detail_text(y, last, x, width, m->words);
	if (y <= last)
		putf(y++, x, width, PLAIN, "type:  %s%s", m->type_text,
		     strchr(m->tags, 'p') ? ", kept over reboots" : "");
	if (y <= last)
		putf(y++, x, width, PLAIN, "by:    %s", m->writer);
	if (y <= last)
		putf(y++, x, width, PLAIN, "for:   %s", m->readers);
	return y;
}

static void draw_detail(struct ui *u, int x, int width)
{
	const struct ui_node *n = u->model.cursor;
	char *value = n->value ? text_escape(n->value, n->len) : strdup("");
	int y = 1, last = (int)ui_tree_rows(u);
	char perms[256];
	struct ui_detail *d = &u->detail;
	struct drawn drawn;

	store_perms_text(d->perms, d->perms_len, perms, sizeof(perms));
	y = detail_text(y, last, x, width, d->path);
	if (n->value_rc && n->value_rc != -ENOENT)
		putf(y++, x, width, WRONG, "value: %s", cli_words(n->value_rc));
	else if (y <= last)
		putf(y++, x, width, PLAIN, "value: %zu bytes", n->len);
	if (*value)
		y = detail_text(y, y + 2 < last ? y + 2 : last, x, width, value);
	if (y <= last)
		putf(y++, x, width, PLAIN, "perms: %s", perms);
	if (y <= last && d->gen >= 0)
		putf(y++, x, width, PLAIN, "gen:   %lld", d->gen);
	if (y <= last && n->listed)
		putf(y++, x, width, PLAIN, "below: %zu", n->nr_children);
	y = draw_meaning(u, y, last, x, width);
	drawn = (struct drawn){ y, last, x, width };
	ui_rules_each(u, d->path, draw_rule, &drawn);
	y = drawn.y;
	while (y <= last)
		put(y++, x, width, PLAIN, "");
	free(value);
}

/* ---- the lower pane ---- */

static void draw_lines(const struct ui *u, struct ui_lines *l, int y, size_t rows, size_t marked)
{
	for (size_t i = 0; i < rows; i++) {
		size_t at = u->pane_top + i;
		bool mark = at == marked;

		put(y + (int)i, 0, COLS, mark ? CURSOR : PLAIN, at < l->nr ? l->at[at] : "");
	}
}

static void draw_entry(int y, const struct ui_entry *e, bool clock)
{
	time_t t = e->at_ms / 1000;
	char when[16] = "", many[16] = "", *value, *old;
	struct tm tm;

	if (e->at_ms && localtime_r(&t, &tm))
		strftime(when, sizeof(when), "%H:%M:%S ", &tm);
	if (clock ? e->count > 1 : e->count > 0)
		snprintf(many, sizeof(many), "x%lu ", e->count);
	value = text_escape(e->value ? e->value : "", e->len);
	old = e->old && clock ? text_escape(e->old, e->old_len) : NULL;
	if (e->rc)
		putf(y, 0, COLS, PLAIN, "%s%s%s%s%s%s", when, many, e->path,
		     e->rc == -ENOENT ? " removed" : " (not readable)", old ? ", was " : "",
		     old ? old : "");
	else if (old && e->value && strcmp(old, value) != 0)
		putf(y, 0, COLS, PLAIN, "%s%s%s: %s -> %s", when, many, e->path,
		     *old ? old : "\"\"", *value ? value : "\"\"");
	else
		putf(y, 0, COLS, PLAIN, "%s%s%s%s%s", when, many, e->path, *value ? " = " : "",
		     value);
	free(old);
	free(value);
}

static void draw_entries(struct ui_log *l, int y, size_t rows, bool clock)
{
	size_t shown = l->nr < rows ? l->nr : rows;

	for (size_t i = 0; i < rows; i++) {
		if (i < shown)
			draw_entry(y + (int)i, log_at(l, l->nr - shown + i), clock);
		else
			put(y + (int)i, 0, COLS, PLAIN,
			    i || clock ? "" : "w pins the node under the cursor");
	}
}

static void draw_lower(struct ui *u)
{
	static const char *const names[PANE_NR] = {
		[PANE_EVENTS] = "changes",     [PANE_DEVICES] = "devices", [PANE_PINS] = "pinned",
		[PANE_DIFF] = "since snapshot", [PANE_FOUND] = "found",    [PANE_KEYS] = "keys",
	};
	struct ui_lines *lines[PANE_NR] = {
		[PANE_DEVICES] = &u->devices, [PANE_DIFF] = &u->diff, [PANE_FOUND] = &u->found,
		[PANE_KEYS] = &u->keys,
	};
	size_t rows = lower_rows(u);
	int y = LINES - 1 - (int)rows;
	struct ui_lines *l = lines[u->pane];

	if (u->pane == PANE_NONE)
		return;
	if (l && u->pane_top + rows > l->nr)
		u->pane_top = l->nr > rows ? l->nr - rows : 0;
	putf(y - 1, 0, COLS, TITLE, " %s%s", names[u->pane],
	     u->pane == PANE_KEYS ? " (? or q closes)" :
				    "  (Tab: others, z: larger, c: closes, ?: keys)");
	if (u->pane == PANE_EVENTS || u->pane == PANE_PINS)
		draw_entries(u->pane == PANE_PINS ? &u->pins : &u->log, y, rows,
			     u->pane == PANE_EVENTS);
	else
		draw_lines(u, l, y, rows, u->pane == PANE_FOUND ? u->found_at : SIZE_MAX);
}

/* ---- all ---- */

/* Without anything to say: the command that prints what is seen. */
static void draw_bottom(const struct ui *u)
{
	const struct ui_node *n = u->model.cursor;
	const struct ui_prompt *p = &u->prompt;
	size_t label = p->label ? strlen(p->label) : 0, shift = 0;

	if (p->label) {
		/* the end of a long line is what is being typed */
		if (label + p->len >= (size_t)COLS)
			shift = label + p->len + 1 - (size_t)COLS;
		putf(LINES - 1, 0, COLS - 1, PLAIN, "%s%s", shift < label ? p->label + shift : "",
		     p->text + (shift > label ? shift - label : 0));
		move(LINES - 1, (int)(label + p->len - shift));
		return;
	}
	if (u->message[0])
		put(LINES - 1, 0, COLS - 1, CHANGED, u->message);
	else
		putf(LINES - 1, 0, COLS - 1, PLAIN, "xs %s %s",
		     n->open || n->has_children ? "ls" : "read", u->detail.path);
	move(LINES - 1, 0);
}

/* ---- a value on the whole screen ---- */

size_t ui_value_rows(void)
{
	return LINES > 3 ? (size_t)LINES - 2 : 1;
}

static void draw_value(struct ui *u)
{
	const struct ui_value *v = &u->value;
	size_t rows = ui_value_rows(), below = v->top + rows;
	size_t last = below < v->nr_rows ? below : v->nr_rows;

	putf(0, 0, COLS, TITLE, " %s  %zu bytes  rows %zu-%zu of %zu%s", v->path, v->seen_len,
	     last ? v->top + 1 : 0, last, v->nr_rows, u->link_up ? "" : "  DAEMON GONE, waiting");
	for (size_t i = 0; i < rows; i++) {
		const struct ui_row *r = v->top + i < v->nr_rows ? &v->row[v->top + i] : NULL;
		size_t skip = r && v->left ? text_fit(r->at, (int)v->left) : 0;
		int len = r && skip < r->len ? (int)(r->len - skip) : 0;

		putf(1 + (int)i, 0, COLS, r && ui_value_is_wanted(v, r) ? CHANGED : PLAIN, "%.*s",
		     len, r ? r->at + (len ? skip : 0) : "");
	}
	if (!u->prompt.label && !u->message[0])
		put(LINES - 1, 0, COLS - 1, PLAIN,
		    "q: back  f: fold  x: bytes  / n: search  v: $PAGER  e: $EDITOR");
	else
		draw_bottom(u);
}

static void draw_title(const struct ui *u)
{
	static const char *const orders[ORDER_NR] = {
		[ORDER_NAME] = "", [ORDER_SIZE] = "  by size", [ORDER_CHANGE] = "  by change",
	};

	putf(0, 0, COLS, TITLE, " xs browse %s  %s  %s  %llu changes%s%s%s", u->model.root->name,
	     u->writable ? "may change things" : "looking only",
	     u->link_up ? "live" : "DAEMON GONE, waiting", (unsigned long long)u->nr_events,
	     orders[u->model.order], u->model.filter ? "  only " : "",
	     u->model.filter ? u->model.filter : "");
}

static void draw_store(struct ui *u)
{
	int width = COLS >= WIDE_ENOUGH ? COLS * 11 / 20 : COLS;

	draw_title(u);
	if (width < COLS)
		for (int y = 1; y <= (int)ui_tree_rows(u); y++)
			put(y, width, 2, PLAIN, "|");
	draw_tree(u, width);
	if (width < COLS)
		draw_detail(u, width + 2, COLS - width - 2);
	draw_lower(u);
	draw_bottom(u);
}

void ui_draw(struct ui *u)
{
	if (LINES < 4) {
		put(0, 0, COLS, PLAIN, "the terminal is too small");
		refresh();
		return;
	}
	if (u->value.shown)
		ui_value_refresh(u, COLS);
	if (u->value.shown)
		draw_value(u);
	else
		draw_store(u);
	curs_set(u->prompt.label ? 1 : 0);
	refresh();
}
