/* SPDX-License-Identifier: MIT */
/* stream_sum.c - see stream_sum.h. */
#include "stream_sum.h"

#include <zlib.h>

#include "crc32c.h"

void stream_sum_add(struct stream_sum *s, const void *data, size_t len)
{
	/* A null pointer is zlib's wish for the first value. */
	if (!len)
		return;
	s->crc = crc32c(s->crc, data, len);
	s->crc32 = (uint32_t)crc32_z(s->crc32, data, len);
	s->nr_bytes += len;
}

struct stream_check stream_sum_check(struct stream_sum *s)
{
	const struct stream_check c = { s->crc, s->nr_records++ };

	s->crc = 0;
	return c;
}

struct stream_digest stream_sum_digest(const struct stream_sum *s)
{
	return (struct stream_digest){ s->nr_bytes, s->nr_records, s->crc32 };
}
