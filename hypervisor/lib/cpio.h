/* SPDX-License-Identifier: MIT */
/* cpio.h - a file in uncompressed archives, as initrds begin with. Pure; the bytes may be any. */
#ifndef HV_LIB_CPIO_H
#define HV_LIB_CPIO_H

#include "lib/types.h"

/*
 * The contents of @name in the "newc" archives at the beginning of [@data, @data + @len), one
 * behind the other, *@size of them; NULL: none has such a file, or there is no archive.
 */
const void *cpio_find(const void *data, u64 len, const char *name, u64 *size);

#endif
