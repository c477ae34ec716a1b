/* SPDX-License-Identifier: MIT */
/*
 * xs_past.h - the records of CONTROL log, at, tree and diff: what the persistent part of the store
 * was like, and who changed it. Shared by the daemon and the client library; no code.
 *
 * The answer is a stream of replies to one request, as of CONTROL dump (xs_bulk.h): the payloads
 * form one byte stream of records, an empty reply ends it. Each record is the header, then path,
 * value and permissions ("n0 NUL r5 NUL"), no padding. Byte order and widths are the machine's.
 */
#ifndef STOREVISOR_XS_PAST_H
#define STOREVISOR_XS_PAST_H

#include <stdint.h>

enum xs_past_kind {
	XS_PAST_NODE,	/* at, tree: a node as it was; diff: to be put */
	XS_PAST_GONE,	/* diff: to be removed with all below it */
	XS_PAST_PUT,	/* log: made or changed; value and permissions as they became */
	XS_PAST_DEL,	/* log: removed, itself or with something above it */
	/*
	 * What was before revision rev is not known any more: the last one of log; of the others
	 * the only one, in place of an answer. Of log with mark 1: there is more, which is asked
	 * for by rev and index.
	 */
	XS_PAST_LIMIT,
};

struct xs_past {
	uint32_t len;		/* of the whole record */
	uint8_t kind;		/* enum xs_past_kind */
	uint8_t mark;		/* enum xs_kind of the value */
	uint16_t domid;		/* log: who did it */
	uint64_t rev;		/* of the change; NODE: the node's last one then */
	uint64_t time_ns;	/* log: CLOCK_REALTIME */
	uint32_t uid, pid;	/* log: of a socket's client */
	uint32_t value_len, perms_len;
	uint16_t path_len;
	uint16_t reserved;
	char program[16];	/* log: of a socket's client; NUL-terminated, untrusted */
	uint32_t index;		/* log: among the changes of rev; LIMIT: the one told last */
};

_Static_assert(sizeof(struct xs_past) == 64, "no holes: the bytes go over a socket");

#endif
