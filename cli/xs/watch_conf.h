/* SPDX-License-Identifier: MIT */
/*
 * watch_conf.h - an automation in a file: the options, paths and command of `xs watch`, a line
 * each.
 */
#ifndef STOREVISOR_XS_WATCH_CONF_H
#define STOREVISOR_XS_WATCH_CONF_H

#include <stdbool.h>

#include "cmd.h"

/* Where automations are kept, one a file NAME.conf. */
#define WATCH_DIR "/etc/xen/watch.d"

/*
 * Runs `xs watch` as the file of @a's --config says; what else is on the command line comes after
 * it. Returns the exit status. A file that is wrong ends the program (CLI_USAGE) with its line.
 */
int watch_conf_run(const struct cli_args *a);
/*
 * Keeps what is in @file now: that is what watch_conf_is_right() judges, and what a process that
 * this one becomes reads, wherever the file is by then. False, with errno: it cannot be read.
 */
bool watch_conf_keep(const char *file);
/* Nothing is kept: from here on it is the file again. */
void watch_conf_forget(void);
/* Whether @file can be used now; what is wrong with it is said by the process that looks. */
bool watch_conf_is_right(const char *file);
/* The file that watch_conf_run() has read; NULL: none. */
const char *watch_conf_file(void);

#endif
