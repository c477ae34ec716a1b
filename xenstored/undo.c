/* SPDX-License-Identifier: MIT */
/*
 * undo.c - old bytes of the change under way, in a file of shared memory that is allocated before
 * it is needed. An entry is its bytes, padded to 8, and one word that says whose they are. It
 * counts once the length behind it is stored; only then are the bytes themselves overwritten.
 */
#include "undo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mapped.h"

/* What mapped.c calls it. */
static const char mapping[] = "what undoes a change (file undo in the runtime directory)";

/* Always allocated: deletions of 16,000 nodes go through when the file system is full. */
#define UNDO_BASE	(384u << 10)
/* Address space, not memory: no change comes near this. */
#define UNDO_SPACE	((size_t)1 << 32)

struct undo_header {
	uint64_t seq;		/* the frame that makes the change true */
	uint64_t len;		/* bytes of entries; 0: none */
};

struct undo {
	int fd;
	char *map;
	char *base;			/* of the memory that changes */
	size_t cap;			/* bytes of the file */
	struct undo_header *h;
	const uint64_t *next_seq;
};

/* An entry's last word: where the bytes belong, and how many. */
#define WORD(off, len)	((uint64_t)(off) << 16 | (uint64_t)(len))
#define WORD_OFF(w)	((size_t)((w) >> 16))
#define WORD_LEN(w)	((size_t)((w) & 0xffff))

static size_t padded(size_t len)
{
	return UNDO_ENTRY(len) - sizeof(uint64_t);
}

static char *entries(const struct undo *u)
{
	return u->map + sizeof(*u->h);
}

int undo_make(const char *dir)
{
	char path[512];
	int fd, ret;

	snprintf(path, sizeof(path), "%s/undo", dir);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -EIO;
	/* Every block is there before it is used: no SIGBUS when the file system fills up. */
	ret = posix_fallocate(fd, 0, UNDO_BASE) ? -EIO : 0;
	close(fd);
	return ret;
}

struct undo *undo_open(const char *dir, char *base, const uint64_t *next_seq)
{
	struct undo *u = calloc(1, sizeof(*u));
	char path[512];
	struct stat st;

	if (!u)
		return NULL;
	u->base = base;
	u->next_seq = next_seq;
	snprintf(path, sizeof(path), "%s/undo", dir);
	u->fd = open(path, O_RDWR | O_CLOEXEC);
	if (u->fd < 0) {
		errno = errno == ENOENT ? EBADMSG : errno;
		goto out_free;
	}
	if (fstat(u->fd, &st) < 0)
		goto out_close;
	if (st.st_size < (off_t)UNDO_BASE) {
		errno = EBADMSG;
		goto out_close;
	}
	u->map = mmap(NULL, UNDO_SPACE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, u->fd,
		      0);
	if (u->map == MAP_FAILED)
		goto out_close;
	/* The keeper has no business here. */
	madvise(u->map, UNDO_SPACE, MADV_DONTFORK);
	mapped_name(mapping, u->map, UNDO_SPACE);
	u->cap = (size_t)st.st_size;
	u->h = (struct undo_header *)u->map;
	return u;
out_close:
	close(u->fd);
out_free:
	free(u);
	return NULL;
}

void undo_close(struct undo *u)
{
	if (!u)
		return;
	mapped_name(mapping, NULL, 0);
	munmap(u->map, UNDO_SPACE);
	close(u->fd);
	free(u);
}

void undo_left(void)
{
	mapped_name(mapping, NULL, 0);
}

int undo_reserve(struct undo *u, size_t bytes)
{
	size_t need = sizeof(*u->h) + u->h->len + bytes;
	struct stat st;

	if (need <= u->cap)
		return 0;
	/* What was cut off would be there again, and empty. */
	if (fstat(u->fd, &st) == 0 && (size_t)st.st_size < u->cap)
		mapped_lost(mapping);
	need = (need + 65535) & ~(size_t)65535;
	if (need > UNDO_SPACE || posix_fallocate(u->fd, 0, (off_t)need) != 0)
		return -ENOSPC;
	u->cap = need;
	return 0;
}

void undo_save(struct undo *u, const void *p, size_t len)
{
	uint64_t at = u->h->len;
	uint64_t word = WORD((const char *)p - u->base, len);

	/* Room was reserved; a caller that asked for too little is caught here. */
	if (len > UNDO_BYTES_MAX || undo_reserve(u, UNDO_ENTRY(len)) < 0)
		abort();
	if (at == 0)
		u->h->seq = *u->next_seq;
	memcpy(entries(u) + at, p, len);
	at += padded(len);
	memcpy(entries(u) + at, &word, sizeof(word));
	/* The entry is whole before it counts, and counts before the memory is changed. */
	__atomic_store_n(&u->h->len, at + sizeof(word), __ATOMIC_RELEASE);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

bool undo_dirty(const struct undo *u)
{
	return u->h->len != 0;
}

void undo_forget(struct undo *u)
{
	__atomic_store_n(&u->h->len, 0, __ATOMIC_RELEASE);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	/* What a large change took is given back; not if that fails, which costs only memory. */
	if (u->cap > UNDO_BASE && ftruncate(u->fd, UNDO_BASE) == 0)
		u->cap = UNDO_BASE;
}

int undo_roll_back(struct undo *u, size_t len)
{
	uint64_t at = u->h->len;

	if (at > u->cap - sizeof(*u->h) || at % 8)
		return -EBADMSG;
	while (u->h->seq >= *u->next_seq && at > 0) {
		uint64_t word;

		at -= sizeof(word);
		memcpy(&word, entries(u) + at, sizeof(word));
		if (padded(WORD_LEN(word)) > at || WORD_OFF(word) > len ||
		    WORD_LEN(word) > len - WORD_OFF(word))
			return -EBADMSG;
		at -= padded(WORD_LEN(word));
		memcpy(u->base + WORD_OFF(word), entries(u) + at, WORD_LEN(word));
	}
	/* Only when all is back: a kill half-way does it again. */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	undo_forget(u);
	return 0;
}
