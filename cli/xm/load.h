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

/*
 * Reads @file (found as given, else in /etc/xen, with .cfg added if need be; "-" is standard input;
 * NULL: none, the overrides say it all), applies @nr @overrides, and makes @rec. Warnings go to
 * standard error unless @quiet. @found gets the path used. Returns 0, or 1 after saying why.
 */
int load_record(struct xm *xm, const char *file, const char *const *overrides, int nr, bool quiet,
		struct record *rec, char found[LOAD_PATH_MAX]);

/*
 * Whether the files a start needs are there, readable and of the right kind; settles what each disk
 * without a prefix is (phy: or file:). 0, or 1 after naming the first that is not.
 */
int load_check_files(struct xm *xm, struct record *rec);

/* Sets the bridge of cards that name none: /config/network/bridge, else xenbr0. */
void load_default_bridge(struct xm *xm, struct record *rec);

#endif
