/* SPDX-License-Identifier: MIT */
/*
 * shm.h - reads and writes of memory that a guest changes under our feet.
 *
 * Each word is accessed exactly once, through volatile, so that the compiler can neither read it
 * twice nor read it late. Whoever wants to look at a value twice looks at the local copy.
 */
#ifndef BACKENDS_SHM_H
#define BACKENDS_SHM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t shm_read32(const volatile void *p)
{
	return *(const volatile uint32_t *)p;
}

static inline void shm_write32(volatile void *p, uint32_t v)
{
	*(volatile uint32_t *)p = v;
}

/* @len is a multiple of 4, @p 4-aligned. */
static inline void shm_read(void *to, const volatile void *p, size_t len)
{
	const volatile uint32_t *from = p;

	for (size_t i = 0; i < len / 4; i++) {
		uint32_t v = from[i];

		memcpy((uint8_t *)to + 4 * i, &v, 4);
	}
}

/* @len is a multiple of 4, @p 4-aligned. */
static inline void shm_write(volatile void *p, const void *from, size_t len)
{
	volatile uint32_t *to = p;

	for (size_t i = 0; i < len / 4; i++) {
		uint32_t v;

		memcpy(&v, (const uint8_t *)from + 4 * i, 4);
		to[i] = v;
	}
}

#endif
