/* SPDX-License-Identifier: MIT */
/*
 * fb_vnc.h - the picture as viewers see it, by libvncserver.
 *
 * Viewers are strangers: they may send anything, and be slow. A viewer is sent a slice of the
 * picture that its socket has room for, and nothing is read of it nor sent to it before it has
 * taken that: nobody waits for it. Who has not taken one within patience_ms is closed. Everything
 * runs in the caller's libevent loop.
 */
#ifndef BACKENDS_FB_VNC_H
#define BACKENDS_FB_VNC_H

#include <stdbool.h>
#include <stdint.h>

#include <rfb/rfb.h>

#include "fb_ring.h"
#include "screen.h"

#define FB_VNC_VIEWERS 8
#define FB_VNC_PATIENCE_MS 5000

struct event;
struct event_base;
struct viewer;

/* What viewers do. */
struct fb_vnc_ops {
	void (*key)(void *arg, uint32_t keysym, bool down);
	/* @x, @y: in the picture. @buttons: bit 0 left, 1 middle, 2 right, 3 and 4 the wheel. */
	void (*pointer)(void *arg, uint32_t x, uint32_t y, uint8_t buttons);
	void (*came)(void *arg); /* it has seen nothing yet */
	void (*left)(void *arg); /* fb_vnc_watched() counts it no more */
};

struct fb_vnc {
	const struct fb_vnc_ops *ops;
	void *arg;
	rfbScreenInfoPtr screen;
	char *password[2]; /* as libvncserver wants it: a list; the first NULL: none is asked for */
	int listening;
	int quiet[2]; /* what a viewer is until the library has looked at it: fb_vnc.c */
	struct viewer *viewer[FB_VNC_VIEWERS]; /* NULL: nobody; @viewers others */
	unsigned int viewers;
	struct event_base *base;
	struct event *accepting;
	struct event *look; /* at those that have not taken what they were sent */
	uint32_t patience_ms; /* FB_VNC_PATIENCE_MS since fb_vnc_open() */
	uint32_t room;	    /* bytes of pixels that a viewer's socket surely takes at once */
};

/*
 * Listens at @address, IPv4 or IPv6, for display @display, or the first from 0 that is free if it
 * is negative; @first is tried before the others then (negative: none). @password, at most
 * SCREEN_PASSWORD_MAX bytes, "": viewers need none; both strings stay the caller's, @password as
 * long as @v. *@port: where it listens. With all rights: what the libraries open they open here.
 * 0; -EINVAL: no such address; -EADDRINUSE; -errno.
 */
int fb_vnc_open(struct fb_vnc *v, const char *address, int display, int first, char *password,
		const char *title, unsigned int *port);

/* Takes viewers from now on. 0 or -errno. */
int fb_vnc_start(struct fb_vnc *v, struct event_base *base);

/* A picture of another size, black. 0 or -ENOMEM: the old one stays. */
int fb_vnc_resize(struct fb_vnc *v, uint32_t width, uint32_t height);

/* Copies @rect of the guest's memory @from into the picture. It lies in both. */
void fb_vnc_copy(struct fb_vnc *v, const uint8_t *from, const struct fb_shape *shape,
		 const struct fb_rect *rect);

/* Sends what changed to who wants it. */
void fb_vnc_send(struct fb_vnc *v);

bool fb_vnc_watched(const struct fb_vnc *v);

void fb_vnc_close(struct fb_vnc *v);

#endif
