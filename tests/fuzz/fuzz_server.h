/* SPDX-License-Identifier: MIT */
/* fuzz_server.h - a daemon in memory with one guest ring, for targets that need one. */
#ifndef FUZZ_SERVER_H
#define FUZZ_SERVER_H

#include <stdint.h>

#include <xen/io/xs_wire.h>

#include "server.h"

struct server *fuzz_server_start(void);
/* The page of domain 1. */
struct xenstore_domain_interface *fuzz_server_ring(struct server *srv);
struct conn *fuzz_server_client(struct server *srv, unsigned int domid);
/* Verifies every invariant and that domain 0 is served, then frees everything. */
void fuzz_server_stop(struct server *srv);

#endif
