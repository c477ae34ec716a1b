/* SPDX-License-Identifier: MIT */
/*
 * disk_script.h - changes of the durable side that depend on a seed and a revision's number only:
 * whoever applies revisions 1 to N of a seed has the same nodes.
 */
#ifndef DISK_SCRIPT_H
#define DISK_SCRIPT_H

#include <stdint.h>

#include "storage/disk.h"

/* Applies revisions @from to @to, all in one commit. As disk_commit(). */
int script_commit(struct disk *d, unsigned int seed, uint64_t from, uint64_t to);

/* A number below @n from @seed and two others. */
unsigned int script_rnd(unsigned int seed, uint64_t a, uint64_t b, unsigned int n);

#endif
