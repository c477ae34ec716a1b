/* SPDX-License-Identifier: MIT */
/* journal_priv.h - the journal's file format, for journal.c and journal_read.c only. */
#ifndef XENSTORED_JOURNAL_PRIV_H
#define XENSTORED_JOURNAL_PRIV_H

#include "journal.h"

#define JOURNAL_MAGIC		0x324c4e524a5358ull	/* "XSJRNL2" */
#define JOURNAL_HEADER_SIZE	4096u

struct journal_half {
	uint64_t end;		/* bytes of whole frames; 0: free */
	uint64_t turn;		/* how often it has been given back */
};

struct journal_header {
	uint64_t magic;
	uint64_t half_size;
	uint64_t next_seq;
	uint64_t void_upto;	/* persistent records of frames up to here did not come true */
	uint32_t active;	/* half being written */
	uint32_t zero;
	struct journal_half half[JOURNAL_HALVES];
	char boot_id[64];
};

#define FRAME_PERSISTENT	1u
#define FRAME_SPILLED		2u	/* the frame is in the file frame-SEQ */
#define FRAME_VOIDS		4u	/* see frame_hdr.voids */

struct frame_hdr {
	uint32_t len;		/* with this header, a multiple of 8 */
	uint32_t flags;
	uint64_t seq;
	uint32_t bytes;		/* of the whole frame, unaligned */
	uint32_t voids;		/* so many frames before this one: not true in both parts */
};

#define RECORD_FLAG_PERSISTENT	1u
#define RECORD_FLAG_DELETION	2u

struct record_hdr {
	uint16_t flags;
	uint16_t key_len;
	uint32_t value_len;
};

_Static_assert(sizeof(struct record_hdr) == JOURNAL_RECORD_HDR, "journal.h: JOURNAL_RECORD_HDR");

/* After a kill between a voiding frame and the header's word for it. */
void journal_recover_void(struct journal *j);

struct journal {
	char dir[256];
	char *map;
	size_t len, half_size;
	struct journal_header *h;
	struct journal_hooks hooks;
	char *frame;		/* being built, its header first */
	size_t frame_len, frame_cap;
	unsigned int nr_records;
	bool persistent;
	bool touched;		/* a number is wanted, record or not */
	int spill_fd;		/* file allocated for the frame being built, or -1 */
};

#endif
