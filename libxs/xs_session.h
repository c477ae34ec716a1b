/* SPDX-License-Identifier: MIT */
/*
 * xs_session.h - how a client learns what became of its changes when it lost the connection: both
 * clients number them and name a session by a secret (docs/protocol.md, CONTROL session).
 * Pure: no connection here. Decision: docs/decisions/0023-outcomes.md.
 */
#ifndef STOREVISOR_XS_SESSION_H
#define STOREVISOR_XS_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#define XS_SESSION_REQUEST "session"
#define XS_SESSION_TOKEN_BUF 33

/* A new secret name, hexadecimal. 0, or -errno when there is no randomness. */
int xs_session_name(char token[XS_SESSION_TOKEN_BUF]);

/*
 * Whether a request changes the store when it succeeds, so that it must not be done twice: @type
 * in transaction @tx, @payload its first byte or more (NUL-terminated strings as they go out).
 */
bool xs_session_counts(uint32_t type, uint32_t tx, const char *payload);

/* The req_id after @id: changes are numbered apart from everything else, in 31 bits. */
uint32_t xs_session_next(uint32_t *counter, bool counts);

/*
 * What @answer, the session's, says of the change that went out as @req_id: 0 done; -errno with
 * which it failed; 1 it was not done and will not be; -ENOTRECOVERABLE nobody knows.
 */
int xs_session_outcome(const char *answer, uint32_t req_id);

#endif
