/* SPDX-License-Identifier: MIT */
/*
 * cases_life.c - creating domains, memory, durable writes, and a daemon that is killed and started
 * again under a hundred clients.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <xs.h>

#include "bench.h"

#define NR_TXNS 9
#define TXN_OPS 24
#define PLAIN_OPS 21 /* 9 * (START + 24 + END) + 21 = 255 requests a domain */
#define CLIENTS 100
#define WRITERS 64

/* ---- the requests that create one domain, as a toolstack makes them ---- */

struct op {
	uint32_t type;
	size_t len;
	char payload[160];
};

static struct op *op_set(struct op *o, uint32_t type, const char *path, const char *rest,
			 bool rest_nul)
{
	size_t len = strlen(path) + 1, rest_len = rest ? strlen(rest) + rest_nul : 0;

	o->type = type;
	memcpy(o->payload, path, len);
	if (rest)
		memcpy(o->payload + len, rest, rest_len);
	o->len = len + rest_len;
	return o + 1;
}

static void txn_ops(int domid, int txn, struct op *o)
{
	char dir[96], path[128], perms[16];

	snprintf(perms, sizeof(perms), "n%d", domid);
	snprintf(dir, sizeof(dir), "/local/domain/%d/device/class%d", domid, txn);
	o = op_set(o, XS_MKDIR, dir, NULL, false);
	o = op_set(o, XS_SET_PERMS, dir, perms, true);
	for (int i = 0; i < 14; i++) {
		snprintf(path, sizeof(path), "%s/key-number-%d", dir, i);
		o = op_set(o, XS_WRITE, path, "/local/domain/0/backend/value", false);
		if (i % 3 == 0)
			o = op_set(o, XS_SET_PERMS, path, perms, true);
	}
	o = op_set(o, XS_READ, dir, NULL, false);
	o = op_set(o, XS_DIRECTORY, dir, NULL, false);
	o = op_set(o, XS_READ, path, NULL, false);
}

static void plain_ops(int domid, struct op *o)
{
	char path[128], token[16], text[16];

	snprintf(text, sizeof(text), "%d", domid);
	o = op_set(o, XS_GET_DOMAIN_PATH, text, NULL, false);
	for (int i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), "/vm/uuid-of-domain-%d/key%d", domid, i);
		o = op_set(o, XS_WRITE, path, "value", false);
	}
	for (int i = 0; i < 6; i++) {
		snprintf(path, sizeof(path), "/vm/uuid-of-domain-%d/key%d", domid, i);
		o = op_set(o, XS_READ, path, NULL, false);
	}
	snprintf(path, sizeof(path), "/vm/uuid-of-domain-%d", domid);
	snprintf(token, sizeof(token), "%d", domid);
	o = op_set(o, XS_DIRECTORY, path, NULL, false);
	o = op_set(o, XS_GET_PERMS, path, NULL, false);
	o = op_set(o, XS_WATCH, path, token, true);
	o = op_set(o, XS_WRITE, path, "done", false);
	o = op_set(o, XS_UNWATCH, path, token, true);
	o = op_set(o, XS_IS_DOMAIN_INTRODUCED, text, NULL, false);
}

/* ---- one request at a time ---- */

static void must(int fd, const struct op *o, uint32_t tx)
{
	const char *why;

	if (ask(fd, o->type, tx, o->payload, o->len, &why, NULL) == XS_ERROR)
		die("%s for %s: %s", "a request of the domain trace", o->payload, why);
}

static void create_plain(int fd, int domid)
{
	struct op ops[TXN_OPS];
	const char *body;

	for (int t = 0; t < NR_TXNS; t++) {
		uint32_t tx;

		ask_str(fd, XS_TRANSACTION_START, 0, "", &body);
		tx = atoi(body);
		txn_ops(domid, t, ops);
		for (int i = 0; i < TXN_OPS; i++)
			must(fd, &ops[i], tx);
		if (ask_str(fd, XS_TRANSACTION_END, tx, "T", &body) == XS_ERROR)
			die("commit: %s", body);
	}
	plain_ops(domid, ops);
	for (int i = 0; i < PLAIN_OPS; i++)
		must(fd, &ops[i], 0);
}

static int nr_domains(const struct bench *b)
{
	return b->quick ? 50 : 300;
}

