/* SPDX-License-Identifier: MIT */
/* blk_wire32.c - block ring layout of 32-bit guests ("x86_32-abi"): see blk_wire.h. */
#include "blk_wire.h"

#include <stddef.h>

#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/io/ring.h>

/* i386 aligns 64-bit members to 4 bytes; that is all its layout differs in. */
#pragma pack(push, 4)
#include <xen/io/blkif.h>
#pragma pack(pop)

_Static_assert(offsetof(struct blkif_request, id) == 4, "i386 layout: struct blkif_request");
_Static_assert(sizeof(struct blkif_request) == 108, "i386 layout: struct blkif_request");
_Static_assert(sizeof(struct blkif_response) == 12, "i386 layout: struct blkif_response");

#include "blk_wire_impl.h"

const struct blk_wire blk_wire32 = BLK_WIRE("x86_32-abi");
