/* SPDX-License-Identifier: MIT */
/*
 * compat.h - xs under the names of the original tools: xenstore, xenstore-ls, -read, -write, -rm,
 * -list, -exists, -chmod, -watch, -control: their options, output, messages and exit codes.
 */
#ifndef STOREVISOR_XS_COMPAT_H
#define STOREVISOR_XS_COMPAT_H

#include <stdbool.h>

#include "store.h"

enum compat_mode {
	COMPAT_READ,
	COMPAT_WRITE,
	COMPAT_RM,
	COMPAT_EXISTS,
	COMPAT_LIST,
	COMPAT_LS,
	COMPAT_CHMOD,
	COMPAT_WATCH,
	COMPAT_NR,
};

struct compat_opts {
	bool flat, prefix, tidy, upto, recurse, raw;
	int nr_watches; /* <0: no end */
};

/* Whether @argv0 is one of those names. */
bool compat_is(const char *argv0);
/* Runs it. Returns the exit status. */
int compat_main(int argc, char **argv);

/* xenstore-ls of one path. */
void compat_ls(const char *path, const struct compat_opts *o);
/* xenstore-watch of @n paths; returns after o->nr_watches events. */
int compat_watch(int n, char **paths, const struct compat_opts *o);
int compat_control(int argc, char **argv);

#endif
