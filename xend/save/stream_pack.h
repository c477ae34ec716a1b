/* SPDX-License-Identifier: MIT */
/*
 * stream_pack.h - pages on their way to another host, packed where that is faster than the link: by
 * zstd, at its fastest level. Whether it is, is measured as they go.
 */
#ifndef XEND_STREAM_PACK_H
#define XEND_STREAM_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In ACCEPT's text: who takes the stream can unpack. */
#define STREAM_PACK_WORD "zstd"

/* Of one stream; zeroed at its start. */
struct stream_pack {
	bool is_wanted;
	bool pays;			/* it did the last time */
	unsigned int plain;		/* records since */
	uint64_t link_ns, limit_ns;	/* what a MiB takes on the link, as measured and at least */
	uint64_t in, out;		/* bytes packed, and what they became */
	void *to;			/* room for the largest */
	size_t room;
};

/* Of a link that is not to be faster: @kib_s, 0: as fast as it goes. */
void stream_pack_limit(struct stream_pack *p, uint64_t kib_s);
/* @len bytes went in @ns. */
void stream_pack_measure(struct stream_pack *p, size_t len, uint64_t ns);
/* @data as the body of STREAM_PACKED in @p->to: its length; 0: better as it is. */
size_t stream_pack(struct stream_pack *p, const void *data, size_t len);
void stream_pack_fini(struct stream_pack *p);

/*
 * The length that the body @data of a stranger's says it has unpacked; 0: it is none, or more than
 * @most.
 */
size_t stream_unpacked_len(const void *data, size_t len, size_t most);
/* Unpacks it to @out of that length. False: damaged. */
bool stream_unpack(const void *data, size_t len, void *out, size_t out_len);

#endif
