/* SPDX-License-Identifier: MIT */
/* digest.h - what a daemon's persistent part is, as one number. */
#ifndef DIGEST_H
#define DIGEST_H

#include <stdint.h>

/*
 * A digest of /config and /history: paths, values, permissions, order. Asked of a daemon over its
 * socket; 0: it did not answer.
 */
uint64_t digest_of_daemon(int fd);

#endif
