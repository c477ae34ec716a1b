/* SPDX-License-Identifier: MIT */
/*
 * fb_message.h - where a viewer's next message ends. Pure.
 *
 * The library waits for the rest of a message that it began to read, and everything else waits with
 * it. So it is shown whole ones, and of those only what a screen is for: no clipboard, no files, no
 * scale, which is a picture more for each size that is asked for. Source: RFC 6143, 7.5.
 */
#ifndef BACKENDS_FB_MESSAGE_H
#define BACKENDS_FB_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

/* A list of encodings is the longest: no viewer has that many. */
#define FB_MESSAGE_ENCODINGS 256u
#define FB_MESSAGE_MAX (4 + 4 * FB_MESSAGE_ENCODINGS)

enum fb_message {
	FB_MESSAGE_PART,   /* more must come to say, or to read it */
	FB_MESSAGE_WHOLE,  /* it is there */
	FB_MESSAGE_PASSED, /* nobody here wants it, however much of it is there */
	FB_MESSAGE_NEVER,  /* one that a screen does not take, whose end is not known */
};

/*
 * What begins with the @len bytes at @bytes, of a viewer that has said who it is. *@size: bytes of
 * it, with PASSED and WHOLE. FB_MESSAGE_MAX bytes are enough to tell.
 */
enum fb_message fb_message_next(const uint8_t *bytes, size_t len, uint32_t *size);

#endif
