/* SPDX-License-Identifier: MIT */
/*
 * load.h - a configuration file and key=value words into a record; says what is wrong with them.
 */
#ifndef XM_LOAD_H
#define XM_LOAD_H

#include "cfg.h"
#include "record.h"
#include "xm.h"

#define LOAD_PATH_MAX 1024

/* All of a file ("-": standard input), malloc'd, its length in *@len; NULL after saying why not. */
char *load_text(struct xm *xm, const char *path, size_t *len);

/*
 * Reads @file (found as given, else in /etc/xen, with .cfg added if need be; "-" is standard input;
 * NULL: none, the overrides say it all), applies @nr @overrides, and makes @rec. Warnings go to
 * standard error unless @quiet. @found gets the path used. Returns 0, or 1 after saying why.
 */
int load_record(struct xm *xm, const char *file, char *const *overrides, int nr, bool quiet,
		struct record *rec, char found[LOAD_PATH_MAX]);

/* The same of @text, which came from @source. */
int load_record_text(struct xm *xm, const char *source, const char *text, size_t len, bool quiet,
		     struct record *rec);

/* Whether the files a start needs are there, readable and of the right kind. 0, or 1 after naming
 * all that are not. */
int load_check_files(struct xm *xm, const struct record *rec);

/* What /config/network/bridge says, for record_bridge(); malloc'd, or NULL. */
char *load_bridge(struct xm *xm);

/* record_settle() on this host. */
void load_host(struct xm *xm, struct record *rec);

#endif
