/* SPDX-License-Identifier: MIT */
/*
 * fb_ring.h - the page that a guest's screen shares: what changed, and where its pixels are.
 *
 * The page is the guest's and changes while it is read: every field is read once, then judged.
 * Pure. Source: xen/io/fbif.h.
 */
#ifndef BACKENDS_FB_RING_H
#define BACKENDS_FB_RING_H

#include <stdint.h>

#include <xen/xen.h>
#include <xen/io/fbif.h>

#define FB_SIDE_MAX 4096	  /* pixels */
#define FB_MEMORY_MAX (32u << 20) /* bytes of a guest's that are mapped at most */
#define FB_PAGE 4096u
#define FB_PER_PAGE (FB_PAGE / 8) /* frame numbers in a page of them */

/* Where the picture lies in the guest's memory of mem_length bytes. 32 bits a pixel. */
struct fb_shape {
	uint32_t width, height; /* pixels, 1 to FB_SIDE_MAX */
	uint32_t stride;	/* bytes from a row to the next */
	uint32_t offset;	/* bytes before the first */
};

/* Part of a picture, inside it. */
struct fb_rect {
	uint32_t x, y, width, height;
};

/*
 * What the page says when a frontend connects: the shape, and in *@bytes how much memory its
 * directory names. 0; -EINVAL: a picture that cannot be, or of another depth than 32.
 */
int fb_ring_shape(const struct xenfb_page *page, struct fb_shape *shape, uint32_t *bytes);

/* Whether @shape lies in @bytes of memory. */
int fb_shape_check(const struct fb_shape *shape, uint32_t bytes);

/* What a guest says, by kind. */
struct fb_events {
	void (*update)(void *arg, const struct fb_rect *rect); /* inside the picture */
	/* The picture is to be @shape. 0; else it stays what it was. */
	int (*resize)(void *arg, const struct fb_shape *shape);
	void *arg;
};

/*
 * Takes all events that are there, at most a ring of them. @shape: now and afterwards. Events of
 * other kinds are passed over, as the protocol wants it; so are updates outside of the picture, and
 * a new shape that is not in @bytes of memory. Returns how many there were; -EPROTO: indices that
 * cannot be.
 */
int fb_ring_take(struct xenfb_page *page, struct fb_shape *shape, uint32_t bytes,
		 const struct fb_events *events);

#endif
