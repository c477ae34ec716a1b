/* SPDX-License-Identifier: MIT */
/*
 * fb_input.h - what viewers do, as the events of xen/io/kbdif.h. Pure: no ring, no descriptor.
 */
#ifndef BACKENDS_FB_INPUT_H
#define BACKENDS_FB_INPUT_H

#include <stdbool.h>
#include <stdint.h>

#include <xen/xen.h>
#include <xen/io/kbdif.h>

/*
 * Keys that are down, and buttons: all that are, at any instruction, and for one perhaps one more.
 */
struct fb_held {
	uint8_t down[256 / 8];
	uint8_t buttons;
};

/* @held outlives the process, so that nothing stays pressed when its viewers are gone. */
struct fb_input {
	struct fb_held *held;
	void (*put)(void *arg, const union xenkbd_in_event *event);
	void *arg;
};

void fb_input_key(struct fb_input *in, uint32_t keysym, bool down);

/* @x below @width, @y below @height: of the picture. @buttons as RFB has them (fb_vnc.h). */
void fb_input_pointer(struct fb_input *in, uint32_t x, uint32_t y, uint32_t width, uint32_t height,
		      uint8_t buttons);

/* Lets go of everything that is down. */
void fb_input_release(struct fb_input *in);

#endif
