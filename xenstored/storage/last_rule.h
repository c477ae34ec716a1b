/* SPDX-License-Identifier: MIT */
/*
 * last_rule.h - which paths last, as bytes: the daemon decides by them (lasting.h), and says with
 * them to the disk what a RESET is about. Pure.
 *
 * Entries, each ended by NUL: "+PATH", it and what is below it lasts; "-PATH", it does not,
 * whatever else says so; "*", all does but what is within a "!PATH".
 */
#ifndef XENSTORED_LAST_RULE_H
#define XENSTORED_LAST_RULE_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the node with canonical path @path, which is not "/", lasts. An empty rule: it does. */
bool last_rule(const char *rule, size_t rule_len, const char *path, size_t len);

#endif
