/* SPDX-License-Identifier: MIT */
/*
 * cases_txn.c - transactions: without conflict in a small and a large store, and 64 clients that
 * all change the same node.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define BULK_NODES 100000
#define FIGHTERS 64

/* One transaction: START, a read (or not), some writes, END; step counts the replies. */
static int nr_reads, nr_writes;
static unsigned long conflicts;

static void txn_path(const struct conn *c, int i, char *path, size_t size)
{
	snprintf(path, size, "/bench/txn/%d/node%d", c->idx, i);
}

static void txn_next(struct conn *c, const struct xsd_sockmsg *hdr, const char *body)
{
	char path[64], value[32];
	int len;

	if (hdr && hdr->type == XS_ERROR && c->step <= nr_reads + nr_writes + 1)
		die("transaction: %s", body);
	if (c->step == 1)
		c->tx = atoi(body);
	if (c->step == nr_reads + nr_writes + 2) {
		if (hdr->type == XS_ERROR)
			conflicts++;
		else
			c->b->done++, c->done++;
		c->step = 0;
	}
	if (c->step == 0) {
		if (c->b->stopping)
			return;
		request_str(c, XS_TRANSACTION_START, 0, "");
	} else if (c->step <= nr_reads) {
		txn_path(c, 0, path, sizeof(path));
		request_str(c, XS_READ, c->tx, path);
	} else if (c->step <= nr_reads + nr_writes) {
		txn_path(c, c->step - nr_reads, path, sizeof(path));
		len = snprintf(value, sizeof(value), "value %lu", c->done);
		request_write(c, c->tx, path, value, len);
	} else {
		request_str(c, XS_TRANSACTION_END, c->tx, "T");
	}
	c->step++;
}

static void txn_timed(struct bench *b, const char *name, int reads, int writes)
{
	int fd = bench_connect(b);
	uint64_t cpu;
	double seconds;
	char path[64];

	nr_reads = reads;
	nr_writes = writes;
	for (int i = 0; i <= writes; i++) {
		snprintf(path, sizeof(path), "/bench/txn/0/node%d", i);
		put(fd, path, "first");
	}
	one_core(b, true);
	conns_open(b, 1, txn_next);
	txn_next(b->conns, NULL, NULL);
	cpu = daemon_cpu_ns(b);
	seconds = run_for(b, case_seconds(b));
	result(b, name, "ops/s", b->done / seconds);
	result(b, name, "cpuus", (daemon_cpu_ns(b) - cpu) / 1e3 / b->done);
	conns_close(b);
	one_core(b, false);
	close(fd);
}

static void small_1r1w(struct bench *b)
{
	txn_timed(b, "txn-1r1w", 1, 1);
}

static void small_10w(struct bench *b)
{
	txn_timed(b, "txn-10w", 0, 10);
}

static void load(struct bench *b)
{
	uint64_t start = now_ns();
	int n = b->quick ? BULK_NODES / 4 : BULK_NODES;

	bulk_load(b, n);
	result(b, "bulk-load", "ops/s", n / ((now_ns() - start) / 1e9));
}

static void large_1r1w(struct bench *b)
{
	txn_timed(b, "bigtxn-1r1w", 1, 1);
}

static void large_10w(struct bench *b)
{
	txn_timed(b, "bigtxn-10w", 0, 10);
}

/* ---- conflicts: read a counter, write it plus one, as 64 clients at once ---- */

static void fight_next(struct conn *c, const struct xsd_sockmsg *hdr, const char *body)
{
	char value[32];
	int len;

	switch (c->step) {
	case 1:
		if (hdr->type == XS_ERROR)
			die("conflicts: start: %s", body);
		c->tx = atoi(body);
		request_str(c, XS_READ, c->tx, "/bench/counter");
		break;
	case 2:
		if (hdr->type == XS_ERROR)
			die("conflicts: %s", body);
		/* a value is not ended by a NUL */
		len = snprintf(value, sizeof(value), "%.*s", (int)hdr->len, body);
		len = snprintf(value, sizeof(value), "%d", atoi(value) + 1);
		request_write(c, c->tx, "/bench/counter", value, len);
		break;
	case 3:
		request_str(c, XS_TRANSACTION_END, c->tx, "T");
		break;
	case 4:
		if (hdr->type == XS_ERROR)
			conflicts++;
		else
			c->b->done++, c->done++;
		c->step = 0;
		break;
	}
	if (c->step == 0) {
		if (c->b->stopping)
			return;
		request_str(c, XS_TRANSACTION_START, 0, "");
	}
	c->step++;
}

static void fight(struct bench *b)
{
	int fd = bench_connect(b);
	unsigned long least = -1UL;
	const char *body;
	double seconds;

	put(fd, "/bench/counter", "0");
	one_core(b, true);
	conns_open(b, FIGHTERS, fight_next);
	conflicts = 0;
	for (int i = 0; i < FIGHTERS; i++)
		fight_next(&b->conns[i], NULL, NULL);
	seconds = run_for(b, b->quick ? 1 : 3);
	for (int i = 0; i < FIGHTERS; i++)
		if (b->conns[i].done < least)
			least = b->conns[i].done;
	result(b, "conflict-64", "ops/s", b->done / seconds);
	result(b, "conflict-64", "eagain%", 100.0 * conflicts / (conflicts + b->done));
	result(b, "conflict-64", "slowest/mean", least * (double)FIGHTERS / (b->done + !b->done));
	ask_str(fd, XS_READ, 0, "/bench/counter", &body);
	if ((unsigned long)atol(body) != b->done)
		die("%s: %lu commits were acknowledged and the counter says %s", b->name, b->done,
		    body);
	conns_close(b);
	one_core(b, false);
	close(fd);
}

const struct bench_case txn_cases[] = {
	{ "txn-1r1w", small_1r1w },
	{ "txn-10w", small_10w },
	{ "conflict-64", fight },
	{ "bulk-load", load },
	{ "bigtxn-1r1w", large_1r1w },
	{ "bigtxn-10w", large_10w },
	{ 0 },
};
