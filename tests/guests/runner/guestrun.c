/* SPDX-License-Identifier: MIT */
/*
 * guestrun.c - runs guests of tests/guests one after the other as domUs and judges them, in TAP.
 *
 *	guestrun [-alp] [-e EXPECTED] [-k KIB] [-s SECONDS] [-c CMDLINE] FILE.elf...
 *
 * Domains are built by xend's own builder, without record, store or backends: the runner is the
 * other end of the console and reads the end from the hypervisor. For each guest: its result, that
 * it ends in time, and that free memory is afterwards no less than it was (but for the first, of
 * what is allocated once). EXPECTED has lines "NAME WORD" for guests that are known to end
 * otherwise than with success (or their death); "any" for one that has now success, now failure,
 * or nothing to judge by.
 * With -a any end of a guest that began is right: only the host is judged. With -p each file is
 * started as two domains at once that know of each other (pair.h): both must end as expected. With
 * -l each domain runs in log-dirty mode, is asked all the time, and no page may change untold
 * (guestlog.h).
 */
#include <errno.h>
#include <getopt.h>
#include <regex.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define __XEN_TOOLS__ 1
#include <xen/xen.h>
#include <xen/io/console.h>

#include "build_pv.h"
#include "guestlog.h"
#include "xend.h"

#define LOOK_US 1000
#define MEMORY_MIB 2
#define MAXMEM_MIB 4
#define VCPUS 2
#define OUTPUT_MAX 16384

struct run {
	struct xend *x;
	struct domain d;
	char output[OUTPUT_MAX];
	size_t len;
	volatile struct xencons_interface *ring; /* while it runs */
	struct guestlog *log; /* with -l */
	bool ended, is_late;
	unsigned int reason; /* enum hv_shutdown_reason, when ended */
};

#define SIDES 2 /* domains of a pair */

static unsigned int seconds = 20;
static bool any_end, is_pair, is_logged;
static uint64_t slack_kib;
static const char *cmdline = "";
static const char *expected = "";

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

/* The builder's own words for what went wrong. */
void domain_error(struct domain *d, const char *fmt, ...)
{
	va_list ap;

	if (d->error[0])
		return;
	va_start(ap, fmt);
	vsnprintf(d->error, sizeof(d->error), fmt, ap);
	va_end(ap);
}

static int build(struct run *r)
{
	static int (*const steps[])(struct xend *, struct domain *) = { build_image, build_populate,
									build_load, build_tables };
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(steps) / sizeof(steps[0]); i++)
		err = steps[i](r->x, &r->d);
	return err;
}

static int create(struct run *r)
{
	uint16_t domid;
	int err = hv_domain_create(r->x->hv, r->d.uuid_bytes, VCPUS, &domid);

	if (!err)
		r->d.domid = domid;
	return err;
}

/* All of @r[@nr]: created first, so that each can be told of the other. */
static int build_all(struct run *r, int nr)
{
	int err = 0;

	for (int i = 0; !err && i < nr; i++)
		err = create(&r[i]);
	for (int i = 0; !err && i < nr; i++) {
		if (nr == SIDES)
			snprintf(r[i].d.rec.cmdline, sizeof(r[i].d.rec.cmdline), "pair=%d,%d", i,
				 r[1 - i].d.domid);
		err = build(&r[i]);
	}
	return err;
}

static void drain(struct run *r)
{
	volatile struct xencons_interface *ring = r->ring;

	/* no more than a ring at once, whatever the guest says it has written */
	for (size_t n = 0; n < sizeof(ring->out) && ring->out_cons != ring->out_prod; n++) {
		char c = ring->out[MASK_XENCONS_IDX(ring->out_cons, ring->out)];

		if (r->len < OUTPUT_MAX - 1)
			r->output[r->len++] = c;
		__sync_synchronize(); /* the byte, then its place is given back */
		ring->out_cons++;
	}
	r->output[r->len] = '\0';
}

static int start(struct run *r)
{
	uint64_t mfn = r->d.made.console_mfn;

	r->ring = hv_map(r->x->hv, (uint16_t)r->d.domid, &mfn, 1);
	if (!r->ring)
		return -errno;
	if (is_logged && !(r->log = guestlog_begin(r->x->hv, (uint16_t)r->d.domid, mfn)))
		return -errno;
	return hv_domain_unpause(r->x->hv, (uint16_t)r->d.domid);
}

/* What it said and whether it ended; who ended is destroyed at once, others may wait for it. */
static int look(struct run *r)
{
	struct hv_domain info;
	int err = hv_domain_info(r->x->hv, (uint16_t)r->d.domid, &info);

	drain(r);
	r->ended = !err && info.shutdown;
	r->reason = info.reason;
	if (!err && r->log)
		err = guestlog_look(r->log); /* also of what it did last */
	if (!err && r->log && r->ended)
		err = guestlog_look(r->log); /* and what was late then */
	if (r->ended) {
		hv_unmap(r->x->hv, (void *)(uintptr_t)r->ring, 1);
		r->ring = NULL;
		hv_domain_destroy(r->x->hv, (uint16_t)r->d.domid);
	}
	return err;
}

