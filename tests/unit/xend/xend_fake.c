/* SPDX-License-Identifier: MIT */
/*
 * xend_fake.c - the real xend as a process over a real store, on the machine in memory of
 * fake_hv.c: what a test of a whole program meets. Backends and guests do here what they are
 * asked: a device is connected and closed, a guest follows control/shutdown.
 *
 * xend_fake KERNEL MIB: writes a kernel that can be built to KERNEL, has a machine of MIB, says
 * "ready" and ends with its standard input.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "fake_hv.h"
#include "log.h"
#include "make_elf.h"
#include "xend.h"

struct machine {
	struct xend x;
	struct xs_handle *world; /* what is not xend reads and writes by this */
};

/* The daemon has no guest's ring to map: being told of a domain is all that can be seen of it. */
bool __wrap_xs_introduce_domain(struct xs_handle *h, unsigned int domid, unsigned long mfn,
				unsigned int port);
bool __wrap_xs_introduce_domain(struct xs_handle *h, unsigned int domid, unsigned long mfn,
				unsigned int port)
{
	(void)h;
	return domid && mfn && port;
}

bool __wrap_xs_release_domain(struct xs_handle *h, unsigned int domid);
bool __wrap_xs_release_domain(struct xs_handle *h, unsigned int domid)
{
	(void)h;
	return domid;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static char *get(struct machine *m, const char *dir, const char *key)
{
	char path[512];
	unsigned int len;

	snprintf(path, sizeof(path), "%s/%s", dir, key);
	return xs_read(m->world, XBT_NULL, path, &len);
}

static void put(struct machine *m, const char *dir, const char *key, const char *value)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, key);
	xs_write(m->world, XBT_NULL, path, value, (unsigned int)strlen(value));
}

/* One backend directory; while there is /test/hold nothing is connected. */
static void serve(struct machine *m, const char *dir)
{
	char *state = get(m, dir, "state"), *status = get(m, dir, "hotplug-status");

	char *hold = get(m, "/test", "hold");

	if (state && !strcmp(state, "5"))
		put(m, dir, "state", "6");
	else if (state && !status && !hold)
		put(m, dir, "hotplug-status", "connected");
	free(hold);
	free(state);
	free(status);
}

/* What a guest's kernel does when it is asked to go down. */
static void guest(struct machine *m, const char *dir)
{
	static const struct {
		const char *wish;
		enum hv_shutdown_reason reason;
	} ends[] = {
		{ "poweroff", HV_SHUTDOWN_POWEROFF },
		{ "reboot", HV_SHUTDOWN_REBOOT },
		{ "crash", HV_SHUTDOWN_CRASH }, /* only a test asks for it */
	};
	const char *name = strrchr(dir, '/') + 1;
	char *wish = get(m, dir, "control/shutdown");
	int domid = atoi(name);

	for (size_t i = 0; domid > 0 && wish && i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (strcmp(wish, ends[i].wish))
			continue;
		put(m, dir, "control/shutdown", "");
		fake_hv_shutdown(domid, ends[i].reason);
		m->x.check_domains = true;
	}
	free(wish);
}

/* Calls @fn for what is @depth levels below @dir. */
static void each(struct machine *m, const char *dir, unsigned int depth,
		 void (*fn)(struct machine *m, const char *dir))
{
	unsigned int nr = 0;
	char path[512], **names;

	if (!depth) {
		fn(m, dir);
		return;
	}
	names = xs_directory(m->world, XBT_NULL, dir, &nr);
	for (unsigned int i = 0; names && i < nr; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		each(m, path, depth - 1, fn);
	}
	free(names);
}

/* Until nothing is to be done at once; the time of the next look in ms. */
static int turn(struct machine *m)
{
	for (;;) {
		uint64_t now = now_ns(), again;
		char **ev;

		while ((ev = xs_check_watch(m->x.xs))) {
			xend_event(&m->x, ev[XS_WATCH_PATH], ev[XS_WATCH_TOKEN]);
			free(ev);
		}
		while ((ev = xs_check_watch(m->world)))
			free(ev);
		again = xend_run(&m->x, now);
		each(m, "/local/domain/0/backend", 3, serve);
		each(m, "/local/domain", 1, guest);
		if (again > now && !m->x.check_domains)
			return again - now > 100 * NS_PER_MS ? 100 :
							       (int)((again - now) / NS_PER_MS) + 1;
	}
}

static int write_kernel(const char *path)
{
	size_t len;
	uint8_t *elf = make_elf(&make_elf_linux, &len);
	FILE *f = fopen(path, "we");
	int ret = f && fwrite(elf, 1, len, f) == len ? 0 : -1;

	if (f && fclose(f))
		ret = -1;
	free(elf);
	return ret;
}

int main(int argc, char **argv)
{
	struct machine m = { 0 };
	struct xs_handle *xs = xs_open(0);
	struct pollfd fds[4] = { { .fd = 0, .events = POLLIN } };
	int wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	uint64_t n;

	m.world = xs_open(0);
	log_init("xend", LOG_LVL_INFO, 1);
	if (argc != 3 || !xs || !m.world || wake < 0 || write_kernel(argv[1]) ||
	    !xs_watch(m.world, "/local/domain", "world") ||
	    xend_start(&m.x, xs, fake_hv_new((unsigned int)atoi(argv[2])), wake, now_ns())) {
		fprintf(stderr, "cannot start\n");
		return 1;
	}
	puts("ready");
	fflush(stdout);
	fds[1] = (struct pollfd){ .fd = xs_fileno(xs), .events = POLLIN };
	fds[2] = (struct pollfd){ .fd = xs_fileno(m.world), .events = POLLIN };
	fds[3] = (struct pollfd){ .fd = wake, .events = POLLIN };
	while (!fds[0].revents) {
		poll(fds, 4, turn(&m));
		if (fds[3].revents && read(wake, &n, sizeof(n)) < 0)
			break;
	}
	xend_stop(&m.x);
	xs_close(xs);
	xs_close(m.world);
	fake_hv_free();
	return 0;
}
