/* SPDX-License-Identifier: MIT */
/*
 * host.c - see host.h. A loop over xend's events, the world's, and the consoles' ptys.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <xenstore.h>

#include "fake_hv.h"
#include "host.h"
#include "log.h"
#include "xend.h"

#define GUESTS_MAX 16
#define MACHINE_MIB 2048
#define DOM0_MIB 512

struct guest {
	int domid; /* 0: none */
	bool seen; /* in this look */
	char name[80], cmdline[256];
	int master, slave; /* -1: none */
	char line[256];
	size_t line_len;
};

static struct {
	struct xend x;
	struct xs_handle *xs, *world; /* xend's, and what is not xend reads and writes by this */
	struct guest guests[GUESTS_MAX];
	int stop_fd, wake_fd;
	pthread_t thread;
	uint64_t ahead_ns; /* of the clock */
	atomic_bool hurry;
	bool runs;
} host;

static char *get(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static char *get(const char *fmt, ...)
{
	char path[256];
	unsigned int len;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	return xs_read(host.world, XBT_NULL, path, &len);
}

static void put(const char *value, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put(const char *value, const char *fmt, ...)
{
	char path[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	xs_write(host.world, XBT_NULL, path, value, (unsigned int)strlen(value));
}

static bool is_there(const char *dir, const char *key)
{
	char *value = get("%s/%s", dir, key);

	free(value);
	return value != NULL;
}

static bool is(const char *dir, const char *key, const char *wanted)
{
	char *value = get("%s/%s", dir, key);
	bool yes = value && strcmp(value, wanted) == 0;

	free(value);
	return yes;
}

/* Calls @fn for what is @depth levels below @dir. */
static void each(const char *dir, unsigned int depth, void (*fn)(const char *dir))
{
	unsigned int nr = 0;
	char path[256], **names;

	if (!depth) {
		fn(dir);
		return;
	}
	names = xs_directory(host.world, XBT_NULL, dir, &nr);
	for (unsigned int i = 0; names && i < nr; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		each(path, depth - 1, fn);
	}
	free(names);
}

/* ---- consoles ---- */

static void console_say(struct guest *g, const char *text)
{
	if (g->master >= 0 && write(g->master, text, strlen(text)) < 0)
		perror("fake console");
}

static void console_open(struct guest *g)
{
	struct termios raw;
	char tty[64], text[128];

	memset(&raw, 0, sizeof(raw));
	cfmakeraw(&raw);
	if (openpty(&g->master, &g->slave, tty, &raw, NULL) < 0)
		return;
	fcntl(g->master, F_SETFL, O_NONBLOCK);
	snprintf(text, sizeof(text), "%s on domain %d\r\n", g->name, g->domid);
	console_say(g, text);
	put(tty, "/local/domain/%d/console/tty", g->domid);
}

static void console_close(struct guest *g)
{
	if (g->master >= 0) {
		close(g->master);
		close(g->slave);
	}
	g->master = g->slave = -1;
}

/*
 * Closing a pty throws away what nobody has read yet. What was written arrives a little later, and
 * may be taken before it is seen here: then a second is enough for any reader.
 */
static void until_read(const struct guest *g)
{
	int left = 0;
	bool came = false;

	for (int i = 0; i < 1000 && ioctl(g->slave, FIONREAD, &left) == 0 && !(came && !left); i++) {
		came = came || left;
		usleep(1000);
	}
}

/* ---- guests ---- */

static bool does(const struct guest *g, const char *word)
{
	return strstr(g->cmdline, word);
}

static struct guest *guest_of(int domid)
{
	for (int i = 0; i < GUESTS_MAX; i++)
		if (host.guests[i].domid == domid)
			return &host.guests[i];
	return NULL;
}

static void goes_down(const struct guest *g, enum hv_shutdown_reason reason)
{
	fake_hv_shutdown(g->domid, reason);
	host.x.check_domains = true;
}

static void console_read(struct guest *g)
{
	char c, text[300];

	while (read(g->master, &c, 1) == 1) {
		bool poweroff, reboot;

		if (c != '\n' && c != '\r') {
			if (g->line_len < sizeof(g->line) - 1)
				g->line[g->line_len++] = c;
			continue;
		}
		g->line[g->line_len] = '\0';
		snprintf(text, sizeof(text), "heard %s\r\n", g->line);
		console_say(g, text);
		g->line_len = 0;
		poweroff = strcmp(g->line, "poweroff") == 0;
		reboot = strcmp(g->line, "reboot") == 0;
		if (!poweroff && !reboot)
			continue;
		until_read(g);
		goes_down(g, reboot ? HV_SHUTDOWN_REBOOT : HV_SHUTDOWN_POWEROFF);
		return;
	}
}

/* A guest's side of a device, as Linux has it. */
static void connect_device(const char *dir)
{
	if (is(dir, "state", "4"))
		return;
	if (strstr(dir, "/vbd/")) {
		put("8", "%s/ring-ref", dir);
		put("12", "%s/event-channel", dir);
	} else if (strstr(dir, "/vif/")) {
		put("768", "%s/tx-ring-ref", dir);
		put("769", "%s/rx-ring-ref", dir);
	} else {
		return;
	}
	put("4", "%s/state", dir);
}

/* What a guest's kernel does when it is asked to go down. */
static void follow(const struct guest *g, const char *dir)
{
	static const struct {
		const char *wish;
		enum hv_shutdown_reason reason;
	} ends[] = {
		{ "poweroff", HV_SHUTDOWN_POWEROFF },
		{ "halt", HV_SHUTDOWN_POWEROFF },
		{ "reboot", HV_SHUTDOWN_REBOOT },
		{ "suspend", HV_SHUTDOWN_SUSPEND },
		{ "crash", HV_SHUTDOWN_CRASH }, /* only a test asks for it */
	};

	if (!is(dir, "control/feature-suspend", "1"))
		put("1", "%s/control/feature-suspend", dir);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (!is(dir, "control/shutdown", ends[i].wish))
			continue;
		put("", "%s/control/shutdown", dir);
		if (ends[i].reason == HV_SHUTDOWN_SUSPEND)
			fake_hv_suspend(g->domid);
		else
			goes_down(g, ends[i].reason);
		host.x.check_domains = true;
		return;
	}
}

static void begin(struct guest *g, int domid, const char *dir)
{
	char *name = get("%s/name", dir), *cmdline;

	g->domid = domid;
	g->line_len = 0;
	snprintf(g->name, sizeof(g->name), "%s", name ? name : "");
	free(name);
	cmdline = get("/config/domain/%s/cmdline", g->name);
	snprintf(g->cmdline, sizeof(g->cmdline), "%s", cmdline ? cmdline : "");
	free(cmdline);
}

/* One /local/domain/N. */
static void live(const char *dir)
{
	int domid = atoi(strrchr(dir, '/') + 1);
	struct guest *g = guest_of(domid);
	struct hv_domain info;
	char devices[256];

	if (domid <= 0 || !is_there(dir, "name") || hv_domain_info(NULL, (uint16_t)domid, &info))
		return;
	if (!g) {
		g = guest_of(0);
		if (!g)
			abort();
		begin(g, domid, dir);
	}
	g->seen = true;
	if (g->master < 0 && !does(g, "fake=mute"))
		console_open(g);
	if (info.paused || info.shutdown)
		return;
	fake_hv_ran(domid, 1500000000);
	snprintf(devices, sizeof(devices), "%s/device", dir);
	each(devices, 2, connect_device);
	if (!does(g, "fake=deaf"))
		follow(g, dir);
}

/* ---- backends ---- */

/* One backend directory. */
static void serve(const char *dir)
{
	const char *name = strrchr(dir, '/');
	struct guest *g;
	char *params = get("%s/params", dir);
	bool broken;

	while (*--name != '/')
		;
	g = guest_of(atoi(name + 1));
	broken = params && (strstr(params, "broken") || (g && does(g, "fake=fail")));
	free(params);
	if (is(dir, "state", "5")) {
		if (!g || !does(g, "fake=busy"))
			put("6", "%s/state", dir);
	} else if (is_there(dir, "state") && !is_there(dir, "hotplug-status") &&
		   !(g && does(g, "fake=hang"))) {
		if (broken)
			put("cannot open it", "%s/hotplug-error", dir);
		put(broken ? "error" : "connected", "%s/hotplug-status", dir);
	}
	name = get("%s/drain", dir);
	if (name && !is(dir, "drained", name))
		put(name, "%s/drained", dir);
	free((char *)name);
}

static void world(void)
{
	for (int i = 0; i < GUESTS_MAX; i++)
		host.guests[i].seen = false;
	each("/local/domain", 1, live);
	each("/local/domain/0/backend", 3, serve);
	for (int i = 0; i < GUESTS_MAX; i++) {
		if (host.guests[i].domid && !host.guests[i].seen) {
			console_close(&host.guests[i]);
			host.guests[i].domid = 0;
		}
	}
}

/* ---- the loop ---- */

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec + host.ahead_ns;
}

/* One piece of work for each; the time of the next in ms. */
static int turn(void)
{
	uint64_t now = now_ns(), again;
	bool any = false;
	char **ev;

	while ((ev = xs_check_watch(host.xs))) {
		xend_event(&host.x, ev[XS_WATCH_PATH], ev[XS_WATCH_TOKEN]);
		free(ev);
	}
	again = xend_run(&host.x, now);
	while ((ev = xs_check_watch(host.world))) {
		free(ev);
		any = true;
	}
	if (any)
		world();
	if (any || again <= now || host.x.check_domains)
		return 0;
	if (!host.hurry)
		return again - now > 100 * NS_PER_MS ? 100 : (int)((again - now) / NS_PER_MS) + 1;
	if (again == XEND_IDLE)
		return 100;
	host.ahead_ns += again - now;
	return 1; /* for whoever else is there to look between two such leaps */
}

static void *loop(void *data)
{
	uint64_t n;

	(void)data;
	for (;;) {
		struct pollfd fds[GUESTS_MAX + 4] = {
			{ .fd = host.stop_fd, .events = POLLIN },
			{ .fd = xs_fileno(host.xs), .events = POLLIN },
			{ .fd = xs_fileno(host.world), .events = POLLIN },
			{ .fd = host.wake_fd, .events = POLLIN },
		};
		int ms = turn();

		for (int i = 0; i < GUESTS_MAX; i++)
			fds[i + 4] = (struct pollfd){ .fd = host.guests[i].master, .events = POLLIN };
		if ((poll(fds, GUESTS_MAX + 4, ms) < 0 && errno != EINTR) || fds[0].revents)
			return NULL;
		if (fds[3].revents && read(host.wake_fd, &n, sizeof(n)) < 0)
			return NULL;
		for (int i = 0; i < GUESTS_MAX; i++)
			if (fds[i + 4].revents)
				console_read(&host.guests[i]);
	}
}

void host_hurry(void)
{
	host.hurry = true;
	eventfd_write(host.wake_fd, 1);
}

void host_start(void)
{
	struct hv *hv = fake_hv_new_shared(MACHINE_MIB);

	memset(&host, 0, sizeof(host));
	for (int i = 0; i < GUESTS_MAX; i++)
		host.guests[i].master = host.guests[i].slave = -1;
	log_init("xend", LOG_LVL_ERROR, 0);
	fake_hv_dom0_gets((int64_t)DOM0_MIB << 10);
	host.stop_fd = eventfd(0, EFD_CLOEXEC);
	host.wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	host.xs = xs_open(0);
	host.world = xs_open(0);
	xs_watch(host.world, "/local/domain", "world");
	xs_watch(host.world, "/status/domain", "world");
	if (xend_start(&host.x, host.xs, hv, host.wake_fd, now_ns()))
		abort();
	host.runs = true;
	pthread_create(&host.thread, NULL, loop, NULL);
}

void host_stop(void)
{
	if (!host.runs)
		return;
	host.runs = false;
	eventfd_write(host.stop_fd, 1);
	pthread_join(host.thread, NULL);
	for (int i = 0; i < GUESTS_MAX; i++)
		console_close(&host.guests[i]);
	xend_stop(&host.x);
	xs_close(host.xs);
	xs_close(host.world);
	close(host.stop_fd);
	close(host.wake_fd);
	fake_hv_free();
}