/* Runs all of @r[@nr] until each ended or is late. */
static int follow(struct run *r, int nr)
{
	uint64_t deadline = now_ns() + seconds * NS_PER_S;
	int err = 0, running = nr;

	for (int i = 0; !err && i < nr; i++)
		err = start(&r[i]);
	while (!err && running) {
		bool is_late = now_ns() > deadline;

		usleep(LOOK_US);
		running = 0;
		for (int i = 0; !err && i < nr; i++) {
			if (!r[i].ended)
				err = look(&r[i]);
			r[i].is_late = !r[i].ended && is_late;
			running += !r[i].ended && !is_late;
		}
	}
	return err;
}

/* Destroys the domain. */
static void undo(struct run *r)
{
	build_free(r->d.build);
	if (r->log)
		guestlog_free(r->log);
	if (r->ring)
		hv_unmap(r->x->hv, (void *)(uintptr_t)r->ring, 1);
	if (r->d.domid >= 0 && !r->ended)
		hv_domain_destroy(r->x->hv, (uint16_t)r->d.domid);
}

/* Waits until it is gone. */
static bool is_gone(struct run *r)
{
	struct hv_domain info;
	uint64_t deadline = now_ns() + 10 * NS_PER_S;

	while (r->d.domid >= 0 && hv_domain_info(r->x->hv, (uint16_t)r->d.domid, &info) == 0) {
		if (now_ns() > deadline)
			return false;
		usleep(LOOK_US);
	}
	return true;
}

/* The rest of the last line that begins with @key, "" when there is none. */
static const char *said(const struct run *r, const char *key, char *out, size_t size)
{
	const char *at = r->output, *found = NULL;

	while ((at = strstr(at, key))) {
		if (at == r->output || at[-1] == '\n')
			found = at + strlen(key);
		at++;
	}
	snprintf(out, size, "%.*s", found ? (int)strcspn(found, "\r\n") : 0, found ? found : "");
	return out;
}

/* A line of what the hypervisor logged since the guest began says why. */
static bool reason_is_logged(struct run *r, const char *pattern)
{
	regex_t re;
	char *text = NULL, *line, *rest;
	bool found = false;

	if (hv_console_read(r->x->hv, true, &text) ||
	    regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB))
		return false;
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		found |= regexec(&re, line, 0, NULL, 0) == 0;
	regfree(&re);
	free(text);
	return found;
}

static const char *outcome(struct run *r)
{
	char result[200], dies[200];

	if (r->is_late)
		return "hangs";
	if (said(r, "result: ", result, sizeof(result))[0]) {
		static char word[16];

		snprintf(word, sizeof(word), "%.*s", (int)strcspn(result, " "), result);
		if (!strcmp(word, "success") && r->reason != HV_SHUTDOWN_POWEROFF)
			return "crash";
		return word;
	}
	if (said(r, "dies: ", dies, sizeof(dies))[0] &&
	    (r->reason == HV_SHUTDOWN_CRASH || r->reason == HV_SHUTDOWN_WATCHDOG))
		return reason_is_logged(r, dies) ? "died" : "unexplained";
	return "crash";
}

/* The word after "@name " in EXPECTED. */
static const char *wanted_of(const char *name, const struct run *r)
{
	static char word[32];
	char line[128], dies[200], key[80];
	FILE *f = expected[0] ? fopen(expected, "r") : NULL;

	snprintf(word, sizeof(word), "%s",
		 said(r, "dies: ", dies, sizeof(dies))[0] ? "died" : "success");
	snprintf(key, sizeof(key), "%s ", name);
	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, key, strlen(key)))
			snprintf(word, sizeof(word), "%.*s",
				 (int)strcspn(line + strlen(key), "\n"), line + strlen(key));
	}
	if (f)
		fclose(f);
	return word;
}

static void forget_log(struct xend *x)
{
	char *text = NULL;

	if (hv_console_read(x->hv, true, &text) == 0)
		free(text);
}

static uint64_t free_kib(struct xend *x)
{
	struct hv_host host;
	int err = hv_host_info(x->hv, &host);

	if (err) {
		fprintf(stderr, "guestrun: free memory is not told: %s\n", strerror(-err));
		exit(2);
	}
	return host.free_kib;
}

/* Free memory is no less than it was; a hypervisor that scrubs later has two seconds for it. */
static bool memory_is_back(struct xend *x, uint64_t before)
{
	uint64_t deadline = now_ns() + 2 * NS_PER_S;

	while (free_kib(x) + slack_kib < before) {
		if (now_ns() > deadline)
			return false;
		usleep(LOOK_US);
	}
	return true;
}

