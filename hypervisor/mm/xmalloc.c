/* SPDX-License-Identifier: MIT */
/*
 * xmalloc.c - the hypervisor's own memory: whole pages from the heap, and small objects from
 * power-of-two slabs of one page each. A page's header says what size its objects have.
 */
#include "lib/log.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/page_alloc.h"
#include "x86/layout.h"
#include "x86/tlb.h"

#define SLAB_MIN_SHIFT 5
#define SLAB_MAX_SHIFT 10 /* two or more objects a page */
#define SLAB_MAGIC 0x51ab51abu

struct slab_page { /* at the start of each slab page; objects follow at multiples of their size */
	u32 magic;
	u16 shift, nr_used;
	struct slab_page *next, *prev; /* pages of this size with a free object */
	void *free; /* objects linked through their first word */
};

/* Large objects are whole pages, page-aligned; their order is kept in the frame record. */
static struct slab_page *partial[SLAB_MAX_SHIFT + 1];

void *xen_pages_alloc(unsigned int order)
{
	struct frame *f = frames_alloc(order, 0);

	if (!f)
		return NULL;
	for (u64 i = 0; i < (1ULL << order); i++) {
		frame_clean(&f[i]);
		frame_set_refs(&f[i], 0);
	}
	return mfn_to_virt(frame_to_mfn(f));
}

void xen_pages_free(void *va, unsigned int order)
{
	struct frame *f = virt_to_frame(va);

	memset(va, 0, PAGE_SIZE << order);
	for (u64 i = 0; i < (1ULL << order); i++) {
		f[i].type = 0;
		/* it may have been shared: a guest's stale translation must not see it again */
		f[i].stamp = tlb_clock();
	}
	frames_free(f, order);
}

static void partial_add(struct slab_page *s)
{
	s->prev = NULL;
	s->next = partial[s->shift];
	if (s->next)
		s->next->prev = s;
	partial[s->shift] = s;
}

static void partial_del(struct slab_page *s)
{
	if (s->next)
		s->next->prev = s->prev;
	if (s->prev)
		s->prev->next = s->next;
	else
		partial[s->shift] = s->next;
}

static struct slab_page *slab_create(unsigned int shift)
{
	struct slab_page *s = xen_pages_alloc(0);
	size_t size = 1UL << shift, first = MAX(size, ALIGN_UP(sizeof(*s), 16UL));

	if (!s)
		return NULL;
	s->magic = SLAB_MAGIC;
	s->shift = (u16)shift;
	for (size_t at = ALIGN_UP(first, size); at + size <= PAGE_SIZE; at += size) {
		void **obj = (void **)((char *)s + at);

		*obj = s->free;
		s->free = obj;
	}
	partial_add(s);
	return s;
}

static void *slab_alloc(size_t size)
{
	unsigned int shift = SLAB_MIN_SHIFT;
	struct slab_page *s;
	void **obj;

	while ((1UL << shift) < size)
		shift++;
	s = partial[shift] ? partial[shift] : slab_create(shift);
	if (!s)
		return NULL;
	obj = s->free;
	s->free = *obj;
	s->nr_used++;
	if (!s->free)
		partial_del(s);
	memset(obj, 0, 1UL << shift);
	return obj;
}

static unsigned int order_of(size_t size)
{
	unsigned int order = 0;

	while ((PAGE_SIZE << order) < size)
		order++;
	return order;
}

void *xzalloc(size_t size)
{
	unsigned int order;
	void *va;

	if (size <= 1UL << SLAB_MAX_SHIFT)
		return slab_alloc(size);
	order = order_of(size);
	if (order > MAX_ORDER)
		return NULL;
	va = xen_pages_alloc(order);
	if (va)
		frame_set_order(virt_to_frame(va), order);
	return va;
}

void xfree(void *p)
{
	struct slab_page *s = (struct slab_page *)ALIGN_DOWN((unsigned long)p, PAGE_SIZE);
	void **obj = p;

	if (!p)
		return;
	if ((void *)s == p) { /* objects never start a slab page */
		xen_pages_free(p, frame_order(virt_to_frame(p)));
		return;
	}
	BUG_ON(s->magic != SLAB_MAGIC);
	if (!s->free)
		partial_add(s);
	*obj = s->free;
	s->free = obj;
	if (--s->nr_used == 0) {
		partial_del(s);
		xen_pages_free(s, 0);
	}
}
