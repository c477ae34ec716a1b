/* SPDX-License-Identifier: MIT */
/* fb_input.c - see fb_input.h. */
#include "fb_input.h"

#include <string.h>

#include <linux/input-event-codes.h>

#include "kbd_ring.h"
#include "keysym.h"

#define WHEEL_UP 8
#define WHEEL_DOWN 16

/* RFB's buttons, a bit each, as keys. */
static const uint16_t button_keys[] = { BTN_LEFT, BTN_MIDDLE, BTN_RIGHT };

static void put_key(struct fb_input *in, uint16_t key, bool down)
{
	union xenkbd_in_event e;

	memset(&e, 0, sizeof(e));
	e.key.type = XENKBD_TYPE_KEY;
	e.key.pressed = down;
	e.key.keycode = key;
	in->put(in->arg, &e);
}

void fb_input_key(struct fb_input *in, uint32_t keysym, bool down)
{
	uint16_t key = keysym_to_key(keysym);

	if (!key || key >= 256)
		return;
	if (down)
		in->held->down[key / 8] |= (uint8_t)(1 << key % 8);
	put_key(in, key, down);
	if (!down)
		in->held->down[key / 8] &= (uint8_t)~(1 << key % 8);
}

static void set_buttons(struct fb_input *in, uint8_t buttons)
{
	const uint8_t changed = buttons ^ in->held->buttons;

	in->held->buttons |= buttons;
	for (unsigned int i = 0; i < sizeof(button_keys) / sizeof(button_keys[0]); i++)
		if (changed & 1u << i)
			put_key(in, button_keys[i], buttons >> i & 1);
	in->held->buttons = buttons;
}

/* A pointer's place from 0 to the range's last. */
static int32_t scaled(uint32_t at, uint32_t size)
{
	return size < 2 ? 0 : (int32_t)((uint64_t)at * (KBD_RANGE - 1) / (size - 1));
}

void fb_input_pointer(struct fb_input *in, uint32_t x, uint32_t y, uint32_t width, uint32_t height,
		      uint8_t buttons)
{
	uint8_t pressed = buttons & (uint8_t)~in->held->buttons;
	union xenkbd_in_event e;

	memset(&e, 0, sizeof(e));
	e.pos.type = XENKBD_TYPE_POS;
	e.pos.abs_x = scaled(x, width);
	e.pos.abs_y = scaled(y, height);
	e.pos.rel_z = !!(pressed & WHEEL_UP) - !!(pressed & WHEEL_DOWN);
	in->put(in->arg, &e);
	set_buttons(in, buttons);
}

void fb_input_release(struct fb_input *in)
{
	for (uint16_t key = 1; key < 256; key++)
		if (in->held->down[key / 8] & 1 << key % 8)
			put_key(in, key, false);
	memset(in->held->down, 0, sizeof(in->held->down));
	set_buttons(in, 0);
}
