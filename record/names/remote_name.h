/* SPDX-License-Identifier: MIT */
/* remote_name.h - the name of a disk on another machine, by whichever protocol. Pure. */
#ifndef STOREVISOR_REMOTE_NAME_H
#define STOREVISOR_REMOTE_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "vdev.h"

/* Whether @text means such a disk, right or wrong. */
bool remote_name_is(const char *text);

/*
 * The one spelling of @text, of which remote_name_is(), to @out, @len bytes, and its protocol.
 * NULL, or what is wrong with it.
 */
const char *remote_name_settle(const char *text, enum vdev_backend *backend, char *out, size_t len);

#endif
