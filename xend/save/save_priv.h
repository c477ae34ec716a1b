/* SPDX-License-Identifier: MIT */
/* save_priv.h - what the save_*.c files share: a save under way. */
#ifndef XEND_SAVE_PRIV_H
#define XEND_SAVE_PRIV_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define __XEN_TOOLS__ 1
#include <xen/xen.h>

#include "guest_ram.h"
#include "hv.h"
#include "move_msg.h"
#include "move_times.h"
#include "pv_tables.h"
#include "record.h"
#include "saved_head.h"
#include "stream.h"
#include "stream_pack.h"
#include "stream_sum.h"
#include "worker.h"

#define PAGE GUEST_PAGE_SIZE
#define LEVELS 4
#define SAVE_SMALL (2 * PAGE)

/* One page of a guest's table, kept while a walk stays in it. */
struct table {
	uint64_t mfn;
	uint64_t entry[PV_TABLE_ENTRIES];
};

struct xend;
struct domain;

/* What save_live.h's rounds need. */
struct save_live {
	bool is_wanted;
	bool is_on;			/* the hypervisor notes what the guest writes */
	bool is_running;		/* and the guest runs */
	bool is_refused;		/* it cannot: the guest stands still from the first page */
	uint64_t max_stop_ms, max_kib_s;	/* wished for; max_kib_s 0: no limit */
	uint8_t *kind;			/* by pfn: ~ how it was sent, PAGE_DEFERRED; 0: not yet */
	uint8_t *dirty;			/* by pfn, a bit */
	uint64_t sent, sent_ns;		/* bytes of rounds, and the time they took */
	struct hv_credit share;		/* the guest's own, while it is slowed down */
	unsigned int nr_slowed;		/* steps */
	/* For anybody to look at. */
	_Atomic uint64_t round, left_kib, rate_kib_s, stop_ms, slow_percent;
};

/* Of a page that will be read when its guest stands still. No kind of the hypervisor's. */
#define PAGE_DEFERRED 0xfeu

struct save {
	struct worker worker;		/* first */
	struct saved_head head, more;	/* .more: only .record, of a channel (move_more.h) */
	char path[DISK_PATH_MAX + 1], partial[(DISK_PATH_MAX + 1) + 16];
	bool is_placed;			/* the file is at .path; the worker's until it has ended */
	bool is_taken;			/* and its save is known to have gone well: the loop's */
	bool is_channel;		/* to another host: no file */
	int fd;
	int wake_fd;			/* of a file: the loop's */
	off_t written, synced;		/* of a file: bytes, and those whose way to the disk has begun */
	char epoch[MOVE_EPOCH_MAX + 1];	/* of a channel */
	struct move_in in;
	struct move_out_times times;
	atomic_bool is_said;		/* HANDOVER: by whoever set it, the loop or the worker */
	uint16_t domid;
	uint64_t log_from;		/* of its console's log: before are other domains */
	/* below: the worker's */
	struct stream_sum sum;
	uint8_t small[SAVE_SMALL];	/* parts of records that are not written yet */
	size_t small_len;
	struct hv *hv;
	struct hv_domain info;
	/*
	 * By pfn: ~mfn; 0: none. How many there are is the guest's word: what has none takes no
	 * memory.
	 */
	uint64_t nr_pfns, *p2m;
	uint64_t nr_p2m_frames, *p2m_frame, *p2m_mfn;	/* of the guest's own list: pfns, mfns */
	bool *p2m_stale;		/* by page of it: to be read again */
	uint64_t max_mfn;
	uint32_t *pfn_of;		/* by mfn */
	struct table walk[LEVELS + 1];
	uint8_t *batch;
	struct stream_pack pack;
	uint64_t page_bytes;		/* of pages, as they would be unpacked */
	struct save_live live;
	_Atomic uint64_t done_kib, total_kib, nr_taken;	/* for anybody to look at */
	uint64_t taken_seen, taken_ns;	/* the loop's: .nr_taken, and when it was another last */
};

/* The frame of page @pfn; PV_NO_FRAME. */
static inline uint64_t save_mfn_of(const struct save *s, uint64_t pfn)
{
	return ~s->p2m[pfn];
}

/* How page @pfn was sent while the guest ran: a kind, PAGE_DEFERRED; PAGE_NONE: not yet. */
static inline uint8_t save_sent_as(const struct save *s, uint64_t pfn)
{
	return s->live.kind[pfn] ? (uint8_t)~s->live.kind[pfn] : (uint8_t)PAGE_NONE;
}

/* Sets the worker's words. Returns @err. */
int save_fail(struct save *s, int err, const char *what);

/*
 * move_out.c. The channel takes no more, or has ended: the worker's words are the other host's last
 * ones, with -ECANCELED, or that there were none, with -EPIPE. Returns that.
 */
int move_lost(struct save *s);

/* save_pv.c, for files and channels. Each 0 or -errno; the worker's parts with its words. */
/* Everything but where it goes to. -errno with @why. */
int save_alloc(struct xend *x, const struct domain *d, struct save **out, char *why);
int save_find_domain(struct save *s);	/* opens .hv, fills .info */
int save_write_head(struct save *s);
int save_write_memory(struct save *s);	/* all behind the head, of a suspended domain */

/*
 * save_file.c, for a worker. Makes the file beside .path, which nobody else has open; moves it to
 * its place, on the disk, unless nobody waits for it any more: each 0 or -errno with the worker's
 * words. Notes that so much more was written: 0 or -errno. Closes it, and removes what
 * save_result() has not told of.
 */
int save_file_make(struct save *s);
int save_file_written(struct save *s, size_t len);
int save_file_place(struct save *s);
void save_file_close(struct save *s);

/* A record of up to two parts: a header of its own and data. */
int save_put_record(struct save *s, enum stream_type type, const void *a, size_t a_len,
		    const void *b, size_t b_len);

/* What was put goes out. */
int save_flush(struct save *s);

int save_put_headers(struct save *s);
int save_put_p2m_frames(struct save *s);
/* All behind the pages, of a suspended domain. */
int save_put_rest(struct save *s, const struct shared_info *si);

/* save_pages.c. */
int save_make_batch(struct save *s);
int save_put_pages(struct save *s);	/* all */
int save_put_batch(struct save *s, const uint64_t *pfn, size_t nr);	/* at most STREAM_BATCH */
/* The frames and kinds of @nr pages, at most STREAM_BATCH. */
int save_kinds(struct save *s, const uint64_t *pfn, size_t nr, uint64_t *mfn, uint32_t *type);

/* save_live.c. */
int save_put_last_round(struct save *s, const struct shared_info *si);
void save_live_fini(struct save *s);

/* save_console.c. */
int save_put_console(struct save *s);

/* save_vcpus.c. */
int save_put_vcpus(struct save *s);
int save_put_clock(struct save *s);

/* save_p2m.c: reads the guest's own list of frames; fills in .p2m, .pfn_of and .p2m_frame. */
int save_read_p2m(struct save *s, const struct shared_info *si);
/* What .live.dirty names of it is to be read again. */
void save_note_p2m(struct save *s);
/*
 * Reads again what is, of a suspended domain; *@before: .p2m as it was, for free(), or NULL when it
 * is as it was. -EAGAIN when the list itself is elsewhere.
 */
int save_reread_p2m(struct save *s, const struct shared_info *si, uint64_t **before);
/* An mfn of the guest's as a pfn, if its list agrees; PV_NO_FRAME. @arg: a struct save. */
uint64_t save_pfn_of(void *arg, uint64_t mfn);

#endif