static void trace_plain(struct bench *b)
{
	int fd = bench_connect(b), n = nr_domains(b);
	uint64_t start, cpu = daemon_cpu_ns(b);

	one_core(b, true);
	start = now_ns();
	for (int d = 1; d <= n; d++)
		create_plain(fd, d);
	result(b, "domain-create", "ops/s", n / ((now_ns() - start) / 1e9));
	result(b, "domain-create", "cpuus", (daemon_cpu_ns(b) - cpu) / 1e3 / n);
	one_core(b, false);
	close(fd);
}

/* ---- the same through libxs, a transaction's requests all at once ---- */

static void piped_done(void *arg, int rc, const char *data, size_t len)
{
	(void)arg;
	(void)data;
	(void)len;
	if (rc)
		die("pipelined trace: %s", strerror(-rc));
}

static void submit_ops(struct xs_client *c, uint32_t tx, const struct op *ops, int n)
{
	for (int i = 0; i < n; i++) {
		struct iovec iov = { (void *)ops[i].payload, ops[i].len };

		if (xs_submit(c, ops[i].type, tx, &iov, 1, piped_done, NULL) != 0)
			die("pipelined trace: cannot submit");
	}
}

static void start_done(void *arg, int rc, const char *data, size_t len)
{
	(void)len;
	if (rc)
		die("pipelined trace: %s", strerror(-rc));
	*(uint32_t *)arg = atoi(data);
}

static void create_piped(struct xs_client *c, int domid)
{
	struct op ops[TXN_OPS];
	uint32_t tx[NR_TXNS];

	/* all nine open in one round trip, then everything in them and the commits in another */
	for (int t = 0; t < NR_TXNS; t++)
		xs_submit_str(c, XS_TRANSACTION_START, 0, "", start_done, &tx[t]);
	xs_client_wait(c);
	for (int t = 0; t < NR_TXNS; t++) {
		txn_ops(domid, t, ops);
		submit_ops(c, tx[t], ops, TXN_OPS);
		xs_submit_str(c, XS_TRANSACTION_END, tx[t], "T", piped_done, NULL);
	}
	plain_ops(domid, ops);
	submit_ops(c, 0, ops, PLAIN_OPS);
	xs_client_wait(c);
}

static void trace_piped(struct bench *b)
{
	int n = nr_domains(b);
	struct xs_client *c;
	uint64_t start;

	if (xs_client_open(&c, b->socket) != 0)
		die("cannot connect");
	one_core(b, true);
	start = now_ns();
	for (int d = 1; d <= n; d++)
		create_piped(c, 1000 + d);
	result(b, "domain-create-piped", "ops/s", n / ((now_ns() - start) / 1e9));
	one_core(b, false);
	xs_client_close(c);
}

static void memory(struct bench *b)
{
	int n = b->quick ? 200 : 1000, fd = bench_connect(b);
	double before = daemon_memory(b);

	for (int d = 1; d <= n; d++)
		create_plain(fd, 3000 + d);
	result(b, "memory-1000-domains", "MB", (daemon_memory(b) - before) / 1e6 * 1000 / n);
	close(fd);
}

/* ---- durable writes, and what they cost others ---- */

static void durable_next(struct conn *c, const struct xsd_sockmsg *hdr, const char *body)
{
	char path[64], value[32];

	if (hdr && hdr->type == XS_ERROR)
		die("durable write: %s", body);
	c->b->done += hdr != NULL;
	if (c->b->stopping)
		return;
	snprintf(path, sizeof(path), "/config/bench/%d", c->idx);
	/* another value each time: a daemon need not sync what changes nothing */
	request_write(c, 0, path, value, snprintf(value, sizeof(value), "value %lu", ++c->done));
}

static double durable_rate(struct bench *b, int writers)
{
	double seconds;

	conns_open(b, writers, durable_next);
	for (int i = 0; i < writers; i++)
		durable_next(&b->conns[i], NULL, NULL);
	seconds = run_for(b, case_seconds(b) * 2);
	seconds = b->done / seconds;
	conns_close(b);
	return seconds;
}

/* What the reading process shares with the one that writes. */
struct reader {
	volatile bool stop;
	struct histogram latency;
};

/*
 * Another program's reads of runtime nodes. It goes before the writing client, so that what is
 * measured is the daemon and not who of us two is on a core.
 */
