/* SPDX-License-Identifier: MIT */
/*
 * arena.c - chunks of 16 KiB, each cut into cells of one size. The first chunk is the header. A
 * chunk's class is stored when all its cells read as free, so that a start after a kill at any
 * instruction can walk them. Empty chunks give their memory back to the system, but a few.
 */
#include "arena.h"

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
static const char mapping[] = "the nodes (file nodes in the runtime directory)";

#define CHUNK		16384u
#define CHUNK_HEAD	16u		/* bytes before the first cell */
#define ARENA_MAGIC	0x3145444f4e5358ull	/* "XSNODE1" */
#define ARENA_SPACE	((size_t)8 << 30)	/* addresses, not memory */
#define GROW_CHUNKS	8u
#define SPARE_MAX	16u		/* empty chunks whose memory is kept */

/* How a chunk begins. */
struct chunk_head {
	uint32_t class;		/* 1 + index in class_size[]; 0: empty */
	uint32_t zero[3];
};

struct arena_header {
	uint64_t magic;
	uint32_t chunk;
	uint32_t nr_chunks;	/* that have been in use: a shorter file has lost some */
};

struct arena_chunk {
	uint32_t prev, next;	/* others of the list it is on */
	uint16_t used;
	uint16_t free;		/* first free cell: its offset / 8; 0: none */
	bool listed;		/* on the list of its class: has free cells */
};

/* Steps of 8 where nodes are, then what divides a chunk well. */
static const uint16_t class_size[ARENA_CLASSES] = {
	16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120, 128, 136, 144, 152, 160, 168,
	176, 184, 192, 208, 224, 240, 256, 288, 320, 376, 432, 496, 576, 680, 816, 1016, 1256, 1632,
	2040, 2728, 3272, 4088, 5456, ARENA_CELL_MAX,
};

static unsigned int class_of(size_t size)
{
	unsigned int class;

	if (size <= 192)
		return size <= 16 ? 0 : (unsigned int)(size - 9) / 8;
	for (class = 23; class_size[class] < size; class++)
		;
	return class;
}

static struct chunk_head *head_of(const struct arena *a, uint32_t c)
{
	return (struct chunk_head *)(a->base + (size_t)c * CHUNK);
}

static uint32_t chunk_of(const struct arena *a, const void *cell)
{
	return (uint32_t)((size_t)((const char *)cell - a->base) / CHUNK);
}

static unsigned int cells_in(unsigned int class)
{
	return (CHUNK - CHUNK_HEAD) / class_size[class];
}

static struct cell *cell_in(const struct arena *a, uint32_t c, unsigned int class, unsigned int i)
{
	return (struct cell *)(a->base + (size_t)c * CHUNK + CHUNK_HEAD +
			       (size_t)i * class_size[class]);
}

/* --- memory for chunks --- */

static int reserve_space(struct arena *a)
{
	int flags = a->fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;

	a->base = mmap(NULL, ARENA_SPACE, PROT_READ | PROT_WRITE, flags | MAP_NORESERVE, a->fd, 0);
	if (a->base == MAP_FAILED) {
		a->base = NULL;
		return -ENOMEM;
	}
	/* The keeper reads no nodes. */
	if (a->fd >= 0) {
		madvise(a->base, ARENA_SPACE, MADV_DONTFORK);
		mapped_name(mapping, a->base, ARENA_SPACE);
	}
	return 0;
}

/* Memory for @nr chunks from @first on is there from now on: writing cannot fail. */
static int back_chunks(struct arena *a, uint32_t first, uint32_t nr)
{
	struct stat st;

	if (((size_t)first + nr) * CHUNK > ARENA_SPACE)
		return -ENOMEM;
	if (a->fd < 0)
		return 0;
	/* What was cut off would be there again, and empty. */
	if (fstat(a->fd, &st) == 0 && (size_t)st.st_size < a->len)
		mapped_lost(mapping);
	return posix_fallocate(a->fd, (off_t)first * CHUNK, (off_t)nr * CHUNK) ? -ENOMEM : 0;
}

static void chunk_hollow(struct arena *a, uint32_t c)
{
	if (a->fd < 0)
		madvise(head_of(a, c), CHUNK, MADV_DONTNEED);
	else
		fallocate(a->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)c * CHUNK,
			  CHUNK);
}

static int note_chunks(struct arena *a, uint32_t nr)
{
	uint32_t room = a->room_chunks ? a->room_chunks : 64;
	struct arena_chunk *chunk;

	while (room < nr)
		room *= 2;
	if (room != a->room_chunks) {
		chunk = realloc(a->chunk, room * sizeof(*chunk));
		if (!chunk)
			return -ENOMEM;
		a->chunk = chunk;
		a->room_chunks = room;
	}
	memset(a->chunk + a->nr_chunks, 0, (nr - a->nr_chunks) * sizeof(*a->chunk));
	a->nr_chunks = nr;
	a->len = (size_t)nr * CHUNK;
	return 0;
}

