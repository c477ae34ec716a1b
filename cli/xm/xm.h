/* SPDX-License-Identifier: MIT */
/*
 * xm.h - one run of xm: its streams, its connection to the store, and how it says what went wrong.
 *
 * Everything xm does goes through the store; nothing here talks to a daemon or the hypervisor.
 * Commands, options, help and exit statuses: cli/lib. A command finds this in its arguments (with).
 */
#ifndef XM_XM_H
#define XM_XM_H

#include <stdbool.h>
#include <stdio.h>

#include "cmd.h"

struct xs_handle;

struct xm {
	const struct cli_tool *tool; /* as the user called it */
	const char *prog;	     /* its name: "xm" or "xl" */
	FILE *in, *out, *err;
	struct cli_voice voice; /* on out and err */
	struct xs_handle *xs;	/* NULL until xm_store() */
	bool out_tty;		/* a person reads standard output */
	bool progress;		/* standard error is a terminal: progress may overwrite its line */
	int cause;		/* what the store refused: CLI_NO_STORE, CLI_NO_RIGHT; 0: nothing */
};

/* The whole program: @argv[0] decides the name. Returns the exit status. */
int xm_main(int argc, char **argv, FILE *in, FILE *out, FILE *err);

/* The store, connected at the first call; NULL after saying why not. */
struct xs_handle *xm_store(struct xm *xm);

/* Prints "Error: ..." and returns 1. What is wrong with the line itself: cli_refuse(). */
int xm_fail(struct xm *xm, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Prints "Warning: ...". */
void xm_warn(struct xm *xm, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Says that the store failed @what ("reading the record of web") with errno, and returns 1; the
 * run's status tells a store that is away and a right that is lacking.
 */
int xm_fail_store(struct xm *xm, const char *what, int err);

#endif
