/* SPDX-License-Identifier: MIT */
/*
 * packed_perms.h - a permission set in a record: 3 bytes an entry, domid (little-endian) and
 * access.
 */
#ifndef XENSTORED_PACKED_PERMS_H
#define XENSTORED_PACKED_PERMS_H

#include <stdbool.h>

#include "bytes.h"
#include "xs_path.h"
#include "xs_wire.h"

#define PACKED_PERM 3
/* A request can bring no more than these, and who keeps them has room for no more. */
#define PACKED_PERMS_MAX (XENSTORE_PAYLOAD_MAX / PACKED_PERM)

/* Whether some request can have made a node of that: a record that says so may be anybody's. */
static inline bool packed_fits(unsigned int nr_perms, uint32_t value_len)
{
	return nr_perms <= PACKED_PERMS_MAX && value_len <= XENSTORE_PAYLOAD_MAX;
}

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
