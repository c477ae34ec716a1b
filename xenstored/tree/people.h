/* SPDX-License-Identifier: MIT */
/*
 * people.h - users and groups of this host as owners of nodes: what a client of the socket may do.
 *
 * A table in the store says it, PEOPLE_DIR: user/UID and group/GID, each "all" (as domain 0),
 * "read" (everything, and changes nothing), "none" (is not served), or a number, which then stands
 * for that user or group in permissions, as a domid stands for a domain. Such numbers are above
 * those of domains; they never end, so that nobody gets what was another's. Root and the daemon's
 * own user may do everything; who has no row is "the others". One gate asks (view.c, rule C6).
 */
#ifndef XENSTORED_PEOPLE_H
#define XENSTORED_PEOPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "xs_path.h"

struct server;

#define PEOPLE_DIR "/config/access"

/* Of one client: its user's number and those of its groups. */
#define PEOPLE_IDS 16

/* Connections of one user, and of all, who may not do everything; who may: user.h. */
#define PEOPLE_CONNS	 64
#define PEOPLE_CONNS_ALL 4096

/* Numbers of people in permissions; the last one is everybody's who has no number. */
#define PERSON_FIRST  XS_PERM_PERSON_FIRST
#define PERSON_LAST   0xfffdu
#define PERSON_NOBODY 0xfffeu

static inline bool person_is(unsigned int domid)
{
	return domid >= PERSON_FIRST && domid <= PERSON_NOBODY;
}

/* Who is at the other end of a socket, as the kernel says it. */
struct peer {
	uid_t uid;
	unsigned int nr_gids;
	gid_t gid[];
};

struct rights {
	bool served;		/* false: to be hung up on */
	bool all;		/* as domain 0 */
	bool reads;		/* everything, whatever permissions say */
	uint16_t nr;		/* numbers, at least one unless all; its user's comes first */
	uint16_t id[PEOPLE_IDS];
};

/* "all", "read", "none" or a number from PERSON_FIRST to PERSON_LAST: of the others. 0; -EINVAL. */
int people_parse(const char *text, size_t len, struct rights *out);

/*
 * What the table gives @peer now. A row that says none of the four things gives nothing; nobody but
 * root is served while the table is still on its way from the disk. More groups with numbers than
 * PEOPLE_IDS: the first of them. No error.
 */
void people_judge(const struct server *srv, const struct peer *peer, struct rights *out);
bool rights_equal(const struct rights *a, const struct rights *b);

/* Whether some row of the table has @id, or it is PERSON_NOBODY. */
bool people_know(const struct server *srv, unsigned int id);

/*
 * Whether a change of @path would be one of the table: @whole: it goes with all below it. Only who
 * may do everything may do that, whatever permissions say.
 */
bool people_guard(const char *path, size_t len, bool whole);

/*
 * @path was changed, or went with all below it: rights may be others now. A row that says none of
 * the four things is told of here, once for each change.
 */
void people_note(struct server *srv, const char *path, size_t len, bool whole);
/* After a request that changed the table: ends the clients whose rights are others now. */
void people_refresh(struct server *srv);

#endif
