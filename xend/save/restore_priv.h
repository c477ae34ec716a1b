/* SPDX-License-Identifier: MIT */
/*
 * restore_priv.h - what the restore_*.c files share: a restore under way. All of it is the worker's
 * while that runs; the reader, another process, has a copy of its own, and with it fills what is
 * marked so.
 */
#ifndef XEND_RESTORE_PRIV_H
#define XEND_RESTORE_PRIV_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define __XEN_TOOLS__ 1
#include <xen/xen.h>

#include "domain.h"
#include "guest_ram.h"
#include "hv.h"
#include "move_msg.h"
#include "move_times.h"
#include "restore_frames.h"
#include "restore_link.h"
#include "saved_head.h"
#include "stream_sum.h"
#include "worker.h"

#define PAGE GUEST_PAGE_SIZE
#define P2M_PER_PAGE (PAGE / 8)

struct saved_vcpu {
	bool has_context, has_callbacks;
	struct vcpu_guest_context ctx;
	uint8_t callbacks[HV_CALLBACKS_SIZE];
	uint8_t *fpu;
	size_t fpu_len;
	uint8_t msrs[HV_MSRS_MAX * HV_MSR_SIZE];
	size_t msrs_len;
};

struct restore {
	struct worker worker;		/* first */
	struct saved_head head;
	char path[DISK_PATH_MAX + 1];	/* the file's, or the channel's */
	int fd;				/* the file, or a channel to another host */
	struct move_in in;		/* of a channel */
	bool is_channel, is_handed;
	struct move_in_times times;
	int unsaid;			/* what the store said in place of an answer, once logged */
	uint16_t domid;
	uint64_t shared_info_mfn;
	struct build_result made;
	struct hv *hv;			/* the worker's alone */
	uint64_t max_pages;		/* of the record */
	atomic_uint_fast64_t asks;	/* of the reader, answered so far */
	uint64_t asks_seen;		/* the loop's: when it looked last */
	char *console;			/* what came of the guest's console; NULL: nothing */
	struct restore_window *window;	/* shared with the reader */
	int link;			/* the reader's end */
	struct stream_sum sum;		/* from here on: the reader's */
	bool has_digest;
	struct restore_frames frames;
	uint64_t *p2m_frame;		/* pfns of the guest's list */
	uint64_t nr_p2m_frames;
	uint8_t *body;
	size_t body_room;
	uint8_t *unpacked;		/* NULL: none came yet */
	uint8_t shared_info[PAGE];
	bool has_shared_info;
	struct saved_vcpu vcpu[RECORD_VCPUS_MAX];
};

/* Set the worker's words; both return an error. */
int restore_fail(struct restore *r, int err, const char *what);
int restore_damaged(struct restore *r, const char *what);

/* The frame given for @pfn; PV_NO_FRAME. @arg: a struct restore. */
uint64_t restore_mfn_of(void *arg, uint64_t pfn);

/* restore_stream.c: reads all records, giving frames and filling them. */
int restore_read_stream(struct restore *r);

/* restore_finish.c: writes what is new for the guest, pins its tables, sets its vcpus. */
int restore_finish(struct restore *r);

#endif
