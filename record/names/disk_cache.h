/* SPDX-License-Identifier: MIT */
/*
 * disk_cache.h - what dom0 may keep of a disk in its memory: cache= of a record, by libvirt's and
 * QEMU's words. Pure.
 */
#ifndef STOREVISOR_DISK_CACHE_H
#define STOREVISOR_DISK_CACHE_H

enum disk_cache {
	DISK_CACHE_DEFAULT,	 /* a device past dom0's page cache if it can, a file through it */
	DISK_CACHE_NONE,	 /* past it; a flush makes what was written safe */
	DISK_CACHE_WRITEBACK,	 /* through it; a flush makes what was written safe */
	DISK_CACHE_WRITETHROUGH, /* through it; each write is safe when it ends */
	DISK_CACHE_DIRECTSYNC,	 /* past it; each write is safe when it ends */
	DISK_CACHE_UNSAFE,	 /* through it; dom0 writes to the disk when it likes */
};

/* By value; "" of the default. NULL after the last. */
extern const char *const disk_cache_words[];

/* Why a disk of another machine has none. */
extern const char disk_cache_remote[];

/* 0 and *@cache; -1: @word is none of them. */
int disk_cache_parse(const char *word, enum disk_cache *cache);

#endif
