/* SPDX-License-Identifier: MIT */
/*
 * text.h - store values on their way to a terminal: guest-controlled bytes never arrive raw.
 */
#ifndef STOREVISOR_CLI_TEXT_H
#define STOREVISOR_CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>

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
/* Length of the UTF-8 sequence at @s (1-4), or 0 when it is not one within @len bytes. */
size_t text_utf8_len(const unsigned char *s, size_t len);

#endif
