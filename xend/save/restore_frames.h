/* SPDX-License-Identifier: MIT */
/*
 * restore_frames.h - the frames of a domain that is being restored, by pfn. Memory is taken for the
 * pages that there are, not for the highest number that a file names.
 */
#ifndef XEND_RESTORE_FRAMES_H
#define XEND_RESTORE_FRAMES_H

#include <stddef.h>
#include <stdint.h>

struct frame_part;

struct restore_frames {
	struct frame_part **part;
	uint64_t nr_pfns;
};

/* Room for pfns below @nr_pfns. 0 or -ENOMEM. */
int restore_frames_init(struct restore_frames *f, uint64_t nr_pfns);
/* A reader that is a process of its own ends without. Zeroed is fine. */
void restore_frames_fini(struct restore_frames *f);

/* The frame given for @pfn; PV_NO_FRAME: none. Any @pfn. */
uint64_t restore_frames_mfn(const struct restore_frames *f, uint64_t pfn);
/* Its kind (stream.h); PAGE_NONE. Any @pfn. */
unsigned int restore_frames_kind(const struct restore_frames *f, uint64_t pfn);

/* Both: @pfn is below nr_pfns. 0 or -ENOMEM. */
int restore_frames_set_mfn(struct restore_frames *f, uint64_t pfn, uint64_t mfn);
int restore_frames_set_kind(struct restore_frames *f, uint64_t pfn, uint8_t kind);

#endif
