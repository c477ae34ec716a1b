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

const struct blk_wire blk_wire64 = BLK_WIRE("x86_64-abi");
