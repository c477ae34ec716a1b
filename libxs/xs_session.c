/* SPDX-License-Identifier: MIT */
/* xs_session.c - see xs_session.h. */
#include "xs_session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "xs_wire.h"

#define CHANGE 0x80000000u /* of a req_id: this is a change */

int xs_session_name(char token[XS_SESSION_TOKEN_BUF])
{
	unsigned char bytes[16];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return errno ? -errno : -EIO;
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(token + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

bool xs_session_counts(uint32_t type, uint32_t tx, const char *payload)
{
	switch (type) {
	case XS_WRITE:
	case XS_MKDIR:
	case XS_RM:
	case XS_SET_PERMS:
	case XS_INTRODUCE:
	case XS_RELEASE:
	case XS_RESUME:
	case XS_SET_TARGET:
	case XS_WIRE_SET_FEATURE:
	case XS_WIRE_SET_QUOTA:
		return tx == 0;
	case XS_TRANSACTION_END:
		return payload[0] == 'T';
	}
	return false;
}

uint32_t xs_session_next(uint32_t *counter, bool counts)
{
	*counter = (*counter + 1) & ~CHANGE;
	if (*counter == 0)
		*counter = 1;
	return *counter | (counts ? CHANGE : 0);
}

/* In the order in which they went out; the number may have begun again. */
static bool is_behind(uint32_t id, uint32_t other)
{
	return (int32_t)((id << 1) - (other << 1)) > 0;
}

/* The errno of "ID:ERROR" for @req_id among the words of @p; 0: it is not there. */
static int failure_of(const char *p, uint32_t req_id)
{
	while (*p == ' ') {
		char *colon;
		uint32_t id = (uint32_t)strtoul(p + 1, &colon, 10);
		size_t len;

		if (*colon != ':')
			break;
		len = strcspn(colon + 1, " ");
		if (id == req_id)
			return xs_wire_error_code(colon + 1, len);
		p = colon + 1 + len;
	}
	return 0;
}

int xs_session_outcome(const char *answer, uint32_t req_id)
{
	char *p;
	uint32_t last = (uint32_t)strtoul(answer, &p, 10), floor;
	int err;

	if (p == answer || *p != ' ')
		return -ENOTRECOVERABLE; /* also "new": what it was has been forgotten */
	floor = (uint32_t)strtoul(p, &p, 10);
	err = failure_of(p, req_id);
	if (err)
		return -err;
	if (floor && !is_behind(req_id, floor))
		return -ENOTRECOVERABLE;
	return last && !is_behind(req_id, last) ? 0 : 1;
}
