/* SPDX-License-Identifier: MIT */
/*
 * measure.c - latencies, the daemon's CPU time and memory, cores, filling the store.
 */
#include <dirent.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

void result(const struct bench *b, const char *name, const char *metric, double value)
{
	printf("%s %s %s %.3f\n", b->name, name, metric, value);
	fflush(stdout);
}

/* ---- latencies ---- */

void hist_add(struct histogram *h, uint64_t ns)
{
	int top = ns < 16 ? 4 : 63 - __builtin_clzll(ns);
	int slot = ns < 16 ? (int)ns : top * 16 + (int)((ns >> (top - 4)) & 15);

	h->count[slot]++;
	h->total++;
	if (ns > h->max_ns)
		h->max_ns = ns;
}

double hist_us(const struct histogram *h, double quantile)
{
	uint64_t want = h->total * quantile, seen = 0;

	for (int i = 0; i < 64 * 16; i++) {
		seen += h->count[i];
		if (seen > want) {
			int top = i / 16;

			return i < 64 ? i / 1e3 :
					((1ULL << top) + (i % 16 + 0.5) * (1ULL << (top - 4))) / 1e3;
		}
	}
	return h->max_ns / 1e3;
}

/* ---- the daemon ---- */

static uint64_t first_number(const char *path)
{
	FILE *f = fopen(path, "r");
	unsigned long long n = 0;

	if (f) {
		if (fscanf(f, "%llu", &n) != 1)
			n = 0;
		fclose(f);
	}
	return n;
}

uint64_t daemon_cpu_ns(const struct bench *b)
{
	char path[300];
	struct dirent *e;
	uint64_t sum = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/task", b->pid);
	d = b->pid ? opendir(path) : NULL;
	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%.20s/schedstat", b->pid, e->d_name);
		sum += first_number(path);
	}
	if (d)
		closedir(d);
	return sum;
}

/* A line "NAME: N kB" of /proc/PID/status, in bytes; 0 when it is not there. */
static double status_bytes(pid_t pid, const char *name)
{
	size_t len = strlen(name);
	char path[64], line[256];
	double kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, name, len) == 0 && line[len] == ':')
			kib = atof(line + len + 1);
	if (f)
		fclose(f);
	return kib * 1024;
}

/* Of the daemon and of the processes that it started. */
static double anon_bytes(pid_t pid)
{
	double sum = status_bytes(pid, "RssAnon");
	char path[64];
	int child;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	f = fopen(path, "r");
	while (f && fscanf(f, "%d", &child) == 1)
		sum += status_bytes(child, "RssAnon");
	if (f)
		fclose(f);
	return sum;
}

static double tree_bytes;

static int add_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)path;
	(void)ftw;
	if (type == FTW_F)
		tree_bytes += st->st_blocks * 512.0;
	return 0;
}

static double dir_bytes(const char *dir)
{
	tree_bytes = 0;
	nftw(dir, add_file, 8, FTW_PHYS);
	return tree_bytes;
}

double daemon_memory(const struct bench *b)
{
	return anon_bytes(b->pid) + (b->run_dir ? dir_bytes(b->run_dir) : 0);
}

void one_core(const struct bench *b, bool one)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (int i = 0; i < (one ? 1 : CPU_SETSIZE); i++)
		CPU_SET(i, &set);
	sched_setaffinity(0, sizeof(set), &set);
	if (b->pid)
		sched_setaffinity(b->pid, sizeof(set), &set);
}

double case_seconds(const struct bench *b)
{
	return b->quick ? 0.25 : 1.0;
}

/* ---- a large store ---- */

static int bulk_left, bulk_next;

static void bulk_request(struct conn *c)
{
	char path[64];

	snprintf(path, sizeof(path), "/bench/bulk/%d/%d/node", bulk_next / 1000,
		 bulk_next / 10 % 100);
	snprintf(path + strlen(path), 16, "%d", bulk_next % 10);
	bulk_next++;
	request_write(c, 0, path, "some value", 10);
}

static void bulk_reply(struct conn *c, const struct xsd_sockmsg *hdr, const char *body)
{
	if (hdr->type == XS_ERROR)
		die("bulk load: %s", body);
	c->b->done++;
	if (bulk_next < bulk_left)
		bulk_request(c);
}

void bulk_load(struct bench *b, int n)
{
	conns_open(b, 1, bulk_reply);
	bulk_next = 0;
	bulk_left = n;
	for (int i = 0; i < 32 && i < n; i++)
		bulk_request(b->conns);
	run_until(b, n);
	conns_close(b);
}
