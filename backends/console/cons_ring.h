/* SPDX-License-Identifier: MIT */
/*
 * cons_ring.h - the console page shared with a guest: two byte streams. Source: xen/io/console.h.
 * Indices are read once and checked; contents are bytes without meaning here.
 */
#ifndef BACKENDS_CONS_RING_H
#define BACKENDS_CONS_RING_H

#include <stddef.h>

/* Largest amount one cons_ring_read() can give: the whole output ring. */
#define CONS_RING_OUT 2048

/*
 * Copies up to @len bytes of guest output to @buf without consuming them. @page: the mapped page.
 * Returns the count, or -EPROTO when the indices are impossible.
 */
int cons_ring_peek(void *page, char *buf, size_t len);

/* Consumes @len bytes, at most what cons_ring_peek() gave. */
void cons_ring_consume(void *page, size_t len);

/* Room for guest input in bytes, or -EPROTO. */
int cons_ring_room(void *page);

/* Appends @len bytes of input, at most what cons_ring_room() gave. */
void cons_ring_write(void *page, const char *buf, size_t len);

#endif
