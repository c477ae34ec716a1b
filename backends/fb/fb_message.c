/* SPDX-License-Identifier: MIT */
/* fb_message.c - see fb_message.h. */
#include "fb_message.h"

static uint32_t number(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static enum fb_message encodings(const uint8_t *head, uint32_t *size)
{
	uint32_t nr = (uint32_t)head[2] << 8 | head[3];

	*size += 4 * nr;
	return nr > FB_MESSAGE_ENCODINGS ? FB_MESSAGE_NEVER : FB_MESSAGE_WHOLE;
}

/* A length below zero is that of a newer kind of clipboard. */
static enum fb_message cut_text(const uint8_t *head, uint32_t *size)
{
	uint32_t bytes = number(head + 4);

	*size += bytes >> 31 ? -bytes : bytes;
	return FB_MESSAGE_PASSED;
}

static enum fb_message scale(const uint8_t *head, uint32_t *size)
{
	(void)head;
	(void)size;
	return FB_MESSAGE_PASSED;
}

/* By type. @rest: NULL: the head is all of it. */
static const struct {
	uint32_t head; /* bytes; 0: not taken */
	enum fb_message (*rest)(const uint8_t *head, uint32_t *size);
} kinds[] = {
	[0] = { 20, NULL },	/* SetPixelFormat */
	[2] = { 4, encodings }, /* SetEncodings */
	[3] = { 10, NULL },	/* FramebufferUpdateRequest */
	[4] = { 8, NULL },	/* KeyEvent */
	[5] = { 6, NULL },	/* PointerEvent */
	[6] = { 8, cut_text },	/* ClientCutText */
	[8] = { 4, scale },	/* UltraVNC's, and Palm's */
	[15] = { 4, scale },
};

enum fb_message fb_message_next(const uint8_t *bytes, size_t len, uint32_t *size)
{
	enum fb_message what = FB_MESSAGE_WHOLE;

	if (len == 0)
		return FB_MESSAGE_PART;
	if (bytes[0] >= sizeof(kinds) / sizeof(kinds[0]) || !kinds[bytes[0]].head)
		return FB_MESSAGE_NEVER;
	*size = kinds[bytes[0]].head;
	if (len < *size)
		return FB_MESSAGE_PART;
	if (kinds[bytes[0]].rest)
		what = kinds[bytes[0]].rest(bytes, size);
	return what == FB_MESSAGE_WHOLE && len < *size ? FB_MESSAGE_PART : what;
}
