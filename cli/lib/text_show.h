/* SPDX-License-Identifier: MIT */
/*
 * text_show.h - whole texts of others on their way to standard output: on a terminal nothing in
 * them controls it. What goes elsewhere, a pipe or a file, is left as it is.
 */
#ifndef STOREVISOR_CLI_TEXT_SHOW_H
#define STOREVISOR_CLI_TEXT_SHOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * Whether a terminal shows @len bytes and does nothing else: text_is_text() without U+0080 to
 * U+009F, where many terminals find the beginning of an escape sequence.
 */
bool text_is_harmless(const void *data, size_t len);

/* Prints @len bytes, lines of text; on a terminal control bytes but \n and \t come as \xNN. */
void text_show(FILE *f, const char *text, size_t len);

/* Prints @len bytes of JSON; on a terminal U+0080 to U+009F come as \u0080 to \u009f. */
void text_show_json(FILE *f, const char *json, size_t len);

#endif
