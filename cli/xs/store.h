/* SPDX-License-Identifier: MIT */
/*
 * store.h - how a command of xs reaches the store: one connection, opened when first needed, and
 * the short ways of naming a path.
 */
#ifndef STOREVISOR_XS_STORE_H
#define STOREVISOR_XS_STORE_H

#include <stddef.h>

#include <xs.h>

/* Connects if need be. 0, or -errno when there is no daemon. */
int store_connect(void);
/* The connection. Ends the program with CLI_NO_STORE when there is no daemon. */
struct xs_client *store(void);

/* Closes the connection: requests in flight end in -ECANCELED. */
void store_hang_up(void);

/*
 * Full path for what the user typed, malloc'd: "/..." as it is; "~/x" below the own domain's home
 * and "~N/x" below domain N's; "NAME:x" or "vm:NAME/x" below the home of the running domain NAME;
 * anything else below "/". What no name in the store can have is written as a code (name_typed()).
 * A trailing slash goes. Ends the program when NAME is not running, or the path is too long.
 */
char *store_path(const char *typed);

/* Reads one value, also a long one (long_value.h): malloc'd, or NULL and -errno in *@rc. */
char *store_read(uint32_t tx, const char *path, size_t *len, int *rc);

/* The same, as Xen's tools see it: of a long value its mark. */
char *store_read_kept(uint32_t tx, const char *path, size_t *len, int *rc);

/* Domain id of the running domain @name, or -1. */
int store_domid(const char *name);

/* "n0,r5" from the daemon's "n0 NUL r5 NUL" into @buf. */
void store_perms_text(const char *perms, size_t len, char *buf, size_t size);

/* Ends the program with "PATH: words" for @rc. */
_Noreturn void store_failed(const char *path, int rc);

#endif
