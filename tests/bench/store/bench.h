/* SPDX-License-Identifier: MIT */
/*
 * bench.h - the engine of the store benchmark: connections that speak the wire protocol
 * themselves, driven by one thread, with latencies and the daemon's CPU time counted.
 */
#ifndef STOREVISOR_BENCH_H
#define STOREVISOR_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <xen/io/xs_wire.h>

#define MAX_IN_FLIGHT 64

struct bench;
struct conn;

typedef void reply_fn(struct conn *c, const struct xsd_sockmsg *hdr, const char *body);

struct conn {
	struct bench *b;
	int idx, fd;
	reply_fn *on_reply;
	reply_fn *on_event;
	char *in;
	size_t in_len;
	char *out;
	size_t out_len, out_size;
	uint64_t sent_ns[MAX_IN_FLIGHT]; /* of requests unanswered, a ring */
	unsigned int head, tail;
	/* of the case */
	uint32_t tx;
	int step;
	unsigned long done;
};

/* Latencies in buckets 1/16 of a power of two wide. */
struct histogram {
	uint64_t count[64 * 16];
	uint64_t total, max_ns;
};

struct bench {
	const char *socket;
	const char *name;    /* of the daemon, in the output */
	pid_t pid;           /* of the daemon; 0: unknown */
	const char *restart; /* shell command that starts it again and prints its pid */
	const char *run_dir; /* tmpfs directory whose size counts as the daemon's memory, or NULL */
	bool quick;
	int epoll_fd;
	struct conn *conns;
	int nr_conns;
	bool stopping;
	unsigned long done; /* what the case counts */
	struct histogram latency;
};

uint64_t now_ns(void);
_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* One result line: NAME CASE METRIC VALUE. */
void result(const struct bench *b, const char *name, const char *metric, double value);

/* Connects; waits a little for a daemon that is busy accepting. Returns the descriptor. */
int bench_connect(const struct bench *b);
/* Opens @n connections with @fn as their reply callback. Drop them with conns_close(). */
void conns_open(struct bench *b, int n, reply_fn *fn);
void conns_close(struct bench *b);

/* Appends a request to @c's output; sent at the end of this turn. */
void request(struct conn *c, uint32_t type, uint32_t tx, const void *payload, size_t len);
void request_str(struct conn *c, uint32_t type, uint32_t tx, const char *s);
void request_write(struct conn *c, uint32_t tx, const char *path, const void *data, size_t len);
void conn_flush(struct conn *c);

/* Waits at most @ms and handles what came. */
void turn(struct bench *b, int ms);
/* Runs until @seconds are over, then until every request is answered. Returns the seconds. */
double run_for(struct bench *b, double seconds);
/* Runs until b->done reaches @target. */
void run_until(struct bench *b, unsigned long target);

/* One request on a plain blocking descriptor. Returns the reply's type; *@body is static. */
uint32_t ask(int fd, uint32_t type, uint32_t tx, const void *payload, size_t len,
	     const char **body, size_t *body_len);
uint32_t ask_str(int fd, uint32_t type, uint32_t tx, const char *s, const char **body);
/* Writes; ends the program when refused. */
void put(int fd, const char *path, const char *value);

void hist_add(struct histogram *h, uint64_t ns);
double hist_us(const struct histogram *h, double quantile);

/* CPU time of the daemon so far. */
uint64_t daemon_cpu_ns(const struct bench *b);
/* Bytes of the private memory of the daemon and its children, and of its run directory. */
double daemon_memory(const struct bench *b);
/* Puts daemon and client on one core, or on all. */
void one_core(const struct bench *b, bool one);
/* Seconds a timed case takes. */
double case_seconds(const struct bench *b);
/* Fills the store with about @n nodes under /bench/bulk, pipelined. */
void bulk_load(struct bench *b, int n);

struct bench_case {
	const char *name;
	void (*run)(struct bench *b);
};
extern const struct bench_case basic_cases[], txn_cases[], scale_cases[], life_cases[];

/* Serves @socket as an echo, one reply a message, until killed. */
_Noreturn void echo_server(const char *socket);

#endif
