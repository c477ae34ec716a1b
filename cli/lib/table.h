/* SPDX-License-Identifier: MIT */
/*
 * table.h - rows of text in aligned columns. Numbers right, words left, two blanks between; the
 * last column is not padded. Output is the same to a terminal and to a pipe.
 */
#ifndef STOREVISOR_CLI_TABLE_H
#define STOREVISOR_CLI_TABLE_H

#include <stdio.h>

struct table;

/*
 * @spec: one letter a column, 'l' left or 'r' right. @heads: that many titles, or NULL for none.
 * Returns the table; exits when out of memory, as all functions here.
 */
struct table *table_create(const char *spec, const char *const *heads);
/* Appends one cell; after the last of a row the next begins a new one. */
void table_cell(struct table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The last column is folded (text_fold()) to a terminal of @width columns; 0: it is not. */
void table_fold(struct table *t, int width);
/* Prints all rows to @f and frees the table. */
void table_print(struct table *t, FILE *f);

#endif
