/* SPDX-License-Identifier: MIT */
/*
 * journal.c - writing frames. Owns the mapped file; the reading half is journal_read.c. A frame
 * is built in private memory and copied behind the last one; the store to half.end makes it true.
 */
#include "journal_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "mapped.h"

/* What mapped.c calls it. */
static const char mapping[] = "the journal (file journal in the runtime directory)";

/* The last part of a half is for deletions (rule C14). */
#define RESERVE_SHARE 8u

/* Room that every frame has besides: a ring's reply is added when its length is known. */
#define FRAME_SLACK 4608u

static size_t align8(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

static bool header_fits(const struct journal_header *h, size_t half_size, const char *boot_id)
{
	return h->magic == JOURNAL_MAGIC && h->half_size == half_size && h->active < 2 &&
	       h->half[0].end <= half_size && h->half[1].end <= half_size &&
	       strncmp(h->boot_id, boot_id, sizeof(h->boot_id)) == 0;
}

static void header_make(struct journal_header *h, size_t half_size, const char *boot_id)
{
	memset(h, 0, sizeof(*h));
	h->half_size = half_size;
	h->next_seq = 1;
	snprintf(h->boot_id, sizeof(h->boot_id), "%s", boot_id);
	__atomic_store_n(&h->magic, JOURNAL_MAGIC, __ATOMIC_RELEASE);
}

int journal_probe(const char *dir, size_t half_size)
{
	struct journal_header h = { 0 };
	struct stat st = { 0 };
	char path[512];
	int fd, ret;

	snprintf(path, sizeof(path), "%s/journal", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ENOENT : -EIO;
	ret = fstat(fd, &st) < 0 || pread(fd, &h, sizeof(h), 0) < 0 ? -EIO : 0;
	close(fd);
	if (ret == 0 && (st.st_size != (off_t)(JOURNAL_HEADER_SIZE + JOURNAL_HALVES * half_size) ||
			 !header_fits(&h, half_size, h.boot_id)))
		ret = -EBADMSG;
	return ret;
}

/* A kill may have come between a frame's end and the number of the next one. */
static void next_after_frames(struct journal *j)
{
	for (unsigned int half = 0; half < JOURNAL_HALVES; half++) {
		const char *base = j->map + JOURNAL_HEADER_SIZE + half * j->half_size;
		size_t end = j->h->half[half].end;
		struct frame_hdr hdr;

		for (size_t at = 0; at + sizeof(hdr) <= end; at += hdr.len) {
			memcpy(&hdr, base + at, sizeof(hdr));
			if (hdr.len < sizeof(hdr))
				break;
			if (hdr.seq >= j->h->next_seq)
				j->h->next_seq = hdr.seq + 1;
		}
	}
}

struct journal *journal_open(const char *dir, size_t half_size, const char *boot_id, bool *fresh)
{
	struct journal *j = calloc(1, sizeof(*j));
	char path[512];
	int fd;

	if (!j)
		return NULL;
	snprintf(j->dir, sizeof(j->dir), "%s", dir);
	snprintf(path, sizeof(path), "%s/journal", dir);
	j->len = JOURNAL_HEADER_SIZE + JOURNAL_HALVES * half_size;
	j->half_size = half_size;
	j->spill_fd = -1;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		goto out_free;
	/* Every block is there before it is mapped: no SIGBUS when the file system fills up. */
	errno = posix_fallocate(fd, 0, (off_t)j->len);
	if (errno)
		goto out_close;
	j->map = mmap(NULL, j->len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (j->map == MAP_FAILED)
		goto out_close;
	close(fd);
	mapped_name(mapping, j->map, j->len);
	j->h = (struct journal_header *)j->map;
	*fresh = !header_fits(j->h, half_size, boot_id);
	if (*fresh)
		header_make(j->h, half_size, boot_id);
	else
		journal_recover_void(j);
	next_after_frames(j);
	return j;
out_close:
	close(fd);
out_free:
	free(j);
	return NULL;
}

void journal_close(struct journal *j)
{
	if (!j)
		return;
	mapped_name(mapping, NULL, 0);
	munmap(j->map, j->len);
	if (j->spill_fd >= 0)
		close(j->spill_fd);
	free(j->frame);
	free(j);
}

void journal_set_hooks(struct journal *j, const struct journal_hooks *hooks)
{
	j->hooks = *hooks;
}

const uint64_t *journal_seq(const struct journal *j)
{
	return &j->h->next_seq;
}

void journal_touch(struct journal *j)
{
	j->touched = true;
}

uint64_t journal_next_seq(const struct journal *j)
{
	return j->h->next_seq;
}

void journal_set_next_seq(struct journal *j, uint64_t seq)
{
	if (seq > j->h->next_seq)
		j->h->next_seq = seq;
}

static size_t half_room(const struct journal *j, unsigned int half, bool frees)
{
	size_t limit = frees ? j->half_size : j->half_size - j->half_size / RESERVE_SHARE;
	size_t end = j->h->half[half].end;

	return end < limit ? limit - end : 0;
}

/* Goes on in the other half, which must be empty. */
static bool switch_half(struct journal *j)
{
	unsigned int old = j->h->active, other = 1 - old;

	if (j->h->half[other].end != 0 && j->hooks.wait)
		while (j->h->half[other].end != 0 && j->hooks.wait(j->hooks.arg))
			;
	if (j->h->half[other].end != 0)
		return false;
	__atomic_store_n(&j->h->active, other, __ATOMIC_RELEASE);
	if (j->h->half[old].end != 0 && j->hooks.filled)
		j->hooks.filled(j->hooks.arg, old);
	return true;
}

void journal_turn_over(struct journal *j)
{
	if (j->h->half[j->h->active].end != 0 && j->h->half[1 - j->h->active].end == 0)
		switch_half(j);
}

/* The files of spilled frames in what were the first @end bytes of @half. */
static void unlink_spilled(struct journal *j, unsigned int half, size_t end)
{
	const char *base = j->map + JOURNAL_HEADER_SIZE + half * j->half_size;
	struct frame_hdr hdr;
	char path[600];

	for (size_t at = 0; at + sizeof(hdr) <= end; at += hdr.len) {
		memcpy(&hdr, base + at, sizeof(hdr));
		if (hdr.len < sizeof(hdr))
			break;
		if (!(hdr.flags & FRAME_SPILLED))
			continue;
		snprintf(path, sizeof(path), "%s/frame-%llu", j->dir, (unsigned long long)hdr.seq);
		unlink(path);
	}
}

void journal_give_back(struct journal *j, unsigned int half)
{
	size_t end = j->h->half[half].end;

	__atomic_store_n(&j->h->half[half].end, 0, __ATOMIC_RELEASE);
	/* Release: who sees the new turn sees the half empty, or with frames of that turn. */
	__atomic_store_n(&j->h->half[half].turn, j->h->half[half].turn + 1, __ATOMIC_RELEASE);
	/* Only now: a journal that names a file which is gone would stop every start. */
	unlink_spilled(j, half, end);
}

bool journal_half_is_full(const struct journal *j, unsigned int half)
{
	return half != j->h->active && j->h->half[half].end != 0;
}

uint64_t journal_half_turn(const struct journal *j, unsigned int half)
{
	return __atomic_load_n(&j->h->half[half].turn, __ATOMIC_ACQUIRE);
}

void journal_void(struct journal *j, uint64_t seq)
{
	__atomic_store_n(&j->h->void_upto, seq, __ATOMIC_RELEASE);
}

uint64_t journal_void_upto(const struct journal *j)
{
	return __atomic_load_n(&j->h->void_upto, __ATOMIC_ACQUIRE);
}

static int frame_grow(struct journal *j, size_t bytes)
{
	size_t cap = j->frame_cap ? j->frame_cap : 4096;
	char *frame;

	while (cap < j->frame_len + bytes)
		cap *= 2;
	if (cap == j->frame_cap)
		return 0;
	frame = realloc(j->frame, cap);
	if (!frame)
		return -ENOSPC;
	j->frame = frame;
	j->frame_cap = cap;
	return 0;
}

/* A frame larger than a half gets a file of its own, allocated now so that writing cannot fail. */
static int spill_prepare(struct journal *j, size_t bytes)
{
	char path[600];

	snprintf(path, sizeof(path), "%s/frame-%llu", j->dir,
		 (unsigned long long)j->h->next_seq);
	if (j->spill_fd < 0)
		j->spill_fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (j->spill_fd < 0 || posix_fallocate(j->spill_fd, 0, (off_t)bytes) != 0) {
		if (j->spill_fd >= 0)
			close(j->spill_fd);
		j->spill_fd = -1;
		unlink(path);
		return -ENOSPC;
	}
	return 0;
}

int journal_reserve(struct journal *j, size_t bytes, bool frees)
{
	size_t need;

	if (j->frame_len == 0)
		j->frame_len = sizeof(struct frame_hdr);
	bytes = align8(bytes) + FRAME_SLACK;
	need = align8(j->frame_len + bytes);
	if (need > j->frame_cap && frame_grow(j, bytes) < 0)
		return -ENOSPC;
	if (need <= half_room(j, j->h->active, frees))
		return 0;
	if (need <= j->half_size - j->half_size / RESERVE_SHARE) {
		if (switch_half(j))
			return 0;
		if (!frees)
			return -ENOSPC;
	}
	if (spill_prepare(j, need) < 0)
		return -ENOSPC;
	if (sizeof(struct frame_hdr) <= half_room(j, j->h->active, true))
		return 0;
	return switch_half(j) ? 0 : -ENOSPC;
}

static char *add_record(struct journal *j, const struct record_hdr *hdr, const void *key)
{
	size_t len = align8(sizeof(*hdr) + hdr->value_len + hdr->key_len);
	char *to;

	if (j->frame_len == 0)
		j->frame_len = sizeof(struct frame_hdr);
	/* Room was reserved; a caller that asked for too little is caught here. */
	if (j->frame_len + len > j->frame_cap && frame_grow(j, len) < 0)
		abort();
	to = j->frame + j->frame_len;
	/* The value comes first, so that structures in it are aligned. */
	memcpy(to, hdr, sizeof(*hdr));
	memcpy(to + sizeof(*hdr) + hdr->value_len, key, hdr->key_len);
	j->frame_len += len;
	j->nr_records++;
	if (hdr->flags & RECORD_FLAG_PERSISTENT)
		j->persistent = true;
	return to + sizeof(*hdr);
}

void *journal_put(struct journal *j, unsigned int env, const void *key, size_t key_len,
		  size_t value_len)
{
	struct record_hdr hdr = {
		.flags = env == JOURNAL_PERSISTENT ? RECORD_FLAG_PERSISTENT : 0,
		.key_len = (uint16_t)key_len,
		.value_len = (uint32_t)value_len,
	};

	return add_record(j, &hdr, key);
}

void journal_del(struct journal *j, unsigned int env, const void *key, size_t key_len)
{
	struct record_hdr hdr = {
		.flags = RECORD_FLAG_DELETION |
			 (env == JOURNAL_PERSISTENT ? RECORD_FLAG_PERSISTENT : 0),
		.key_len = (uint16_t)key_len,
	};

	add_record(j, &hdr, key);
}

bool journal_dirty(const struct journal *j)
{
	return j->nr_records > 0;
}

/* Writes the frame to its file and leaves a short one in its place. */
static void spill_write(struct journal *j, struct frame_hdr *hdr)
{
	size_t done = 0;

	while (done < j->frame_len) {
		ssize_t n = pwrite(j->spill_fd, j->frame + done, j->frame_len - done,
				   (off_t)done);

		/* Room was allocated before: a machine in trouble. Nothing is true yet. */
		if (n < 0 && errno != EINTR) {
			log_error("cannot write a large change to %s", j->dir);
			exit(70);
		}
		if (n > 0)
			done += (size_t)n;
	}
	close(j->spill_fd);
	j->spill_fd = -1;
	hdr->flags |= FRAME_SPILLED;
	hdr->len = sizeof(*hdr);
}

/* Without records: the number alone, if it is wanted. */
static uint64_t publish_number(struct journal *j)
{
	uint64_t seq = j->h->next_seq;

	j->frame_len = 0;
	if (!j->touched)
		return 0;
	j->touched = false;
	if (j->spill_fd >= 0) {
		char path[600];

		/* Made for records that did not come; its name is this number. */
		close(j->spill_fd);
		j->spill_fd = -1;
		snprintf(path, sizeof(path), "%s/frame-%llu", j->dir, (unsigned long long)seq);
		unlink(path);
	}
	__atomic_store_n(&j->h->next_seq, seq + 1, __ATOMIC_RELEASE);
	return seq;
}

/* Behind the last frame, with @hdr completed; true from the store of the half's end. */
static void put_frame(struct journal *j, struct frame_hdr *hdr)
{
	struct journal_half *half = &j->h->half[j->h->active];
	char *at;

	hdr->len = (uint32_t)align8(j->frame_len);
	hdr->bytes = (uint32_t)j->frame_len;
	if (j->persistent)
		hdr->flags |= FRAME_PERSISTENT;
	memcpy(j->frame, hdr, sizeof(*hdr));
	if (hdr->len > j->half_size - half->end)
		spill_write(j, hdr);
	else if (j->spill_fd >= 0)
		spill_write(j, hdr);
	at = j->map + JOURNAL_HEADER_SIZE + j->h->active * j->half_size + half->end;
	memcpy(at, j->frame, (hdr->flags & FRAME_SPILLED) ? 0 : j->frame_len);
	memcpy(at, hdr, sizeof(*hdr));
	/* Release: the frame is whole before it counts. The reader may be another process. */
	__atomic_store_n(&half->end, half->end + hdr->len, __ATOMIC_RELEASE);
	/* A kill before this store: see next_after_frames(). */
	__atomic_store_n(&j->h->next_seq, hdr->seq + 1, __ATOMIC_RELEASE);
	j->touched = false;
	j->frame_len = 0;
	j->nr_records = 0;
	j->persistent = false;
}

uint64_t journal_publish(struct journal *j, bool *persistent)
{
	struct frame_hdr hdr = { .seq = j->h->next_seq };

	*persistent = j->persistent;
	if (j->nr_records == 0)
		return publish_number(j);
	put_frame(j, &hdr);
	return hdr.seq;
}

void journal_publish_void(struct journal *j, uint64_t from)
{
	struct frame_hdr hdr = { .flags = FRAME_VOIDS, .seq = j->h->next_seq };

	hdr.voids = (uint32_t)(hdr.seq - 1 - from);
	put_frame(j, &hdr);
	journal_void(j, hdr.seq - 1);
}
