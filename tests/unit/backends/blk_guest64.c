/* SPDX-License-Identifier: MIT */
/* blk_guest64.c - requests as a 64-bit guest lays them out. */
#include "blk_guest.h"

#include <stddef.h>

#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/io/ring.h>

#include <xen/io/blkif.h>

#include "blk_guest_impl.h"

const struct blk_guest blk_guest64 = { put, put_indirect, put_discard, get, put_seg };
