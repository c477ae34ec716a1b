/* SPDX-License-Identifier: MIT */
/*
 * xm.h - one run of xm: its streams, its connection to the store, and how it says what went wrong.
 *
 * Everything xm does goes through the store; nothing here talks to a daemon or the hypervisor.
 */
#ifndef XM_XM_H
#define XM_XM_H

#include <stdbool.h>
#include <stdio.h>

struct xs_handle;
struct args;
struct opt;

struct xm {
	const char *prog;    /* "xm" or "xl": as the user called it */
	const char *command; /* the command that runs, for messages; NULL before there is one */
	FILE *in, *out, *err;
	struct xs_handle *xs; /* NULL until xm_store() */
	bool out_tty;	      /* a person reads standard output: JSON is indented */
	bool progress;	      /* standard error is a terminal: progress may overwrite its line */
	bool colour;	      /* standard error may be coloured (terminal, no NO_COLOR) */
	bool verbose;	      /* xm -v */
};

/* One command: the row is also its help, its line in `xm help` and its completion. */
struct command {
	const char *name;
	const char *usage;	   /* what follows the name: "[-w] DOMAIN" */
	const char *summary;	   /* one line, no full stop */
	const char *detail;	   /* more sentences, or NULL */
	const char *example;	   /* a command line to try */
	const struct opt *options; /* ends with a row of key 0; NULL: none */
	int min_args, max_args;	   /* positional; max < 0: any number */
	/* Returns the exit status; has printed its error. */
	int (*run)(struct xm *xm, const struct args *args);
};

/* The whole program: @argv[0] decides the name. Returns the exit status. */
int xm_main(int argc, char **argv, FILE *in, FILE *out, FILE *err);

/* The store, connected at the first call; NULL after saying why not. */
struct xs_handle *xm_store(struct xm *xm);

/* Prints "Error: ..." and returns 1, the exit status of everything that failed. */
int xm_fail(struct xm *xm, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Prints "Warning: ...". */
void xm_warn(struct xm *xm, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Says that the store failed @what ("reading the record of web") with errno, and returns 1. */
int xm_fail_store(struct xm *xm, const char *what, int err);

/* Rows of the command table; NULL after the last. */
const struct command *command_at(size_t i);

/*
 * The command of that name, or of that unique beginning (as xl does). NULL: none, or more than one;
 * then @err of xm has been told.
 */
const struct command *command_find(struct xm *xm, const char *name);

/* Prints usage, options and detail of one command. */
void command_help(const struct xm *xm, FILE *to, const struct command *cmd);

#endif
