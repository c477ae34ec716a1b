/* SPDX-License-Identifier: MIT */
/* ui_value.c - see ui_value.h. What a person calls the pager; $PAGER itself is one key away. */
#include "ui_value.h"

#include <curses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "die.h"
#include "store.h"
#include "text.h"
#include "ui.h"
#include "ui_outside.h"

#define ESCAPE 27
#define CTRL(c) ((c) & 31)
#define TAB 8
#define SIDEWAYS 8
#define BYTES_A_LINE 16

static void forget_lines(struct ui_value *v)
{
	for (size_t i = 0; i < v->nr_lines; i++)
		free(v->line[i]);
	free(v->line);
	free(v->row);
	free(v->seen);
	v->line = NULL;
	v->row = NULL;
	v->seen = NULL;
	v->nr_lines = v->nr_rows = 0;
}

void ui_value_fini(struct ui_value *v)
{
	forget_lines(v);
	free(v->path);
	free(v->wanted);
	*v = (struct ui_value){ 0 };
}

/* ---- lines ---- */

static void add_line(struct ui_value *v, char *line)
{
	if ((v->nr_lines & (v->nr_lines + 1)) == 0)
		v->line = must(realloc(v->line, (2 * v->nr_lines + 2) * sizeof(*v->line)));
	v->line[v->nr_lines++] = line;
}

/* Text of one line: tabs become blanks; what has no picture is told by its bytes. */
static char *text_line(const char *s, size_t len)
{
	size_t size, column = 0;
	char *out = NULL;
	FILE *f = must(open_memstream(&out, &size));

	for (size_t i = 0, n; i < len; i += n) {
		mbstate_t state = { 0 };
		wchar_t w = 0;

		n = mbrtowc(&w, s + i, len - i, &state);
		if (s[i] == '\t') {
			n = 1;
			column += (size_t)fprintf(f, "%*s", (int)(TAB - column % TAB), "");
		} else if (n == 0 || n > len - i || !iswprint((wint_t)w) || wcwidth(w) < 0) {
			n = 1;
			column += (size_t)fprintf(f, "\\x%02x", (unsigned char)s[i]);
		} else {
			fwrite(s + i, 1, n, f);
			column += (size_t)wcwidth(w);
		}
	}
	fclose(f);
	return must(out);
}

static void make_text(struct ui_value *v)
{
	const char *s = v->seen, *end = s + v->seen_len;

	while (s < end) {
		const char *stop = must(memchr(s, '\n', (size_t)(end - s)) ?: (void *)end);
		size_t len = (size_t)(stop - s);

		/* the end of a line of DOS is no part of it */
		add_line(v, text_line(s, len && stop < end && s[len - 1] == '\r' ? len - 1 : len));
		s = stop + 1;
	}
}

static void make_bytes(struct ui_value *v)
{
	for (size_t at = 0; at < v->seen_len; at += BYTES_A_LINE) {
		char hex[3 * BYTES_A_LINE + 2] = "", shown[BYTES_A_LINE + 1] = "", *line, *to = hex;

		for (size_t i = at; i < at + BYTES_A_LINE && i < v->seen_len; i++) {
			unsigned char c = (unsigned char)v->seen[i];

			to += sprintf(to, "%s%02x ", i == at + BYTES_A_LINE / 2 ? " " : "", c);
			shown[i - at] = (char)(c >= ' ' && c < 0x7f ? c : '.');
		}
		if (asprintf(&line, "%06zx  %-50s|%s|", at, hex, shown) < 0)
			cli_die(CLI_FAIL, "out of memory");
		add_line(v, line);
	}
}

static void fold(struct ui_value *v, int width)
{
	size_t max = 0;

	free(v->row);
	v->row = NULL;
	v->nr_rows = 0;
	v->folded_to = width;
	for (size_t i = 0; i < v->nr_lines; i++) {
		const char *s = v->line[i];

		do {
			size_t len = v->unfolded ? strlen(s) : text_fit(s, width);

			if (v->nr_rows == max) {
				max = max ? 2 * max : 64;
				v->row = must(realloc(v->row, max * sizeof(*v->row)));
			}
			v->row[v->nr_rows++] = (struct ui_row){ s, len };
			s += len;
		} while (*s);
	}
}

static bool is_as_seen(const struct ui_value *v, const struct ui_node *n)
{
	return v->seen && v->seen_len == n->len && memcmp(v->seen, n->value, n->len) == 0;
}

void ui_value_refresh(struct ui *u, int width)
{
	struct ui_value *v = &u->value;
	const struct ui_node *n = model_find(&u->model, v->path);

	if (!n || !n->value) {
		ui_say(u, "%s: %s", v->path, n ? "its value cannot be read any more" : "removed");
		v->shown = false;
		return;
	}
	if (!is_as_seen(v, n)) {
		forget_lines(v);
		v->seen = must(malloc(n->len + 1));
		memcpy(v->seen, n->value, n->len + 1);
		v->seen_len = n->len;
		if (v->bytes || !text_is_text(n->value, n->len))
			make_bytes(v);
		else
			make_text(v);
		v->folded_to = 0;
	}
	if (v->folded_to != width)
		fold(v, width);
}

/* ---- keys ---- */

static void move_to(struct ui *u, size_t top)
{
	size_t rows = ui_value_rows(), most = u->value.nr_rows > rows ? u->value.nr_rows - rows : 0;

	u->value.top = top < most ? top : most;
}

static void move_by(struct ui *u, long by)
{
	long top = (long)u->value.top + by;

	move_to(u, top < 0 ? 0 : (size_t)top);
}

