/* SPDX-License-Identifier: MIT */
/* blk_guest32.c - requests as a 32-bit guest lays them out. */
#include "blk_guest.h"

#include <stddef.h>

#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/io/ring.h>
#pragma pack(push, 4)
#include <xen/io/blkif.h>
#pragma pack(pop)

#include "blk_guest_impl.h"

const struct blk_guest blk_guest32 = { put, put_indirect, put_discard, get, put_seg };
