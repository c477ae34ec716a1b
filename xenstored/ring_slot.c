/* SPDX-License-Identifier: MIT */
/*
 * ring_slot.c - the slots of rings in one sparse file. Blocks are allocated before they are
 * touched, so a full file system is an error here and never a SIGBUS.
 */
#include "ring_slot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xen/xen.h>

#include "mapped.h"
#include "xs_wire.h"

/* What mapped.c calls it. */
static const char mapping[] = "the rings' state (file rings in the runtime directory)";

#define SLOT_STRIDE	32768u
#define SLOT_MAGIC	0x78736c31u	/* "xsl1" */
#define OUT_AT		2048u
#define IN_SMALL_AT	512u
#define IN_SMALL_SIZE	(OUT_AT - IN_SMALL_AT)
#define IN_LARGE_AT	12288u
#define SMALL_PAGES	4096u

struct ring_slot_page {
	uint32_t magic;
	uint32_t domid;
	uint64_t identity;
	uint32_t which;			/* state that counts: 0 or 1 */
	uint32_t zero;
	struct ring_state state[2];
};

_Static_assert(sizeof(struct ring_slot_page) <= IN_SMALL_AT, "slot header");
_Static_assert(OUT_AT + SLOT_OUT_SIZE == IN_LARGE_AT, "slot areas");
_Static_assert(IN_LARGE_AT + XS_WIRE_MSG_MAX <= SLOT_STRIDE, "slot areas");

struct ring_slots {
	int fd;			/* -1: plain memory */
	char *mem;
	size_t len;
};

struct ring_slots *ring_slots_open(const char *path)
{
	struct ring_slots *s = calloc(1, sizeof(*s));
	int flags = MAP_SHARED;

	if (!s)
		return NULL;
	s->len = (size_t)DOMID_FIRST_RESERVED * SLOT_STRIDE;
	s->fd = -1;
	if (path) {
		s->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (s->fd < 0 || ftruncate(s->fd, (off_t)s->len) < 0)
			goto out_free;
	} else {
		flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	}
	s->mem = mmap(NULL, s->len, PROT_READ | PROT_WRITE, flags, s->fd, 0);
	if (s->mem != MAP_FAILED) {
		mapped_name(mapping, s->mem, s->len);
		return s;
	}
out_free:
	if (s->fd >= 0)
		close(s->fd);
	free(s);
	return NULL;
}

void ring_slots_close(struct ring_slots *s)
{
	if (!s)
		return;
	mapped_name(mapping, NULL, 0);
	munmap(s->mem, s->len);
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

/* Makes sure that [@at, @at + @len) of the slot has memory behind it. */
static int slot_back(const struct ring_slot *slot, size_t at, size_t len)
{
	off_t base = (off_t)slot->domid * SLOT_STRIDE;

	if (slot->all->fd < 0)
		return 0;
	return posix_fallocate(slot->all->fd, base + (off_t)at, (off_t)len) ? -ENOSPC : 0;
}

int ring_slot_get(struct ring_slots *s, unsigned int domid, uint64_t identity,
		  struct ring_slot *out, bool *found)
{
	struct ring_slot_page *page;

	*out = (struct ring_slot){ .all = s, .domid = domid, .identity = identity };
	if (slot_back(out, 0, SMALL_PAGES) < 0)
		return -ENOSPC;
	page = (struct ring_slot_page *)(s->mem + (size_t)domid * SLOT_STRIDE);
	out->page = page;
	*found = page->magic == SLOT_MAGIC && page->domid == domid &&
		 page->identity == identity && page->which < 2;
	if (*found)
		return 0;
	memset(page, 0, sizeof(*page));
	page->domid = domid;
	page->identity = identity;
	__atomic_store_n(&page->magic, SLOT_MAGIC, __ATOMIC_RELEASE);
	return 0;
}

void ring_slot_drop(struct ring_slot *slot)
{
	if (!slot->page || slot->page->identity != slot->identity)
		return;
	__atomic_store_n(&slot->page->magic, 0, __ATOMIC_RELEASE);
	if (slot->all->fd >= 0)
		fallocate(slot->all->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			  (off_t)slot->domid * SLOT_STRIDE, SLOT_STRIDE);
	slot->page = NULL;
}

const struct ring_state *ring_slot_state(const struct ring_slot *slot)
{
	return &slot->page->state[slot->page->which & 1];
}

void ring_slot_switch(struct ring_slot *slot, const struct ring_state *next)
{
	unsigned int other = !(slot->page->which & 1);

	slot->page->state[other] = *next;
	/* Release: whoever reads the new number finds the state and the areas it speaks of. */
	__atomic_store_n(&slot->page->which, other, __ATOMIC_RELEASE);
}

char *ring_slot_in(struct ring_slot *slot, size_t total)
{
	if (total <= IN_SMALL_SIZE)
		return (char *)slot->page + IN_SMALL_AT;
	if (slot_back(slot, IN_LARGE_AT, XS_WIRE_MSG_MAX) < 0)
		return NULL;
	return (char *)slot->page + IN_LARGE_AT;
}

char *ring_slot_out(struct ring_slot *slot, size_t end)
{
	if (OUT_AT + end > SMALL_PAGES && slot_back(slot, OUT_AT, end) < 0)
		return NULL;
	return (char *)slot->page + OUT_AT;
}
