/* SPDX-License-Identifier: MIT */
/*
 * attempts.h - what the guest of a device would try in the store if the device's process were its.
 * Run by that process, without rights, on its own connection.
 */
#ifndef ATTEMPTS_H
#define ATTEMPTS_H

#include <stdbool.h>

#include "store_confined.h"

struct xs_handle;

/*
 * Tries everything, watches last and only with @watches (a handle's first one starts a thread,
 * which a process without rights may not). @say gets a line for each: its name and whether it was
 * withheld. Returns how many succeeded, and in *@tried (may be NULL) how many there were.
 */
int attempts_run(struct xs_handle *xs, const struct store_scope *scope, bool watches,
		 void (*say)(const char *name, int withheld), int *tried);

#endif
