/* SPDX-License-Identifier: MIT */
/*
 * page_head.h - how each page of an environment begins: LMDB 0.9, data format 1. The only thing of
 * LMDB's format that is known here; nothing is found or changed by it.
 */
#ifndef XENSTORED_PAGE_HEAD_H
#define XENSTORED_PAGE_HEAD_H

#include <stdint.h>

struct page_head {
	uint64_t number;
	uint16_t pad;
	uint16_t flags;
	uint16_t lower, upper;	/* of a run of pages: how many, 32 bits */
	uint16_t at[];		/* where its entries are, in the page */
};

#define PAGE_BRANCH 0x01u
#define PAGE_LEAF 0x02u
#define PAGE_RUN 0x04u

/* The page of @size bytes, a power of two, that @at lies on. */
static inline const struct page_head *page_head_of(const void *at, unsigned int size)
{
	return (const void *)((const char *)at - (uintptr_t)at % size);
}

#endif
