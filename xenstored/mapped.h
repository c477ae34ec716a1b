/* SPDX-License-Identifier: MIT */
/*
 * mapped.h - what becomes of a process that touches a mapped file which has lost its bytes.
 *
 * Blocks of the journal and the slots are allocated before they are touched, so a full file
 * system is an error there. A file that is truncated behind our back, or a disk that cannot be
 * read, raises SIGBUS. What the map held is gone then: the process says which file it was and
 * ends, to be started again by its supervisor; the start decides what is still whole.
 */
#ifndef XENSTORED_MAPPED_H
#define XENSTORED_MAPPED_H

#include <stddef.h>

/* Status of a process that ends so; of a keeper in LMDB's map of an environment: + 1 + env. */
#define MAPPED_LOST 70

/* From here on SIGBUS ends the process by MAPPED_LOST and a line on standard error. */
void mapped_init(void);
/* Names a mapping, at most four; @what is kept, not copied. NULL @addr: forget it. */
void mapped_name(const char *what, const void *addr, size_t len);
/* Ends the process so: the file called @what is found to be shorter than it was. */
_Noreturn void mapped_lost(const char *what);
/* A keeper: faults anywhere else are in the map of environment @env, called @what. */
void mapped_env(const char *what, unsigned int env);

#endif