static void spare_push(struct arena *a, uint32_t c, bool keep)
{
	uint32_t *list = keep ? &a->spare : &a->hollow;

	a->chunk[c].next = *list;
	*list = c;
	a->nr_spare += keep;
}

static int arena_grow(struct arena *a)
{
	uint32_t first = a->nr_chunks, nr = GROW_CHUNKS;

	if (back_chunks(a, first, nr) < 0) {
		nr = 1;
		if (back_chunks(a, first, nr) < 0)
			return -ENOMEM;
	}
	if (note_chunks(a, first + nr) < 0)
		return -ENOMEM;
	if (a->fd >= 0) {
		((struct arena_header *)a->base)->nr_chunks = a->nr_chunks;
		/* All at once is cheaper than a fault a page; where it fails, they come. */
		madvise(head_of(a, first), (size_t)nr * CHUNK, MADV_POPULATE_WRITE);
	}
	while (nr-- > 0)
		spare_push(a, first + nr, true);
	return 0;
}

/* --- chunks with free cells --- */

static void list_chunk(struct arena *a, uint32_t c, unsigned int class)
{
	struct arena_chunk *ch = &a->chunk[c];

	ch->listed = true;
	ch->prev = 0;
	ch->next = a->open[class];
	if (ch->next)
		a->chunk[ch->next].prev = c;
	a->open[class] = c;
}

static void unlist_chunk(struct arena *a, uint32_t c, unsigned int class)
{
	struct arena_chunk *ch = &a->chunk[c];

	ch->listed = false;
	if (ch->prev)
		a->chunk[ch->prev].next = ch->next;
	else
		a->open[class] = ch->next;
	if (ch->next)
		a->chunk[ch->next].prev = ch->prev;
}

static void push_cell(struct arena *a, uint32_t c, struct cell *cell)
{
	cell->kind = CELL_FREE;
	cell->link = a->chunk[c].free;
	a->chunk[c].free = (uint16_t)(((char *)cell - a->base) % CHUNK / 8);
}

static int open_chunk(struct arena *a, unsigned int class)
{
	uint32_t c;

	if (!a->spare && a->hollow && back_chunks(a, a->hollow, 1) == 0) {
		c = a->hollow;
		a->hollow = a->chunk[c].next;
	} else {
		if (!a->spare && arena_grow(a) < 0)
			return -ENOMEM;
		c = a->spare;
		a->spare = a->chunk[c].next;
		a->nr_spare--;
	}
	a->chunk[c] = (struct arena_chunk){ 0 };
	for (unsigned int i = cells_in(class); i-- > 0;)
		push_cell(a, c, cell_in(a, c, class, i));
	/* Release: all cells read as free before anybody looks for them. */
	__atomic_store_n(&head_of(a, c)->class, class + 1, __ATOMIC_RELEASE);
	list_chunk(a, c, class);
	return 0;
}

static void close_chunk(struct arena *a, uint32_t c, unsigned int class)
{
	bool keep = a->nr_spare < SPARE_MAX;

	unlist_chunk(a, c, class);
	__atomic_store_n(&head_of(a, c)->class, 0, __ATOMIC_RELEASE);
	if (!keep)
		chunk_hollow(a, c);
	spare_push(a, c, keep);
}

/* --- cells --- */

void *arena_alloc(struct arena *a, size_t size)
{
	struct arena_chunk *ch;
	unsigned int class;
	struct cell *cell;
	uint32_t c;

	if (size > ARENA_CELL_MAX)
		return NULL;
	class = class_of(size);
	if (!a->open[class] && open_chunk(a, class) < 0)
		return NULL;
	c = a->open[class];
	ch = &a->chunk[c];
	cell = (struct cell *)(a->base + (size_t)c * CHUNK + (size_t)ch->free * 8);
	ch->free = (uint16_t)cell->link;
	ch->used++;
	if (!ch->free)
		unlist_chunk(a, c, class);
	memset(cell, 0, class_size[class]);
	return cell;
}

size_t arena_size(const struct arena *a, const void *cell)
{
	return class_size[head_of(a, chunk_of(a, cell))->class - 1];
}

void arena_free(struct arena *a, void *cell)
{
	uint32_t c;
	unsigned int class;

	if (!cell)
		return;
	c = chunk_of(a, cell);
	class = head_of(a, c)->class - 1;
	push_cell(a, c, cell);
	a->chunk[c].used--;
	if (!a->chunk[c].listed)
		list_chunk(a, c, class);
	/* One with room stays: what comes and goes would open and close it again and again. */
	if (a->chunk[c].used == 0 && (a->chunk[c].next || a->chunk[c].prev))
		close_chunk(a, c, class);
}

void arena_free_later(struct arena *a, void *cell)
{
	struct cell *first = cell;

	if (!a->undo) {
		arena_free(a, cell);
		return;
	}
	first->link = link_make(first, a->limbo);
	a->limbo = first;
}

