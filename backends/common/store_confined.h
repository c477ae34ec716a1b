/* SPDX-License-Identifier: MIT */
/*
 * store_confined.h - a connection to the store that is good for one device and nothing else.
 *
 * What a device's process may read and write there is said here, for each class of devices, and
 * enforced by the store daemon (docs/protocol.md, "A confined connection"). Made by who has all
 * rights: the process itself before it gives them up, and backendd for it later.
 */
#ifndef BACKENDS_STORE_CONFINED_H
#define BACKENDS_STORE_CONFINED_H

#include <stdint.h>

/* One device, all of it dom0's words. */
struct store_scope {
	char type[16];	    /* device class directory: "vbd" */
	char path[256];	    /* backend directory */
	char frontend[256]; /* frontend directory */
	uint32_t domid;	    /* the frontend's domain */
};

/* How long the daemon may take to answer. */
#define STORE_CONFINED_WAIT_S 2

/*
 * Connects to the daemon's socket and confines the connection to @scope. Returns the descriptor;
 * -EINVAL: no such class, or a path too long; -EPROTONOSUPPORT: the daemon cannot confine, and
 * nothing is to be served with it; -errno of the connection.
 */
int store_confined_connect(const struct store_scope *scope);

#endif
