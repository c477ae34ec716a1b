/* SPDX-License-Identifier: MIT */
/*
 * ui.h - `xs browse` as a whole: what its parts share. One thread, one struct ui; everything read
 * from the store comes by callback (ui_read.c), so the screen answers while the daemon is away.
 */
#ifndef STOREVISOR_XS_UI_H
#define STOREVISOR_XS_UI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xs.h>

#include "rules.h"
#include "ui_log.h"
#include "ui_model.h"
#include "ui_pace.h"
#include "ui_value.h"

#define UI_PATH_MAX (XENSTORE_ABS_PATH_MAX + 1)
#define UI_TEXT_MAX 4096
#define UI_FLASH_MS 2000

enum ui_pane {
	PANE_NONE, PANE_EVENTS, PANE_DEVICES, PANE_PINS, PANE_DIFF, PANE_FOUND, PANE_KEYS, PANE_NR
};

/* Lines of text that a pane shows. */
struct ui_lines {
	char **at;
	size_t nr, max;
};

struct ui;

/* The line at the bottom while the user types. */
struct ui_prompt {
	const char *label; /* NULL: nobody is asked anything */
	char text[UI_TEXT_MAX];
	size_t len;
	void (*typed)(struct ui *u);                  /* after each key, or NULL */
	void (*done)(struct ui *u, const char *text); /* after Enter */
};

/* What only the node under the cursor is asked for. */
struct ui_detail {
	char path[UI_PATH_MAX];
	char *perms;
	size_t perms_len;
	long long gen; /* -1: not known */
	bool stale;
	unsigned int asked; /* requests on their way */
};

struct ui_edit; /* ui_edit.c */

struct ui {
	struct ui_model model;
	struct ui_detail detail;
	struct ui_log log;
	struct ui_log pins; /* pinned paths, each with its value and how often it changed */
	struct ui_lines devices, diff, found, keys;
	struct xs_node *snapshot;
	struct rules rules; /* ui_rules.c */
	bool rules_known;   /* read, and not known to have changed */
	int64_t devices_ms, diff_ms; /* when they were read, 0: to be read */
	struct ui_prompt prompt;
	struct ui_edit *edit; /* being asked about, or on its way */
	struct ui_pace pace;
	enum ui_pane pane, pane_before;
	size_t top, pane_top, found_at;
	struct ui_value value;
	bool in_values; /* what was searched last */
	bool zoom, writable, link_up, quit;
	uint64_t nr_events;
	char last_jump[UI_PATH_MAX]; /* where b goes back to */
	char *yanked; /* what y or Y copied; Ctrl-Y types it */
	char message[UI_PATH_MAX + UI_TEXT_MAX]; /* "" : the command for what is seen */
};

/* ui_read.c: asks for whatever is on the screen and not known or no longer true. */
void ui_read(struct ui *u, size_t nr_lines);
/* A change the store reported. @arg: the struct ui. */
void ui_on_event(void *arg, const char *path);
void ui_on_link(void *arg, bool up);
int64_t ui_now_ms(void);

/* ui_draw.c */
void ui_draw_init(void);
void ui_draw(struct ui *u);
/* Lines of the tree, of the lower pane, that the terminal has room for. */
size_t ui_tree_rows(const struct ui *u);
size_t ui_pane_rows(const struct ui *u);
/* The same of a value on the whole screen. */
size_t ui_value_rows(void);

/* ui_panes.c: what the lower panes say. */
void ui_panes_refresh(struct ui *u);
void ui_lines_clear(struct ui_lines *l);
void ui_lines_add(struct ui_lines *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void ui_snapshot_take(struct ui *u);

/* ui_keys.c: one key, of the prompt if it is open. */
void ui_key(struct ui *u, int key);
void ui_keys_list(struct ui_lines *l);
void ui_value_keys_list(struct ui_lines *l);
void ui_ask(struct ui *u, const char *label, const char *text,
	    void (*done)(struct ui *u, const char *text));
void ui_say(struct ui *u, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Opens the way to @path and goes there. Says so when there is no such node. */
void ui_jump(struct ui *u, const char *path);

/* ui_view.c: the next of tree, flat list, and only what is about the domain under the cursor. */
void ui_view_next(struct ui *u);

/* ui_yank.c: the path, or the node and all below as JSON, to the terminal's clipboard. */
void ui_yank_path(struct ui *u);
void ui_yank_json(struct ui *u);

/* ui_whole.c: only what holds a text; the next order. */
void ui_filter_begin(struct ui *u);
void ui_order_next(struct ui *u);

/* ui_find.c: fuzzy search over all paths, and for text in values. */
void ui_find_begin(struct ui *u);
void ui_find_value_begin(struct ui *u);
void ui_find_next(struct ui *u, int step);
/* How well @text has the letters of @pattern in this order: 0 not at all, else more is better. */
int ui_fuzzy(const char *pattern, const char *text);

/* ui_edit.c: changes, each a transaction that holds only if what was on the screen is true. */
void ui_edit_value(struct ui *u);
void ui_edit_outside(struct ui *u);
void ui_edit_perms(struct ui *u);
void ui_edit_add(struct ui *u);
void ui_edit_remove(struct ui *u);
void ui_edit_forget(struct ui *u);

#endif
