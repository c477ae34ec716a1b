/* SPDX-License-Identifier: MIT */
/* cmdline.h - splits a boot command line into options. Pure; the line may hold anything. */
#ifndef HV_LIB_CMDLINE_H
#define HV_LIB_CMDLINE_H

#include "lib/types.h"

/*
 * Copies the next blank-separated word of *@line into @word (truncated at @size - 1 bytes) and
 * moves *@line behind it. False: no word is left.
 */
bool cmdline_next(const char **line, char *word, size_t size);
/* The text behind "@name=" when @word is that option, "" for a bare "@name"; NULL: another option.
 */
const char *cmdline_value(const char *word, const char *name);
/* A size with suffix B, K, M, G or T (none: KiB, as Xen's dom0_mem). False: not a size. */
bool cmdline_size(const char *text, u64 *bytes);

#endif
