/* SPDX-License-Identifier: MIT */
/* cons_ring.c - console byte rings, backend side: see cons_ring.h. */
#include "cons_ring.h"

#include <errno.h>
#include <stdint.h>

#include <xen/xen.h>
#include <xen/io/console.h>

#include "shm.h"

_Static_assert(sizeof(((struct xencons_interface *)0)->out) == CONS_RING_OUT, "xen/io/console.h");

int cons_ring_peek(void *page, char *buf, size_t len)
{
	struct xencons_interface *c = page;
	uint32_t cons = shm_read32(&c->out_cons), prod = shm_read32(&c->out_prod);
	uint32_t n = prod - cons;

	if (n > sizeof(c->out))
		return -EPROTO;
	/* Pairs with the guest's write barrier before it moves out_prod. */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (n > len)
		n = (uint32_t)len;
	for (uint32_t i = 0; i < n; i++)
		buf[i] = *(volatile char *)&c->out[MASK_XENCONS_IDX(cons + i, c->out)];
	return (int)n;
}

void cons_ring_consume(void *page, size_t len)
{
	struct xencons_interface *c = page;

	/* The bytes must have been read before the guest may overwrite them. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	shm_write32(&c->out_cons, shm_read32(&c->out_cons) + (uint32_t)len);
}

int cons_ring_room(void *page)
{
	struct xencons_interface *c = page;
	uint32_t used = shm_read32(&c->in_prod) - shm_read32(&c->in_cons);

	/* Pairs with the guest's barrier before it moves in_cons: it has read what we overwrite. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return used > sizeof(c->in) ? -EPROTO : (int)(sizeof(c->in) - used);
}

void cons_ring_write(void *page, const char *buf, size_t len)
{
	struct xencons_interface *c = page;
	uint32_t prod = shm_read32(&c->in_prod);

	for (size_t i = 0; i < len; i++)
		*(volatile char *)&c->in[MASK_XENCONS_IDX(prod + i, c->in)] = buf[i];
	/* Pairs with the guest's read barrier after reading in_prod. */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	shm_write32(&c->in_prod, prod + (uint32_t)len);
}
