/* SPDX-License-Identifier: MIT */
/* fb_ring.c - see fb_ring.h. */
#include "fb_ring.h"

#include <errno.h>
#include <string.h>

#define DEPTH 32
#define PIXEL (DEPTH / 8)

#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))

int fb_shape_check(const struct fb_shape *shape, uint32_t bytes)
{
	uint64_t row = (uint64_t)shape->width * PIXEL;

	if (shape->width == 0 || shape->width > FB_SIDE_MAX || shape->height == 0 ||
	    shape->height > FB_SIDE_MAX || shape->stride < row)
		return -EINVAL;
	return shape->offset + (uint64_t)shape->stride * (shape->height - 1) + row <= bytes ? 0 :
											      -EINVAL;
}

int fb_ring_shape(const struct xenfb_page *page, struct fb_shape *shape, uint32_t *bytes)
{
	*bytes = READ_ONCE(page->mem_length);
	shape->width = (uint32_t)READ_ONCE(page->width);
	shape->height = (uint32_t)READ_ONCE(page->height);
	shape->stride = READ_ONCE(page->line_length);
	shape->offset = 0;
	if (READ_ONCE(page->depth) != DEPTH || *bytes > FB_MEMORY_MAX)
		return -EINVAL;
	return fb_shape_check(shape, *bytes);
}

/* @at and @len of a guest's, cut to 0..@max. False: nothing is left. */
static int cut(int32_t at, int32_t len, uint32_t max, uint32_t *from, uint32_t *left)
{
	int64_t end = (int64_t)at + len, begin = at < 0 ? 0 : at;

	if (end > max)
		end = max;
	if (len <= 0 || begin >= end)
		return 0;
	*from = (uint32_t)begin;
	*left = (uint32_t)(end - begin);
	return 1;
}

static void take_update(const struct xenfb_update *u, const struct fb_shape *shape,
			const struct fb_events *events)
{
	struct fb_rect r;

	if (cut(u->x, u->width, shape->width, &r.x, &r.width) &&
	    cut(u->y, u->height, shape->height, &r.y, &r.height))
		events->update(events->arg, &r);
}

static void take_resize(const struct xenfb_resize *s, struct fb_shape *shape, uint32_t bytes,
			const struct fb_events *events)
{
	const struct fb_shape new = { (uint32_t)s->width, (uint32_t)s->height, (uint32_t)s->stride,
				      (uint32_t)s->offset };

	if (s->depth == DEPTH && fb_shape_check(&new, bytes) == 0 &&
	    events->resize(events->arg, &new) == 0)
		*shape = new;
}

int fb_ring_take(struct xenfb_page *page, struct fb_shape *shape, uint32_t bytes,
		 const struct fb_events *events)
{
	uint32_t prod = __atomic_load_n(&page->out_prod, __ATOMIC_ACQUIRE);
	uint32_t cons = READ_ONCE(page->out_cons), nr = prod - cons;

	if (nr > XENFB_OUT_RING_LEN)
		return -EPROTO;
	for (; cons != prod; cons++) {
		union xenfb_out_event e;

		/* The guest's until out_cons has passed it, and perhaps after: a copy is judged. */
		memcpy(&e, (const void *)&XENFB_OUT_RING_REF(page, cons), sizeof(e));
		__asm__ volatile("" : "+m"(e));
		if (e.type == XENFB_TYPE_UPDATE)
			take_update(&e.update, shape, events);
		else if (e.type == XENFB_TYPE_RESIZE)
			take_resize(&e.resize, shape, bytes, events);
	}
	__atomic_store_n(&page->out_cons, prod, __ATOMIC_RELEASE);
	return (int)nr;
}
