/* SPDX-License-Identifier: MIT */
/*
 * args.h - a command's options: one table row an option, one parser for all commands. Pure.
 *
 * Options and arguments may be mixed (xm create FILE -c); `--` ends options; -cp, -f FILE, -fFILE,
 * --file FILE and --file=FILE are understood. Unlike getopt it keeps no state in the process.
 */
#ifndef XM_ARGS_H
#define XM_ARGS_H

#include <stdbool.h>
#include <stddef.h>

#define ARGS_MAX 256 /* positional arguments, and options given, of one call */
#define ARGS_ERROR_LEN 256

/* Keys of options that have no short form. */
enum {
	OPT_JSON = 0x100,
	OPT_IDLE,
	OPT_TIMEOUT,
	OPT_HOST,
	OPT_DOWNTIME,
	OPT_BANDWIDTH,
	OPT_SKIP, /* taken for compatibility, no effect, not shown */
};

struct opt {
	int key;	  /* the short option's character, or one of the above */
	const char *name; /* long form without dashes, or NULL */
	const char *arg;  /* name of its value; NULL: a switch */
	const char *help; /* NULL: not shown */
};

struct args {
	int nr;			  /* positional arguments */
	const char *at[ARGS_MAX]; /* point into argv */
	int nr_given;
	struct {
		int key;
		const char *value;
	} given[ARGS_MAX];
};

/* The options every command has: -h --help. */
extern const struct opt args_common[];

/*
 * Splits @argv (@argc words, the command's name not among them) by @options (may be NULL) and
 * args_common. Returns 0, or -EINVAL with @err naming the word and the nearest option.
 */
int args_parse(struct args *args, const struct opt *options, int argc, char **argv,
	       char err[ARGS_ERROR_LEN]);

bool args_has(const struct args *args, int key);

/* The value of the last @key given, or NULL. */
const char *args_value(const struct args *args, int key);

/* A value as a number of seconds from 0 to 86400: false when it is not one. @ns gets nanoseconds.
 */
bool args_seconds(const char *text, long long *ns);

#endif
