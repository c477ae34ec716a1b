/* SPDX-License-Identifier: MIT */
/*
 * watch_session.h - one run of `xs watch`: which paths, what was reported, when it is done.
 */
#ifndef STOREVISOR_XS_WATCH_SESSION_H
#define STOREVISOR_XS_WATCH_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd.h"
#include "watch_feed.h"
#include "watch_sink.h"
#include "watch_state.h"

enum initial { INITIAL_STATE, INITIAL_EVENT, INITIAL_NONE };

struct watcher {
	struct watcher *next;
	struct session *s;
	char *pattern; /* as given; NULL: no wildcards */
	char *path;    /* what is watched */
	bool started;  /* its initial state was reported */
	bool plain;    /* the daemon has no feed: a watch of the protocol, values re-read */
	bool registered; /* as such a watch */
	struct watch_feed feed;
	bool resync;   /* its subtree is to be read: at the start, after a reconnect */
	bool expected; /* the event that a registration itself causes is still to come */
};

struct session {
	struct cli_args *a;
	struct sink *sink;
	struct watcher *watchers;
	struct seen_map map;
	enum initial initial;
	int depth;
	uint64_t from; /* report only nodes changed after this generation at first */
	unsigned int unsynced; /* watchers whose initial state is not read yet */
	unsigned int round;
	long left; /* changes to report before ending; <0: no end */
	char *until_path, *until_value;
	bool done;
	bool handler; /* events go to a command */
	bool down;    /* there is no connection */
	bool told_lost; /* in words, on standard error */
	int64_t next_ping_ms;
	bool ping_out;
};

/* Monotonic time. */
int64_t watch_now_ms(void);
/* Watches what the user typed. Ends the program when the store refuses. */
void watch_add(struct session *s, const char *typed);
/* Reads what has to be read anew: at the start, after a reconnect. Not from a callback. */
void watch_sync_all(struct session *s);
/* Proves now and then that the daemon still answers; tells the service manager. */
void watch_ping(struct session *s);
/* For xs_client_on_link(); @arg is the session. */
void watch_on_link(void *arg, bool up);
void watch_session_free(struct session *s);

#endif
