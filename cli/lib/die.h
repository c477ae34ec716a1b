/* SPDX-License-Identifier: MIT */
/*
 * die.h - how a command-line tool says what went wrong: one line on standard error, and an exit
 * status with one meaning everywhere. Both manuals have the list of statuses from here,
 * docs/verbs.md is held to it.
 */
#ifndef STOREVISOR_CLI_DIE_H
#define STOREVISOR_CLI_DIE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

enum cli_exit {
	CLI_OK = 0,            /* done; what is asked for is so */
	CLI_FAIL = 1,          /* refused or not found; the condition is false; it differs */
	CLI_USAGE = 2,         /* wrong command line or document; diff: there is nothing to compare */
	CLI_NO_STORE = 3,      /* no store answers */
	CLI_NO_RIGHT = 4,      /* not permitted */
	CLI_TIMEOUT = 124,     /* the time that was given is over */
	CLI_NO_HANDLER = 125,  /* a handler (xs watch --exec) could not be started */
	CLI_INTERRUPTED = 130, /* interrupted; a start (xm create, xm start) is withdrawn */
};

/* How one run of a tool speaks. A program has one; who runs a tool inside a test makes more. */
struct cli_voice {
	const char *name;  /* in front of messages; NULL: "Error", "Warning", as Xen's xl */
	FILE *out, *err;   /* NULL: the standard streams */
	bool json;	   /* messages are one JSON object a line: {"error":"...","code":N} */
	bool colour;	   /* "Error" may be red */
	bool said_error;   /* so that nothing more needs to be said of how it went */
	void (*say)(const char *text); /* messages go there, one line each without its end; or NULL */
};

enum cli_level { CLI_WARNING, CLI_ERROR };

/* The program's own: what cli_warn() and cli_die() use. One thread. */
struct cli_voice *cli_voice(void);
FILE *cli_out(const struct cli_voice *v);
FILE *cli_err(const struct cli_voice *v);
/* One line; @code is told in JSON. */
void cli_say(struct cli_voice *v, enum cli_level level, int code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void cli_vsay(struct cli_voice *v, enum cli_level level, int code, const char *fmt, va_list ap);

/* One line by the program's voice; the program goes on. */
void cli_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same, then cli_end(@code). */
_Noreturn void cli_die(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* For a child that could not become @program: says why, by errno, and ends it. */
_Noreturn void cli_not_run(const char *program);
/* exit(@code) when all is said; what callers hold is left to the kernel. */
_Noreturn void cli_end(int code);
/* @p as it is; NULL ends the program: out of memory. */
void *must(void *p);
/* Exit status for -errno @rc of the store: 3 connection lost, 4 not permitted, else 1. */
int cli_code(int rc);
/* Words for -errno @rc in the store's terms ("no such node", ...). */
const char *cli_words(int rc);

#endif
