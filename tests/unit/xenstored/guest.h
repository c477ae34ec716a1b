/* SPDX-License-Identifier: MIT */
/*
 * guest.h - domain 1 on its ring, as a guest's driver would be: it numbers its requests and fails
 * the test when they are not answered once each, in order, and with what it wrote last.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "fake_hv.h"
#include "xs_wire.h"

struct guest {
	struct xenstore_domain_interface *page;
	unsigned long sent, answered, written;
	unsigned int events;
	char out[XS_WIRE_MSG_MAX * 2];
	uint32_t out_len, out_done;
	char in[XS_WIRE_MSG_MAX];
	uint32_t in_len;
	bool errors_allowed;
	int err;		/* of the last answer, and its payload as a number */
	unsigned long number;
};

/* Fills the ring with requests as far as it goes; at most five are unanswered. */
void guest_push(struct guest *g);
/* Takes what the ring has. */
void guest_pull(struct guest *g);
/* Both, for a time. */
void guest_run_for(struct guest *g, double seconds);
/* Puts one whole request into the empty ring, without telling the daemon. */
void guest_place(struct guest *g, uint32_t type, uint32_t tx, const void *data, uint32_t len);

#endif
