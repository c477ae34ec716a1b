/* SPDX-License-Identifier: MIT */
/* kbd_ring.c - see kbd_ring.h. */
#include "kbd_ring.h"

#include <errno.h>
#include <string.h>

int kbd_ring_room(const struct xenkbd_page *page)
{
	uint32_t cons = __atomic_load_n(&page->in_cons, __ATOMIC_ACQUIRE);
	uint32_t prod = __atomic_load_n(&page->in_prod, __ATOMIC_RELAXED);

	if (prod - cons > XENKBD_IN_RING_LEN)
		return -EPROTO;
	return (int)(XENKBD_IN_RING_LEN - (prod - cons));
}

void kbd_ring_put(struct xenkbd_page *page, const union xenkbd_in_event *event)
{
	uint32_t prod = __atomic_load_n(&page->in_prod, __ATOMIC_RELAXED);

	memcpy(&XENKBD_IN_RING_REF(page, prod), event, sizeof(*event));
	__atomic_store_n(&page->in_prod, prod + 1, __ATOMIC_RELEASE);
}

void kbd_ring_ignore(struct xenkbd_page *page)
{
	__atomic_store_n(&page->out_cons, __atomic_load_n(&page->out_prod, __ATOMIC_RELAXED),
			 __ATOMIC_RELEASE);
}

void kbd_to_motion(union xenkbd_in_event *event, int32_t *x, int32_t *y)
{
	const int32_t wheel = event->pos.rel_z;
	const int32_t to_x = event->pos.abs_x / (KBD_RANGE / KBD_MOTION);
	const int32_t to_y = event->pos.abs_y / (KBD_RANGE / KBD_MOTION);

	memset(event, 0, sizeof(*event));
	event->motion.type = XENKBD_TYPE_MOTION;
	event->motion.rel_x = to_x - *x;
	event->motion.rel_y = to_y - *y;
	event->motion.rel_z = wheel;
	*x = to_x;
	*y = to_y;
}
