/* SPDX-License-Identifier: MIT */
/*
 * cases_scale.c - what other clients, watches, domains and nodes cost a client that has nothing to
 * do with them; fan-out to many watchers; from a write to its event.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define FAN 1000
#define PATH "/bench/scale/node"

static void ignore(struct conn *c, const struct xsd_sockmsg *hdr, const char *body)
{
	if (hdr->type == XS_ERROR)
		die("%s: %s", c->b->name, body);
	c->b->done++;
}

static void watch_on(struct conn *c, const char *path)
{
	char payload[128];
	int len = snprintf(payload, sizeof(payload), "%s%ctoken", path, '\0') + 1;

	request(c, XS_WATCH, 0, payload, len);
}

/* ---- one write to a thousand watchers ---- */

static unsigned long fan_events;

static void fan_event(struct conn *c, const struct xsd_sockmsg *hdr, const char *body)
{
	(void)c;
	(void)hdr;
	(void)body;
	fan_events++;
}

static void fan_wait(struct bench *b, unsigned long want)
{
	while (fan_events < want)
		turn(b, 1000);
}

static void fan_out(struct bench *b)
{
	unsigned long writes = 0, base = FAN;
	uint64_t start, end, cpu;
	int fd = bench_connect(b);

	put(fd, PATH, "0");
	conns_open(b, FAN, ignore);
	fan_events = 0;
	for (int i = 0; i < FAN; i++) {
		b->conns[i].on_event = fan_event;
		watch_on(&b->conns[i], PATH);
		conn_flush(&b->conns[i]);
	}
	fan_wait(b, FAN); /* each watch fires once at registration */
	cpu = daemon_cpu_ns(b);
	start = now_ns();
	end = start + case_seconds(b) * 2e9;
	while (now_ns() < end) {
		put(fd, PATH, writes & 1 ? "odd" : "even");
		writes++;
		fan_wait(b, base + writes * FAN);
	}
	result(b, "fan-out-1000", "ops/s", writes / ((now_ns() - start) / 1e9));
	result(b, "fan-out-1000", "cpuus", (daemon_cpu_ns(b) - cpu) / 1e3 / writes);
	conns_close(b);
	close(fd);
}

/* ---- from a write to its event ---- */

static uint64_t event_ns;

static void note_event(struct conn *c, const struct xsd_sockmsg *hdr, const char *body)
{
	(void)c;
	(void)hdr;
	(void)body;
	event_ns = now_ns();
}

struct costs {
	double read_us, write_us, event_us; /* medians */
	double read_cpu, write_cpu;
};

static double event_cost(struct bench *b)
{
	struct histogram h = { .total = 0 };
	int fd = bench_connect(b);
	uint64_t end;

	conns_open(b, 1, ignore);
	b->conns[0].on_event = note_event;
	event_ns = 0;
	watch_on(b->conns, PATH);
	conn_flush(b->conns);
	while (!event_ns)
		turn(b, 1000);
	end = now_ns() + case_seconds(b) * 1e9;
	while (now_ns() < end) {
		uint64_t sent = now_ns();

		event_ns = 0;
		put(fd, PATH, "v");
		while (!event_ns)
			turn(b, 1000);
		hist_add(&h, event_ns - sent);
	}
	conns_close(b);
	close(fd);
	return hist_us(&h, 0.5);
}

static void event_latency(struct bench *b)
{
	int fd = bench_connect(b);

	put(fd, PATH, "0");
	one_core(b, true);
	result(b, "write-to-event", "p50us", event_cost(b));
	one_core(b, false);
	close(fd);
}

/* ---- flat: the same three things with a crowd beside them ---- */

static double ask_cost(struct bench *b, uint32_t type, double *cpu_us)
{
	static const char read_payload[] = PATH, write_payload[] = PATH "\0value";
	bool is_write = type == XS_WRITE;
	struct histogram h = { .total = 0 };
	int fd = bench_connect(b);
	uint64_t end, cpu = daemon_cpu_ns(b);

	end = now_ns() + case_seconds(b) * 1e9;
	while (now_ns() < end) {
		uint64_t sent = now_ns();

		ask(fd, type, 0, is_write ? write_payload : read_payload,
		    is_write ? sizeof(write_payload) - 1 : sizeof(read_payload), NULL, NULL);
		hist_add(&h, now_ns() - sent);
	}
	*cpu_us = (daemon_cpu_ns(b) - cpu) / 1e3 / h.total;
	close(fd);
	return hist_us(&h, 0.5);
}

static struct costs costs(struct bench *b)
{
	struct costs c;
	int fd = bench_connect(b);

