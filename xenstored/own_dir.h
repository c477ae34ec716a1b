/* SPDX-License-Identifier: MIT */
/* own_dir.h - one daemon a directory. */
#ifndef XENSTORED_OWN_DIR_H
#define XENSTORED_OWN_DIR_H

#include <stdbool.h>

struct server;

/*
 * Takes RUN and STATE for this daemon until its process ends; one that is just ending is waited
 * for. What is in STATE becomes its user's. A STATE that cannot be written has nobody else either.
 * Another process asks the disk: one that hangs is served without, and STATE taken when it
 * answers; when another daemon has it then, or nobody is left to say, this one ends. 0; -EBUSY:
 * another one has them; -Exxx, with the reason logged.
 */
int own_dirs(struct server *srv);
/* Whether this one ends because of that; srv->state_lock has the reason. */
bool own_dir_is_lost(const struct server *srv);

#endif
