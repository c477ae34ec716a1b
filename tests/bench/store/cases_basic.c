/* SPDX-License-Identifier: MIT */
/*
 * cases_basic.c - reads and writes: one at a time, many in flight, many clients.
 */
#include <stdio.h>
#include <unistd.h>

#include "bench.h"

#define PATH "/bench/basic/some-node"

static void next_read(struct conn *c, const struct xsd_sockmsg *hdr, const char *body)
{
	(void)body;
	if (hdr && hdr->type == XS_ERROR)
		die("read: %s", body);
	c->b->done += hdr != NULL;
	if (!c->b->stopping)
		request_str(c, XS_READ, 0, PATH);
}

static void next_write(struct conn *c, const struct xsd_sockmsg *hdr, const char *body)
{
	if (hdr && hdr->type == XS_ERROR)
		die("write: %s", body);
	c->b->done += hdr != NULL;
	if (!c->b->stopping)
		request_write(c, 0, PATH, c->b->done & 1 ? "another value" : "different one", 13);
}

static void timed(struct bench *b, const char *name, reply_fn *fn, int clients, int in_flight,
		  bool core)
{
	uint64_t cpu;
	double seconds;
	int fd = bench_connect(b);

	put(fd, PATH, "a value of some length");
	one_core(b, core);
	conns_open(b, clients, fn);
	for (int i = 0; i < clients; i++)
		for (int k = 0; k < in_flight; k++)
			fn(&b->conns[i], NULL, NULL);
	cpu = daemon_cpu_ns(b);
	seconds = run_for(b, case_seconds(b));
	cpu = daemon_cpu_ns(b) - cpu;
	result(b, name, "ops/s", b->done / seconds);
	result(b, name, "p50us", hist_us(&b->latency, 0.5));
	result(b, name, "p99us", hist_us(&b->latency, 0.99));
	result(b, name, "cpuus", cpu / 1e3 / b->done);
	conns_close(b);
	one_core(b, false);
	close(fd);
}

static void ping_read(struct bench *b)
{
	timed(b, "ping-read", next_read, 1, 1, true);
}

static void ping_write(struct bench *b)
{
	timed(b, "ping-write", next_write, 1, 1, true);
}

static void pipe_read_1(struct bench *b)
{
	timed(b, "pipe32-read-1", next_read, 1, 32, false);
}

static void pipe_write_1(struct bench *b)
{
	timed(b, "pipe32-write-1", next_write, 1, 32, false);
}

static void pipe_read_8(struct bench *b)
{
	timed(b, "pipe32-read-8", next_read, 8, 32, false);
}

static void many_read_64(struct bench *b)
{
	timed(b, "clients64-read", next_read, 64, 1, false);
}

static void many_read_256(struct bench *b)
{
	timed(b, "clients256-read", next_read, 256, 1, false);
}

const struct bench_case basic_cases[] = {
	{ "ping-read", ping_read },
	{ "ping-write", ping_write },
	{ "pipe32-read-1", pipe_read_1 },
	{ "pipe32-write-1", pipe_write_1 },
	{ "pipe32-read-8", pipe_read_8 },
	{ "clients64-read", many_read_64 },
	{ "clients256-read", many_read_256 },
	{ 0 },
};
