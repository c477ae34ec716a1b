/* SPDX-License-Identifier: MIT */
/*
 * die.h - how a command-line tool says what went wrong: one line on standard error, named after
 * the tool, and an exit status with one meaning everywhere.
 */
#ifndef STOREVISOR_CLI_DIE_H
#define STOREVISOR_CLI_DIE_H

enum cli_exit {
	CLI_OK = 0,
	CLI_FAIL = 1,    /* refused, not found, the condition cannot come true */
	CLI_USAGE = 2,   /* the command line is wrong */
	CLI_NO_STORE = 3,
	CLI_NO_RIGHT = 4,
	CLI_TIMEOUT = 124,
	CLI_NO_HANDLER = 125, /* --exec: the handler could not be started */
};

/* Names the tool in messages ("xs", "xenstore-ls"). @name is kept, not copied. */
void cli_set_name(const char *name);
const char *cli_name(void);
/* Messages become one JSON object a line: {"error":"...","code":N}. */
void cli_set_json_errors(int on);
/* Messages go to @fn instead, one line each without its end; NULL: to standard error again. */
void cli_set_say(void (*fn)(const char *text));

/* One line on standard error; the program goes on. */
void cli_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same, then cli_end(@code). */
_Noreturn void cli_die(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* exit(@code) when all is said; what callers hold is left to the kernel. */
_Noreturn void cli_end(int code);
/* @p as it is; NULL ends the program: out of memory. */
void *must(void *p);
/* Exit status for -errno @rc of the store: 3 connection lost, 4 not permitted, else 1. */
int cli_code(int rc);
/* Words for -errno @rc in the store's terms ("no such node", ...). */
const char *cli_words(int rc);

#endif
