/* SPDX-License-Identifier: MIT */
/*
 * text.h - store values on their way to a terminal: guest-controlled bytes never arrive raw.
 */
#ifndef STOREVISOR_CLI_TEXT_H
#define STOREVISOR_CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * @len bytes as printable text, malloc'd: control bytes as \n \r \t or \xNN, a backslash as \\,
 * valid UTF-8 unchanged. Exits when out of memory.
 */
char *text_escape(const void *data, size_t len);

/*
 * The form of the original xenstore tools: \n \r \t, \ooo or \xNN otherwise, a backslash as \\.
 * Everything outside ASCII is escaped.
 */
char *text_escape_xenstore(const void *data, size_t len);

/*
 * Undoes text_escape_xenstore() in place. Returns the new length. An escape that is none stands for
 * its second character, as in the original.
 */
long text_unescape_xenstore(char *s);

/* Whether @len bytes are valid UTF-8 without NUL and without control bytes but \t \n \r. */
bool text_is_text(const void *data, size_t len);
/* How many bytes at the start of @s, at least one character, fit into @width columns. */
size_t text_fit(const char *s, int width);
/* Columns that @s takes on a terminal. */
int text_width(const char *s);
/*
 * Prints @text to @f, a terminal of @width columns, from column @at on (0 is the first), and goes
 * on there in the next rows. After some rows it is cut, and told how many bytes are left out.
 * @width 0, or little room: in one piece.
 */
void text_fold(FILE *f, const char *text, int at, int width);
/* Columns of the terminal that standard output is; 0: it is none. */
int text_terminal_width(void);
/* Length of the UTF-8 sequence at @s (1-4), or 0 when it is not one within @len bytes. */
size_t text_utf8_len(const unsigned char *s, size_t len);

#endif
