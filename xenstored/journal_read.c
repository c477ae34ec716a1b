/* SPDX-License-Identifier: MIT */
/* journal_read.c - frames and records as the keeper and a start after a crash read them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal_priv.h"

/* Reads the file of a spilled frame: *@out is malloc()ed. */
static int spill_read(struct journal *j, const struct frame_hdr *hdr, char **out)
{
	char path[600];
	size_t done = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/frame-%llu", j->dir, (unsigned long long)hdr->seq);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -EIO;
	*out = malloc(hdr->bytes);
	while (*out && done < hdr->bytes) {
		ssize_t n = pread(fd, *out + done, hdr->bytes - done, (off_t)done);

		if (n <= 0)
			break;
		done += (size_t)n;
	}
	close(fd);
	if (*out && done == hdr->bytes)
		return 0;
	free(*out);
	return *out ? -EIO : -ENOMEM;
}

int journal_frame_at(struct journal *j, unsigned int half, size_t offset,
		     struct journal_frame *out)
{
	/* Acquire: pairs with journal_publish(). */
	size_t end = __atomic_load_n(&j->h->half[half].end, __ATOMIC_ACQUIRE);
	const char *base = j->map + JOURNAL_HEADER_SIZE + half * j->half_size;
	struct frame_hdr hdr;
	int ret;

	if (offset >= end || end > j->half_size)
		return offset == end ? 0 : -EBADMSG;
	if (end - offset < sizeof(hdr))
		return -EBADMSG;
	memcpy(&hdr, base + offset, sizeof(hdr));
	if (hdr.len < sizeof(hdr) || hdr.len % 8 || hdr.len > end - offset ||
	    hdr.bytes < sizeof(hdr) || (!(hdr.flags & FRAME_SPILLED) && hdr.bytes > hdr.len))
		return -EBADMSG;
	*out = (struct journal_frame){
		.seq = hdr.seq,
		.persistent = hdr.flags & FRAME_PERSISTENT,
		.voids = hdr.flags & FRAME_VOIDS ? hdr.voids : 0,
		.next = offset + hdr.len,
		.records = base + offset + sizeof(hdr),
		.records_len = hdr.bytes - sizeof(hdr),
	};
	if (!(hdr.flags & FRAME_SPILLED))
		return 1;
	ret = spill_read(j, &hdr, &out->spilled);
	if (ret < 0)
		return ret;
	out->records = out->spilled + sizeof(hdr);
	return 1;
}

void journal_frame_done(struct journal_frame *f)
{
	free(f->spilled);
	f->spilled = NULL;
}

int journal_record_at(const struct journal_frame *f, size_t *offset, struct journal_record *out)
{
	size_t left = f->records_len - *offset;
	struct record_hdr hdr;
	size_t len;

	if (*offset >= f->records_len)
		return 0;
	if (left < sizeof(hdr))
		return -EBADMSG;
	memcpy(&hdr, f->records + *offset, sizeof(hdr));
	left -= sizeof(hdr);
	if (hdr.key_len > left || hdr.value_len > left - hdr.key_len)
		return -EBADMSG;
	len = sizeof(hdr) + hdr.key_len + hdr.value_len;
	*out = (struct journal_record){
		.env = hdr.flags & RECORD_FLAG_PERSISTENT ? JOURNAL_PERSISTENT : JOURNAL_RUNTIME,
		.deletion = hdr.flags & RECORD_FLAG_DELETION,
		.key = f->records + *offset + sizeof(hdr) + hdr.value_len,
		.key_len = hdr.key_len,
		.value = f->records + *offset + sizeof(hdr),
		.value_len = hdr.value_len,
	};
	*offset += (len + 7) & ~(size_t)7;
	return 1;
}

/* Whether a frame of @half voids @seq; *@upto: the last frame that any of them voids. */
static bool half_voids(struct journal *j, unsigned int half, uint64_t seq, uint64_t *upto)
{
	struct journal_frame f;
	bool found = false;
	size_t at = 0;

	while (journal_frame_at(j, half, at, &f) > 0) {
		if (f.voids) {
			found |= seq < f.seq && seq >= f.seq - f.voids;
			*upto = f.seq - 1;
		}
		at = f.next;
		journal_frame_done(&f);
	}
	return found;
}

bool journal_frame_is_void(struct journal *j, uint64_t seq)
{
	uint64_t upto = 0;

	return half_voids(j, 0, seq, &upto) || half_voids(j, 1, seq, &upto);
}

void journal_recover_void(struct journal *j)
{
	for (unsigned int half = 0; half < JOURNAL_HALVES; half++) {
		uint64_t upto = 0;

		half_voids(j, half, 0, &upto);
		if (upto > journal_void_upto(j))
			journal_void(j, upto);
	}
}
