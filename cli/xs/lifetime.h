/* SPDX-License-Identifier: MIT */
/* lifetime.h - whether a node is kept over a boot of the host; telling who does not know. */
#ifndef STOREVISOR_XS_LIFETIME_H
#define STOREVISOR_XS_LIFETIME_H

#include <stdbool.h>

/* 1: the daemon keeps what is at @path over a boot; 0: it does not; -1: it does not tell us. */
int lifetime_told(const char *path);
/* Whether the daemon keeps what is at @path; of one that does not tell: below /config, /history. */
bool lifetime_lasts(const char *path);
/*
 * For who has put something at @path, a person at a terminal: says once in a run, on standard
 * error, that it will be gone with the next boot. What daemons put there is meant to be.
 */
void lifetime_warn(const char *path);

#endif
