/* SPDX-License-Identifier: MIT */
/*
 * json_print.h - the one place where the tools print JSON: the forms there are, always with a final
 * newline.
 */
#ifndef STOREVISOR_CLI_JSON_PRINT_H
#define STOREVISOR_CLI_JSON_PRINT_H

#include <jansson.h>

#include "die.h"

enum json_form {
	JSON_ANSWER, /* pretty where @v's output is a terminal, one line otherwise */
	JSON_LINE,   /* one line, not flushed */
	JSON_ROW,    /* the same by sorted keys */
	JSON_PAGE,   /* pretty, by sorted keys */
	JSON_XL,     /* pretty as Xen's xl: grep reads it */
};

/*
 * Prints @value, which stays the caller's. Returns the exit status; the first failure of an
 * output is told, but not that its reader went away.
 */
int json_show(struct cli_voice *v, const json_t *value, enum json_form form);
/* The same, and drops @value; NULL: out of memory. */
int json_say(struct cli_voice *v, json_t *value, enum json_form form);

/*
 * The same by the program's voice, as JSON_ANSWER, and as JSON_LINE, flushed; what fails ends the
 * program.
 */
void json_print(json_t *value);
void json_print_line(json_t *value);

#endif
