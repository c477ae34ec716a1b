/* SPDX-License-Identifier: MIT */
/*
 * table.c - rows of text in aligned columns.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "table.h"
#include "text.h"

#define GAP 2 /* blanks between columns */

struct table {
	char *spec;
	size_t nr_cols;
	int fold; /* columns of the terminal, 0: not folded */
	char **cells;
	size_t nr_cells, max_cells;
};

static void cell_add(struct table *t, char *text)
{
	if (t->nr_cells == t->max_cells) {
		t->max_cells = t->max_cells ? t->max_cells * 2 : 64;
		t->cells = must(realloc(t->cells, t->max_cells * sizeof(*t->cells)));
	}
	t->cells[t->nr_cells++] = text;
}

struct table *table_create(const char *spec, const char *const *heads)
{
	struct table *t = must(calloc(1, sizeof(*t)));

	t->spec = must(strdup(spec));
	t->nr_cols = strlen(spec);
	for (size_t i = 0; heads && i < t->nr_cols; i++)
		cell_add(t, must(strdup(heads[i])));
	return t;
}

void table_fold(struct table *t, int width)
{
	t->fold = width;
}

void table_cell(struct table *t, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	cell_add(t, must(text));
}

/* Columns of a UTF-8 string, one a code point. */
static int width_of(const char *s)
{
	int n = 0;

	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

/* @at: the column it begins at. */
static void print_cell(const struct table *t, size_t i, int width, int at, FILE *f)
{
	size_t col = i % t->nr_cols;
	int pad = width - width_of(t->cells[i]);

	if (t->spec[col] == 'r')
		fprintf(f, "%*s%s", pad, "", t->cells[i]);
	else if (col + 1 == t->nr_cols)
		text_fold(f, t->cells[i], at, t->fold);
	else
		fprintf(f, "%s%*s", t->cells[i], pad, "");
	fputs(col + 1 == t->nr_cols ? "\n" : "  ", f);
}

void table_print(struct table *t, FILE *f)
{
	int *width = must(calloc(t->nr_cols, sizeof(*width)));

	for (size_t i = 0; i < t->nr_cells; i++) {
		int w = width_of(t->cells[i]);

		if (w > width[i % t->nr_cols])
			width[i % t->nr_cols] = w;
	}
	for (size_t i = 0, at = 0; i < t->nr_cells; i++) {
		size_t col = i % t->nr_cols;

		at = col ? at + (size_t)width[col - 1] + GAP : 0;
		print_cell(t, i, width[col], (int)at, f);
		free(t->cells[i]);
	}
	free(width);
	free(t->cells);
	free(t->spec);
	free(t);
}