int arena_reserve(struct arena *a, size_t bytes)
{
	return a->undo ? undo_reserve(a->undo, bytes) : 0;
}

void arena_commit(struct arena *a)
{
	if (arena_dirty(a))
		undo_forget(a->undo);
	while (a->limbo) {
		struct cell *cell = a->limbo;

		a->limbo = link_get(cell, cell->link);
		arena_free(a, cell);
	}
}

/* --- start and end --- */

int arena_init(struct arena *a)
{
	int ret;

	*a = (struct arena){ .fd = -1 };
	ret = reserve_space(a);
	return ret < 0 ? ret : note_chunks(a, 1);
}

/* A file of this daemon's making, or an empty one with a header. */
static int open_file(struct arena *a, const char *dir, bool fresh)
{
	const struct arena_header made = { ARENA_MAGIC, CHUNK, 1 };
	struct arena_header found = { 0 };
	char path[512];
	struct stat st;

	snprintf(path, sizeof(path), "%s/nodes", dir);
	a->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | (fresh ? O_TRUNC : 0), 0600);
	if (a->fd < 0)
		return -EIO;
	if (fresh && (back_chunks(a, 0, 1) < 0 || pwrite(a->fd, &made, sizeof(made), 0) < 0))
		return -EIO;
	if (fstat(a->fd, &st) < 0)
		return -EIO;
	if (pread(a->fd, &found, sizeof(found), 0) != sizeof(found) ||
	    found.magic != made.magic || found.chunk != made.chunk ||
	    (uint64_t)st.st_size / CHUNK < found.nr_chunks || (uint64_t)st.st_size > ARENA_SPACE)
		return -EBADMSG;
	return note_chunks(a, (uint32_t)((uint64_t)st.st_size / CHUNK));
}

int arena_open(struct arena *a, const char *dir, bool fresh, const uint64_t *next_seq)
{
	int ret = 0;

	*a = (struct arena){ .fd = -1 };
	if (fresh)
		ret = undo_make(dir);
	if (ret == 0)
		ret = open_file(a, dir, fresh);
	if (ret == 0)
		ret = reserve_space(a);
	if (ret < 0)
		return ret;
	a->undo = undo_open(dir, a->base, next_seq);
	if (!a->undo)
		return errno == EBADMSG ? -EBADMSG : -EIO;
	ret = undo_roll_back(a->undo, a->len);
	for (uint32_t c = 1; c < a->nr_chunks && ret == 0; c++) {
		if (head_of(a, c)->class > ARENA_CLASSES)
			ret = -EBADMSG;
	}
	return ret;
}

void arena_fini(struct arena *a)
{
	undo_close(a->undo);
	if (a->fd >= 0)
		mapped_name(mapping, NULL, 0);
	if (a->base)
		munmap(a->base, ARENA_SPACE);
	if (a->fd >= 0)
		close(a->fd);
	free(a->chunk);
	*a = (struct arena){ .fd = -1 };
}

void arena_left(void)
{
	mapped_name(mapping, NULL, 0);
	undo_left();
}

struct cell *arena_next(const struct arena *a, const struct cell *cell)
{
	uint32_t c = 0;

	if (cell) {
		unsigned int class, i;

		c = chunk_of(a, cell);
		class = head_of(a, c)->class - 1;
		i = (unsigned int)((const char *)cell - (const char *)cell_in(a, c, class, 0)) /
		    class_size[class];
		if (i + 1 < cells_in(class))
			return cell_in(a, c, class, i + 1);
	}
	while (++c < a->nr_chunks) {
		if (head_of(a, c)->class)
			return cell_in(a, c, head_of(a, c)->class - 1, 0);
	}
	return NULL;
}

bool arena_is_cell(const struct arena *a, const void *p)
{
	size_t at = (size_t)((const char *)p - a->base), in = at % CHUNK;
	uint32_t class;

	if ((const char *)p < a->base || at < CHUNK || at >= a->len || in < CHUNK_HEAD)
		return false;
	class = head_of(a, (uint32_t)(at / CHUNK))->class;
	return class && (in - CHUNK_HEAD) % class_size[class - 1] == 0 &&
	       (in - CHUNK_HEAD) / class_size[class - 1] < cells_in(class - 1);
}

void arena_settle(struct arena *a)
{
	for (uint32_t c = a->nr_chunks; c-- > 1;) {
		uint32_t class = head_of(a, c)->class;
		struct arena_chunk *ch = &a->chunk[c];

		*ch = (struct arena_chunk){ 0 };
		for (unsigned int i = class ? cells_in(class - 1) : 0; i-- > 0;) {
			struct cell *cell = cell_in(a, c, class - 1, i);

			if (cell->kind == CELL_FREE)
				push_cell(a, c, cell);
			else
				ch->used++;
		}
		if (class && ch->free)
			list_chunk(a, c, class - 1);
		if (class && ch->used == 0)
			close_chunk(a, c, class - 1);
		if (!class)
			spare_push(a, c, false);
	}
}
