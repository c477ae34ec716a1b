/* SPDX-License-Identifier: MIT */
/*
 * iscsi_name.h - the name of a disk that an iSCSI target serves.
 *
 *   iscsi://HOST[:PORT]/TARGET/LUN
 * Pure. Source: qemu-block-drivers(7), RFC 7143 (4.2.7, names). Passwords have no place in it.
 */
#ifndef STOREVISOR_ISCSI_NAME_H
#define STOREVISOR_ISCSI_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "net_name.h"

#define ISCSI_TARGET_MAX 223

struct iscsi_name {
	char host[NET_HOST_MAX + 1];
	char port[NET_PORT_MAX + 1];
	char target[ISCSI_TARGET_MAX + 1]; /* letters, digits, - . and : */
	unsigned int lun;		   /* at most 16383 */
};

/* Whether @text means such a disk, right or wrong. */
bool iscsi_name_is(const char *text);

/* NULL with @name filled in, or what is wrong with @text, of which iscsi_name_is(). */
const char *iscsi_name_parse(const char *text, struct iscsi_name *name);

/* The one spelling of @name to @out, @len bytes with the NUL. False: it has no room. */
bool iscsi_name_format(const struct iscsi_name *name, char *out, size_t len);

#endif