static pid_t reader_start(struct bench *b, struct reader *r)
{
	struct sched_param first = { .sched_priority = 10 };
	pid_t pid;
	int fd;

	*r = (struct reader){ .stop = false };
	pid = fork();
	if (pid != 0)
		return pid;
	sched_setscheduler(0, SCHED_RR, &first);
	fd = bench_connect(b);
	while (!r->stop) {
		uint64_t sent = now_ns();

		ask_str(fd, XS_READ, 0, "/bench/durable-reader", NULL);
		hist_add(&r->latency, now_ns() - sent);
	}
	_exit(0);
}

static double reader_p99(struct reader *r, pid_t pid)
{
	r->stop = true;
	waitpid(pid, NULL, 0);
	return hist_us(&r->latency, 0.99);
}

static void durable(struct bench *b)
{
	struct reader *r = mmap(NULL, sizeof(*r), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int fd = bench_connect(b);
	pid_t pid;

	put(fd, "/bench/durable-reader", "x");
	result(b, "durable", "one/s", durable_rate(b, 1));
	result(b, "durable", "sixtyfour/s", durable_rate(b, WRITERS));
	pid = reader_start(b, r);
	usleep(case_seconds(b) * 2e6);
	result(b, "durable", "idle-p99us", reader_p99(r, pid));
	pid = reader_start(b, r);
	durable_rate(b, WRITERS);
	result(b, "durable", "busy-p50us", hist_us(&r->latency, 0.5));
	result(b, "durable", "busy-p99us", reader_p99(r, pid));
	ask_str(fd, XS_RM, 0, "/config/bench", NULL);
	munmap(r, sizeof(*r));
	close(fd);
}

/* ---- killed and started again ---- */

struct stall_client {
	struct xs_client *c;
	uint64_t last_ns, longest_ns;
	bool stop;
};

static void stall_next(void *arg, int rc, const char *data, size_t len)
{
	struct stall_client *s = arg;
	uint64_t now = now_ns();

	(void)data;
	(void)len;
	if (rc && rc != -ECANCELED)
		die("restart: a request failed: %s", strerror(-rc));
	if (s->last_ns && now - s->last_ns > s->longest_ns)
		s->longest_ns = now - s->last_ns;
	s->last_ns = now;
	if (!s->stop)
		xs_submit_str(s->c, XS_READ, 0, "/bench/bulk/0/0/node0", stall_next, s);
}

static void stall_turn(struct stall_client *s, double seconds)
{
	uint64_t end = now_ns() + seconds * 1e9;

	while (now_ns() < end)
		for (int i = 0; i < CLIENTS; i++)
			xs_client_dispatch(s[i].c);
}

static pid_t restart(const struct bench *b)
{
	FILE *f = popen(b->restart, "r");
	int pid = 0;

	if (!f || fscanf(f, "%d", &pid) != 1)
		die("restart: %s printed no process id", b->restart);
	pclose(f);
	return pid;
}

static double stall(struct bench *b, bool kill_it)
{
	struct stall_client s[CLIENTS] = { { .c = NULL } };
	struct iovec live_update = { (void *)"live-update\0-s", 15 };
	double longest = 0;

	for (int i = 0; i < CLIENTS; i++) {
		if (xs_client_open(&s[i].c, b->socket) != 0)
			die("restart: cannot connect");
		stall_next(&s[i], 0, NULL, 0);
	}
	stall_turn(s, 0.2);
	for (int i = 0; i < CLIENTS; i++)
		s[i].longest_ns = 0;
	if (kill_it) {
		kill(b->pid, SIGKILL);
		b->pid = restart(b);
	} else {
		xs_submit(s[0].c, XS_CONTROL, 0, &live_update, 1, NULL, NULL);
	}
	stall_turn(s, 1);
	for (int i = 0; i < CLIENTS; i++) {
		if (s[i].longest_ns > longest)
			longest = s[i].longest_ns;
		s[i].stop = true;
		xs_client_close(s[i].c);
	}
	return longest / 1e6;
}

static void restart_stall(struct bench *b)
{
	if (!b->restart)
		return;
	result(b, "restart", "stall-ms", stall(b, true));
	result(b, "live-update", "stall-ms", stall(b, false));
}

const struct bench_case life_cases[] = {
	{ "domain-create", trace_plain },
	{ "domain-create-piped", trace_piped },
	{ "memory-1000-domains", memory },
	{ "durable", durable },
	{ "restart", restart_stall },
	{ 0 },
};
