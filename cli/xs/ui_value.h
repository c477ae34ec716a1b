/* SPDX-License-Identifier: MIT */
/*
 * ui_value.h - the value under the cursor of `xs browse` on the whole screen: text by its lines,
 * anything else by its bytes. Shows what the model has, so it follows changes.
 */
#ifndef STOREVISOR_XS_UI_VALUE_H
#define STOREVISOR_XS_UI_VALUE_H

#include <stdbool.h>
#include <stddef.h>

struct ui;

/* A row of the screen: @len bytes at @at of a line. */
struct ui_row {
	const char *at;
	size_t len;
};

struct ui_value {
	bool shown, unfolded, bytes;
	char *path;           /* whose value it is */
	char *seen;           /* what the lines were made of; NULL: to be made */
	size_t seen_len;
	char **line;          /* as they are shown, nothing cut */
	size_t nr_lines;
	struct ui_row *row;   /* the same, folded to @folded_to columns */
	size_t nr_rows;
	int folded_to;
	size_t top, left;     /* first row, first column that is seen */
	char *wanted;         /* what was searched for, or NULL */
};

/* Shows the value under the cursor. */
void ui_value_open(struct ui *u);
/* One key while it is shown. */
void ui_value_key(struct ui *u, int key);
/* Makes lines and rows of what the value is now, @width columns wide; closes without the node. */
void ui_value_refresh(struct ui *u, int width);
/* Whether a row holds what was searched for. */
bool ui_value_is_wanted(const struct ui_value *v, const struct ui_row *row);
void ui_value_fini(struct ui_value *v);

#endif