	put(fd, PATH, "0");
	close(fd);
	one_core(b, true);
	c.read_us = ask_cost(b, XS_READ, &c.read_cpu);
	c.write_us = ask_cost(b, XS_WRITE, &c.write_cpu);
	c.event_us = event_cost(b);
	one_core(b, false);
	return c;
}

static struct costs alone;

static void flat_alone(struct bench *b)
{
	alone = costs(b);
	result(b, "flat-alone", "readus", alone.read_us);
	result(b, "flat-alone", "writeus", alone.write_us);
	result(b, "flat-alone", "eventus", alone.event_us);
}

static void compare(struct bench *b, const char *name)
{
	struct costs now = costs(b);

	if (alone.read_us <= 0)
		die("%s needs flat-alone before it", name);
	result(b, name, "read-x", now.read_us / alone.read_us);
	result(b, name, "write-x", now.write_us / alone.write_us);
	result(b, name, "event-x", now.event_us / alone.event_us);
	result(b, name, "readcpu-x", now.read_cpu / alone.read_cpu);
	result(b, name, "writecpu-x", now.write_cpu / alone.write_cpu);
}

static void flat_connections(struct bench *b)
{
	int n = b->quick ? 2000 : 9500;
	int *fds = malloc(n * sizeof(*fds));

	for (int i = 0; i < n; i++) {
		fds[i] = bench_connect(b);
		if (i % 100 == 99)
			ask_str(fds[i], XS_READ, 0, "/", NULL);
	}
	compare(b, "flat-connections");
	for (int i = 0; i < n; i++)
		close(fds[i]);
	free(fds);
}

static void flat_watches(struct bench *b)
{
	int n = b->quick ? 2000 : 10000;
	int fd = bench_connect(b);
	char payload[128];

	for (int i = 0; i < n; i++) {
		int len = snprintf(payload, sizeof(payload), "/bench/other/%d/%d%ctoken", i % 100,
				   i, '\0') + 1;

		if (ask(fd, XS_WATCH, 0, payload, len, NULL, NULL) == XS_ERROR)
			die("%s: watch %d refused", b->name, i);
	}
	compare(b, "flat-watches");
	close(fd);
}

static void flat_domains(struct bench *b)
{
	int fd = bench_connect(b);
	char payload[64];
	const char *why;

	for (int i = 1; i <= 1000; i++) {
		int len = snprintf(payload, sizeof(payload), "%d%c%d%c%d", i, '\0', i, '\0', 7) + 1;

		if (ask(fd, XS_INTRODUCE, 0, payload, len, &why, NULL) == XS_ERROR)
			die("%s: introduce %d: %s", b->name, i, why);
	}
	compare(b, "flat-domains");
	for (int i = 1; i <= 1000; i++) {
		snprintf(payload, sizeof(payload), "%d", i);
		ask_str(fd, XS_RELEASE, 0, payload, NULL);
	}
	close(fd);
}

static void flat_nodes(struct bench *b)
{
	bulk_load(b, b->quick ? 100000 : 1000000);
	compare(b, "flat-nodes");
}

/* ---- RELEASE of a small domain beside a large store ---- */

static void release(struct bench *b)
{
	struct histogram h = { .total = 0 };
	int fd = bench_connect(b);
	char text[128];
	uint64_t start;

	for (int i = 0; i < 20; i++) {
		int id = 2000 + i;
		int len = snprintf(text, sizeof(text), "%d%c%d%c%d", id, '\0', 1, '\0', 7) + 1;

		ask(fd, XS_INTRODUCE, 0, text, len, NULL, NULL);
		snprintf(text, sizeof(text), "/local/domain/%d/device/vbd/51712/state", id);
		put(fd, text, "1");
		len = snprintf(text, sizeof(text), "/local/domain/%d%cn%d", id, '\0', id) + 1;
		ask(fd, XS_SET_PERMS, 0, text, len, NULL, NULL);
		snprintf(text, sizeof(text), "%d", id);
		start = now_ns();
		if (ask_str(fd, XS_RELEASE, 0, text, NULL) == XS_ERROR)
			die("%s: release refused", b->name);
		/* done when the daemon answers the next one */
		ask_str(fd, XS_READ, 0, "/", NULL);
		hist_add(&h, now_ns() - start);
	}
	result(b, "release", "p50us", hist_us(&h, 0.5));
	close(fd);
}

const struct bench_case scale_cases[] = {
	{ "fan-out-1000", fan_out },
	{ "write-to-event", event_latency },
	{ "release", release },
	{ "flat-alone", flat_alone },
	{ "flat-connections", flat_connections },
	{ "flat-watches", flat_watches },
	{ "flat-domains", flat_domains },
	{ "flat-nodes", flat_nodes },
	{ 0 },
};