static void key_down(struct ui *u) { move_by(u, 1); }
static void key_up(struct ui *u) { move_by(u, -1); }
static void key_page_down(struct ui *u) { move_by(u, (long)ui_value_rows() - 1); }
static void key_page_up(struct ui *u) { move_by(u, 1 - (long)ui_value_rows()); }
static void key_top(struct ui *u) { move_to(u, 0); }
static void key_bottom(struct ui *u) { move_to(u, u->value.nr_rows); }
static void key_right(struct ui *u) { u->value.left += u->value.unfolded ? SIDEWAYS : 0; }
static void key_close(struct ui *u) { u->value.shown = false; }

static void key_left(struct ui *u)
{
	u->value.left -= u->value.left < SIDEWAYS ? u->value.left : SIDEWAYS;
}

static void make_again(struct ui *u)
{
	forget_lines(&u->value);
	u->value.top = u->value.left = 0;
}

static void key_fold(struct ui *u)
{
	u->value.unfolded = !u->value.unfolded;
	make_again(u);
}

static void key_bytes(struct ui *u)
{
	u->value.bytes = !u->value.bytes;
	make_again(u);
}

bool ui_value_is_wanted(const struct ui_value *v, const struct ui_row *row)
{
	char *text = v->wanted ? must(strndup(row->at, row->len)) : NULL;
	bool wanted = text && strcasestr(text, v->wanted);

	free(text);
	return wanted;
}

/* Around, from the row below the first that is seen. */
static void key_next(struct ui *u)
{
	struct ui_value *v = &u->value;

	if (!v->wanted) {
		ui_say(u, "/ searches first");
		return;
	}
	for (size_t i = 1; i <= v->nr_rows; i++) {
		size_t at = (v->top + i) % v->nr_rows;

		if (ui_value_is_wanted(v, &v->row[at])) {
			v->top = at;
			return;
		}
	}
	ui_say(u, "%s is not in this value", v->wanted);
}

static void search_typed(struct ui *u, const char *text)
{
	free(u->value.wanted);
	u->value.wanted = *text ? must(strdup(text)) : NULL;
	if (!u->value.wanted)
		return;
	for (size_t i = 0; i < u->value.nr_rows; i++)
		if (ui_value_is_wanted(&u->value, &u->value.row[i])) {
			u->value.top = i;
			return;
		}
	ui_say(u, "%s is not in this value", text);
}

static void key_search(struct ui *u)
{
	ui_ask(u, "/", "", search_typed);
}

/* The pager gets what is on this screen, not the bytes: it may pass those on. */
static void key_pager(struct ui *u)
{
	char *text = NULL;
	size_t len;
	FILE *f = must(open_memstream(&text, &len));

	for (size_t i = 0; i < u->value.nr_lines; i++)
		fprintf(f, "%s\n", u->value.line[i]);
	fclose(f);
	ui_outside_page(u, must(text), len);
	free(text);
}

/* The keys, in the order that the help has them. */
static const struct {
	int key;
	void (*fn)(struct ui *u);
	const char *help;
} keys[] = {
	{ 'j', key_down, "in a value:     j, k one row down, up; g, G first row, last row" },
	{ KEY_DOWN, key_down, NULL },
	{ '\n', key_down, NULL },
	{ '\r', key_down, NULL },
	{ KEY_ENTER, key_down, NULL },
	{ 'k', key_up, NULL },
	{ KEY_UP, key_up, NULL },
	{ ' ', key_page_down, "                Space, Ctrl-D, Ctrl-U a screen down, up" },
	{ CTRL('D'), key_page_down, NULL },
	{ KEY_NPAGE, key_page_down, NULL },
	{ CTRL('U'), key_page_up, NULL },
	{ KEY_PPAGE, key_page_up, NULL },
	{ 'g', key_top, NULL },
	{ KEY_HOME, key_top, NULL },
	{ 'G', key_bottom, NULL },
	{ KEY_END, key_bottom, NULL },
	{ 'f', key_fold, "                f folds long lines or not; h, l sideways" },
	{ 'l', key_right, NULL },
	{ KEY_RIGHT, key_right, NULL },
	{ 'h', key_left, NULL },
	{ KEY_LEFT, key_left, NULL },
	{ 'x', key_bytes, "                x shows bytes, or text again" },
	{ '/', key_search, "                / searches, n the next one" },
	{ 'n', key_next, NULL },
	{ 'v', key_pager, "                v shows it in $PAGER, e edits it in $EDITOR (with -w)" },
	{ 'e', ui_edit_outside, NULL },
	{ 'y', ui_yank_path, NULL },
	{ 'q', key_close, "                q, Escape the tree again" },
	{ ESCAPE, key_close, NULL },
};

void ui_value_keys_list(struct ui_lines *l)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].help)
			ui_lines_add(l, "%s", keys[i].help);
}

void ui_value_key(struct ui *u, int key)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].key == key)
			keys[i].fn(u);
}

/* Somebody went there just now, and was faster than the answer. */
static void read_now(struct ui *u, const char *path)
{
	struct ui_node *n;
	size_t len;
	int rc;
	char *value = u->link_up ? store_read(0, path, &len, &rc) : NULL;

	n = value ? model_find(&u->model, path) : NULL;
	if (n)
		model_set_value(&u->model, n, value, len, 0, ui_now_ms());
	free(value);
}

void ui_value_open(struct ui *u)
{
	struct ui_value *v = &u->value;
	char path[UI_PATH_MAX];

	model_path(u->model.cursor, path, sizeof(path));
	if (!u->model.cursor->value)
		read_now(u, path);
	if (!u->model.cursor->value) {
		ui_say(u, "%s: its value cannot be read", path);
		return;
	}
	free(v->path);
	v->path = must(strdup(path));
	v->shown = true;
	make_again(u);
}
