/* SPDX-License-Identifier: MIT */
/* blk_wire64.c - block ring layout of 64-bit guests ("x86_64-abi"): see blk_wire.h. */
#include "blk_wire.h"

#include <stddef.h>

#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/io/ring.h>
#include <xen/io/blkif.h>

_Static_assert(offsetof(struct blkif_request, id) == 8, "x86_64 layout: struct blkif_request");
_Static_assert(sizeof(struct blkif_request) == 112, "x86_64 layout: struct blkif_request");
_Static_assert(sizeof(struct blkif_response) == 16, "x86_64 layout: struct blkif_response");

#include "blk_wire_impl.h"

const struct blk_wire blk_wire64 = {
	.protocol = "x86_64-abi",
	.geo =
		{
			.stride = sizeof(union blkif_sring_entry),
			.req_len = sizeof(struct blkif_request),
			.rsp_len = sizeof(struct blkif_response),
			.nr_ents = 32,
		},
	.decode = decode,
	.encode = encode,
	.segment = segment,
};

_Static_assert(
	(4096 - offsetof(struct blkif_sring, ring)) / sizeof(union blkif_sring_entry) >= 32 &&
		(4096 - offsetof(struct blkif_sring, ring)) / sizeof(union blkif_sring_entry) < 64,
	"32 slots are the largest power of two in a page");
