/* SPDX-License-Identifier: MIT */
/*
 * record_settle.h - what a configuration file leaves to the host it is read on.
 */
#ifndef STOREVISOR_RECORD_SETTLE_H
#define STOREVISOR_RECORD_SETTLE_H

#include "record.h"

/*
 * Disks without a prefix become phy: where their path is a block device of this host, else file:;
 * cards that name no bridge get @bridge (NULL or not a bridge's name: the registry's default).
 */
void record_settle(struct record *r, const char *bridge);

/* The bridge that record_settle() gives for @bridge. */
const char *record_bridge(const char *bridge);

#endif
