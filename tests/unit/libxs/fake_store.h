/* SPDX-License-Identifier: MIT */
/*
 * fake_store.h - a store daemon in a thread, just clever enough to test clients: a flat list of
 * nodes, watches, transactions that conflict on demand, connections that break on demand.
 */
#ifndef STOREVISOR_FAKE_STORE_H
#define STOREVISOR_FAKE_STORE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define FAKE_CONNS 8
#define FAKE_NODES 2048
#define FAKE_WATCHES 64

struct fake_store {
	char dir[64], path[96];
	pthread_t thread;
	int listener, wake[2];

	pthread_mutex_t lock; /* all below */
	bool stop;
	int conns[FAKE_CONNS];
	char *node[FAKE_NODES], *value[FAKE_NODES];
	struct {
		int conn;
		char path[64], token[64];
	} watch[FAKE_WATCHES];
	uint32_t next_tx;
	unsigned int conflicts;  /* so many commits answer EAGAIN */
	unsigned int drop_after; /* requests until the connection breaks unanswered; 0: never */
	unsigned int listing_max; /* longer listings answer E2BIG, and come in parts */
	unsigned int refuse_watches; /* so many are answered ENOSPC */
	bool no_depth;           /* watches with a depth are answered EINVAL */
	bool churn;              /* a directory, or a dump, is another one each time it is asked for */
	const char *poison;      /* reading or writing it breaks the connection, always; may be NULL */
	unsigned int oversize;   /* so many answers claim an impossible length */
	const char *session; /* what CONTROL session answers; NULL: it is not known here */
	const char *session_once; /* and what it answers the next time only, if not NULL */
	unsigned int dump_max; /* nodes of one answer to CONTROL dump; 0: it is not known here */
	unsigned int requests, connects, reads, writes, dumps;
};

void fake_start(struct fake_store *f);
void fake_stop(struct fake_store *f);
void fake_put(struct fake_store *f, const char *path, const char *value);
/* Breaks every connection; clients may connect again. */
void fake_break(struct fake_store *f);
/* Stops accepting, so that a reconnect finds nobody, or accepts again. */
void fake_accept(struct fake_store *f, bool yes);

#endif
