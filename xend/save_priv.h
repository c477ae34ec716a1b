/* SPDX-License-Identifier: MIT */
/* save_priv.h - what the save_*.c files share: a save under way. */
#ifndef XEND_SAVE_PRIV_H
#define XEND_SAVE_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define __XEN_TOOLS__ 1
#include <xen/xen.h>

#include "guest_ram.h"
#include "hv.h"
#include "pv_tables.h"
#include "record.h"
#include "saved_head.h"
#include "worker.h"

#define PAGE GUEST_PAGE_SIZE
#define LEVELS 4

/* One page of a guest's table, kept while a walk stays in it. */
struct table {
	uint64_t mfn;
	uint64_t entry[PV_TABLE_ENTRIES];
};

struct save {
	struct worker worker;		/* first */
	struct saved_head head;
	char path[DISK_PATH_MAX + 1], partial[(DISK_PATH_MAX + 1) + 16];
	bool is_whole;
	int fd;
	uint16_t domid;
	/* below: the worker's */
	struct hv *hv;
	struct hv_domain info;
	uint64_t nr_pfns, *p2m;		/* by pfn: an mfn, or PV_NO_FRAME */
	uint64_t nr_p2m_frames, *p2m_frame;	/* mfns of the guest's own list */
	uint64_t max_mfn;
	uint32_t *pfn_of;		/* by mfn */
	struct table walk[LEVELS + 1];
	uint8_t *batch;
};

/* Sets the worker's words. Returns @err. */
int save_fail(struct save *s, int err, const char *what);

/* save_p2m.c: reads the guest's own list of frames; fills in .p2m, .pfn_of and .p2m_frame. */
int save_read_p2m(struct save *s, const struct shared_info *si);
/* An mfn of the guest's as a pfn, if its list agrees; PV_NO_FRAME. @arg: a struct save. */
uint64_t save_pfn_of(void *arg, uint64_t mfn);

#endif
