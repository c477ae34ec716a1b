/* SPDX-License-Identifier: MIT */
/*
 * packed_perms.h - a permission set in a record: 3 bytes an entry, domid (little-endian) and access.
 */
#ifndef XENSTORED_PACKED_PERMS_H
#define XENSTORED_PACKED_PERMS_H

#include "bytes.h"
#include "xs_path.h"

#define PACKED_PERM 3

static inline void packed_perm_put(unsigned char *perms, unsigned int i, const struct xs_perm *in)
{
	put_le16(perms + i * PACKED_PERM, in->domid);
	perms[i * PACKED_PERM + 2] = in->access;
}

static inline struct xs_perm packed_perm_get(const unsigned char *perms, unsigned int i)
{
	return (struct xs_perm){
		.domid = get_le16(perms + i * PACKED_PERM),
		.access = perms[i * PACKED_PERM + 2],
	};
}

#endif
