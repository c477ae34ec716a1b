/* SPDX-License-Identifier: MIT */
/*
 * ops_state.h - what the floor of operations keeps: a part of struct server. The request under way,
 * and who is told of changes and requests.
 */
#ifndef XENSTORED_OPS_STATE_H
#define XENSTORED_OPS_STATE_H

#include <stdint.h>
#include <stdio.h>

#include "xs_wire.h"

struct feeds;
struct monitor;
struct req;

struct ops_state {
	const struct req *acting;	/* the request being carried out, or NULL */
	char reply[XENSTORE_PAYLOAD_MAX];	/* of that request */
	struct monitor *monitors;
	struct feeds *feeds;		/* NULL: nobody subscribes to changes */
	uint64_t change_seq;		/* of the last change noted for them */
	char *trace_path;		/* set by CONTROL logfile */
	FILE *trace;			/* every operation is written here, if anywhere */
};

#endif
