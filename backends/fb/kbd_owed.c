/* SPDX-License-Identifier: MIT */
/* kbd_owed.c - see kbd_owed.h. */
#include "kbd_owed.h"

#include <string.h>

static bool get(const uint8_t *bits, uint32_t key)
{
	return bits[key / 8] >> key % 8 & 1;
}

static void set(uint8_t *bits, uint32_t key, bool down)
{
	const uint8_t bit = (uint8_t)(1 << key % 8);

	bits[key / 8] = down ? bits[key / 8] | bit : bits[key / 8] & (uint8_t)~bit;
}

/* How the two bits of a key differ is counted: a look for one goes through all. */
static void set_key(struct kbd_owed *o, uint32_t key, bool down, bool told)
{
	o->nr -= get(o->is_down, key) != get(o->told, key);
	set(o->is_down, key, down);
	if (told)
		set(o->told, key, down);
	o->nr += get(o->is_down, key) != get(o->told, key);
}

static void take(struct kbd_owed *o, const union xenkbd_in_event *event, bool told)
{
	if (event->type == XENKBD_TYPE_KEY && event->key.keycode < KBD_OWED_KEYS)
		set_key(o, event->key.keycode, event->key.pressed, told);
	if (event->type != XENKBD_TYPE_POS)
		return;
	o->moved = !told;
	o->place = *event;
	o->place.pos.rel_z = 0;
}

void kbd_owed_told(struct kbd_owed *o, const union xenkbd_in_event *event)
{
	take(o, event, true);
}

void kbd_owed_note(struct kbd_owed *o, const union xenkbd_in_event *event)
{
	take(o, event, false);
}

bool kbd_owed_next(const struct kbd_owed *o, union xenkbd_in_event *event)
{
	uint32_t key = 0;

	if (!o->nr && !o->moved)
		return false;
	/* First where: a button is pressed there. */
	if (o->moved) {
		*event = o->place;
		return true;
	}
	while (key < KBD_OWED_KEYS - 1 && get(o->is_down, key) == get(o->told, key))
		key++;
	memset(event, 0, sizeof(*event));
	event->key.type = XENKBD_TYPE_KEY;
	event->key.pressed = get(o->is_down, key);
	event->key.keycode = key;
	return true;
}
