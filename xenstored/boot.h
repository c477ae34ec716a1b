/* SPDX-License-Identifier: MIT */
/*
 * boot.h - the daemon from its first to its last step: what is opened, in which order, and what a
 * start after a crash puts back.
 */
#ifndef XENSTORED_BOOT_H
#define XENSTORED_BOOT_H

#include "server.h"

struct boot {
	struct server srv;
};

/* Opens and restores everything, up to accepting clients. 0, or -Exxx with the reason logged. */
int boot_up(struct boot *b, const struct server_config *cfg, const struct quotas *quotas);

/* Serves until told to end; live update executes @argv[0] again. 0 or -Exxx. */
int boot_serve(struct boot *b, char **argv);

#endif
