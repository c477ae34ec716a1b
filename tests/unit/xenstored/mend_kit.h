/* SPDX-License-Identifier: MIT */
/*
 * mend_kit.h - a live environment with MEND_NODES nodes, its file to be damaged, and starts on
 * that: every node is whole or said to be lost, and what is served passes the checker. One at a
 * time, for cmocka.
 */
#ifndef MEND_KIT_H
#define MEND_KIT_H

#include <stdbool.h>
#include <stddef.h>

#define MEND_PAGE 4096u
#define MEND_NODES 400u
/* What a file of the size that the test needs has in use, at most. */
#define MEND_USED_MAX (400u * MEND_PAGE)
/*
 * When what says where everything is was damaged, the state before the last commit is served, or
 * the whole is named. That may be so for few pages only: LMDB's two first ones, and the two last
 * roots of the tables.
 */
#define MEND_FIRST_PAGES 4u

struct hv;
struct server;

extern struct mend_kit {
	char run[64], whole[MEND_USED_MAX];	/* RUN; data.mdb as it was left */
	size_t used;				/* bytes of that */
	char mark[64];				/* what lies beside it */
	size_t mark_len;
	unsigned int lost, gone_back;		/* starts that lost something; the last commit */
	void (*more)(struct server *srv);	/* what each start does then; NULL: nothing */
	struct hv *hv;
} mk;

/* For cmocka: makes the environment, and removes it. */
int mend_setup(void **state);
int mend_teardown(void **state);

/* A server on what is there; NULL: none can be. */
struct server *mend_open(void);
void mend_close(struct server *srv);

/* The name of its file, into at least 100 bytes. */
void mend_file(char *name);
/* The first @len bytes of mk.whole are the file again; the log is empty. */
void mend_lay_out(size_t len);
/*
 * A start on that, in a process of its own. Fails the test, which is then about @what number @at,
 * if anything is neither whole nor named.
 */
void mend_try(const char *what, size_t at);

#endif