static void show(const char *text)
{
	while (*text) {
		int n = (int)strcspn(text, "\n");

		printf("# %.*s\n", n, text);
		text += n + (text[n] == '\n');
	}
}

/* Whether @got is what the table wants; "any" is each answer, but an answer. */
static bool is_wanted(const char *got, const char *wanted)
{
	if (!strcmp(wanted, "any"))
		return !strcmp(got, "success") || !strcmp(got, "failure") || !strcmp(got, "skip");
	return !strcmp(got, wanted);
}

static void prepare(struct run *r, struct xend *x, const char *file, unsigned int nr, int side)
{
	r->x = x;
	r->d.domid = -1;
	r->d.uuid_bytes[0] = (uint8_t)(nr >> 8);
	r->d.uuid_bytes[1] = (uint8_t)side;
	r->d.uuid_bytes[15] = (uint8_t)nr;
	r->d.rec.memory_mib = MEMORY_MIB;
	r->d.rec.maxmem_mib = MAXMEM_MIB;
	r->d.rec.maxvcpus = VCPUS;
	snprintf(r->d.rec.kernel, sizeof(r->d.rec.kernel), "%s", file);
	snprintf(r->d.rec.cmdline, sizeof(r->d.rec.cmdline), "%s", cmdline);
}

/*
 * How a guest, or the worse off of a pair, ended: who waits in vain for one that failed says less.
 */
static const char *outcome_of_all(struct run *r, int nr)
{
	const char *first = outcome(&r[0]), *other = nr < SIDES ? first : outcome(&r[1]);

	return !strcmp(first, "success") || !strcmp(other, "failure") ? other : first;
}

/* Runs one guest, or one pair; true when it ended as expected. */
static bool judge(struct xend *x, const char *file, const char *name, unsigned int nr)
{
	int sides = is_pair ? SIDES : 1, err;
	struct run *r = calloc((size_t)sides, sizeof(*r));
	uint64_t before = free_kib(x);
	char claim[200];
	const char *got, *wanted;
	bool ok;

	forget_log(x);
	for (int i = 0; i < sides; i++)
		prepare(&r[i], x, file, nr, i);
	err = build_all(r, sides);
	if (!err)
		err = follow(r, sides);
	got = err ? "unbuilt" : outcome_of_all(r, sides);
	wanted = wanted_of(name, r);
	said(r, "claim: ", claim, sizeof(claim));
	ok = any_end ? !err && !r->is_late && claim[0] : is_wanted(got, wanted);
	for (int i = 0; i < sides; i++)
		ok &= !r[i].log || guestlog_judge(r[i].log, name);
	for (int i = 0; i < sides; i++)
		undo(&r[i]);
	for (int i = 0; i < sides; i++) {
		if (is_gone(&r[i]))
			continue;
		printf("# %s is not gone\n", name);
		ok = false;
	}
	if (ok && nr > 1 && !memory_is_back(x, before)) {
		printf("# free memory was %llu KiB and is %llu KiB\n", (unsigned long long)before,
		       (unsigned long long)free_kib(x));
		ok = false;
	}
	printf("%s %u - %s: %s%s%s\n", ok ? "ok" : "not ok", nr, name, claim,
	       any_end ? ", " : strcmp(wanted, "success") ? ": " : "",
	       any_end ? cmdline : strcmp(wanted, "success") ? wanted : "");
	if (any_end && said(r, "raced: ", claim, sizeof(claim))[0])
		printf("# raced: %s\n", claim);
	if (!ok) {
		printf("# it ended with '%s', not '%s'; error %d %s\n", got, wanted, err,
		       r->d.error);
		for (int i = 0; i < sides; i++)
			show(r[i].output);
	}
	fflush(stdout);
	free(r);
	return ok;
}

int main(int argc, char **argv)
{
	struct xend x = { .wake_fd = -1 };
	unsigned int nr = 0;
	bool ok = true;
	int opt;

	while ((opt = getopt(argc, argv, "alpe:k:s:c:")) != -1) {
		switch (opt) {
		case 'a': any_end = true; break;
		case 'l': is_logged = true; break;
		case 'p': is_pair = true; break;
		case 'e': expected = optarg; break;
		case 'k': slack_kib = (uint64_t)atoi(optarg); break;
		case 's': seconds = (unsigned int)atoi(optarg); break;
		case 'c': cmdline = optarg; break;
		default: return 2;
		}
	}
	if (hv_open(&x.hv)) {
		fprintf(stderr, "guestrun: no way to the hypervisor: %s\n", strerror(errno));
		return 2;
	}
	for (int i = optind; i < argc; i++) {
		const char *base = strrchr(argv[i], '/') ? strrchr(argv[i], '/') + 1 : argv[i];
		char name[64];

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(base, "."), base);
		ok &= judge(&x, argv[i], name, ++nr);
	}
	hv_close(x.hv);
	return !ok;
}
