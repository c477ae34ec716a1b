/* SPDX-License-Identifier: MIT */
/*
 * fake_xend.c - see fake_xend.h. A loop over the store's watches and the consoles' ptys.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/eventfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <xenstore.h>

#include "fake_xend.h"

#define DOMAINS_MAX 16

struct guest {
	char name[80], state[16];
	int domid, master, slave; /* -1: none */
	bool gave_up, transient;
	char line[256];
	size_t line_len;
};

struct fake_xend {
	struct xs_handle *xs;
	struct guest guests[DOMAINS_MAX];
	int next_domid, stop_fd;
	pthread_t thread;
	pthread_mutex_t ready_lock;
	pthread_cond_t ready;
	bool is_ready;
};

static void put(struct fake_xend *x, const char *value, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void put(struct fake_xend *x, const char *value, const char *fmt, ...)
{
	char path[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	xs_write(x->xs, XBT_NULL, path, value, (unsigned int)strlen(value));
}

static void put_number(struct fake_xend *x, long long value, const char *dir, const char *name,
		       const char *key)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", value);
	put(x, text, "%s/%s/%s", dir, name, key);
}

static void drop(struct fake_xend *x, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void drop(struct fake_xend *x, const char *fmt, ...)
{
	char path[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	xs_rm(x->xs, XBT_NULL, path);
}

static bool get(struct fake_xend *x, char out[1024], const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static bool get(struct fake_xend *x, char out[1024], const char *fmt, ...)
{
	char path[256], *value;
	unsigned int len;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	value = xs_read(x->xs, XBT_NULL, path, &len);
	snprintf(out, 1024, "%s", value ? value : "");
	free(value);
	return value != NULL;
}

static void set_state(struct fake_xend *x, struct guest *g, const char *state)
{
	char entry[128];

	snprintf(entry, sizeof(entry), "2026-01-02T03:04:05Z %s %s request", g->state, state);
	put(x, entry, "/history/domain/%s/%08ld", g->name, (long)(clock() & 0xffffff));
	snprintf(g->state, sizeof(g->state), "%s", state);
	put(x, state, "/status/domain/%s/state", g->name);
}

/* ---- consoles ---- */

static void console_say(struct guest *g, const char *text)
{
	if (g->master >= 0 && write(g->master, text, strlen(text)) < 0)
		perror("fake console");
}

static void console_open(struct fake_xend *x, struct guest *g)
{
	struct termios raw;
	char tty[64], text[128], id[16];

	memset(&raw, 0, sizeof(raw));
	cfmakeraw(&raw);
	if (openpty(&g->master, &g->slave, tty, &raw, NULL) < 0)
		return;
	fcntl(g->master, F_SETFL, O_NONBLOCK);
	snprintf(id, sizeof(id), "%d", g->domid);
	snprintf(text, sizeof(text), "%s on domain %d\r\n", g->name, g->domid);
	console_say(g, text);
	put(x, tty, "/local/domain/%s/console/tty", id);
}

static void console_close(struct guest *g)
{
	if (g->master >= 0) {
		close(g->master);
		close(g->slave);
	}
	g->master = g->slave = -1;
}

/* ---- lives of guests ---- */

static bool does(struct fake_xend *x, const struct guest *g, const char *word)
{
	char cmdline[1024];

	return get(x, cmdline, "/config/domain/%s/cmdline", g->name) && strstr(cmdline, word);
}

static void devices(struct fake_xend *x, struct guest *g)
{
	char mac[1024], id[32];

	snprintf(id, sizeof(id), "%d/0", g->domid);
	if (get(x, mac, "/config/domain/%s/vif/0/mac", g->name)) {
		put(x, mac, "/local/domain/0/backend/vif/%s/mac", id);
		put(x, "4", "/local/domain/%d/device/vif/0/state", g->domid);
		put(x, "768", "/local/domain/%d/device/vif/0/tx-ring-ref", g->domid);
		put(x, "769", "/local/domain/%d/device/vif/0/rx-ring-ref", g->domid);
	}
	if (get(x, mac, "/config/domain/%s/disk/0/vdev", g->name)) {
		put(x, mac, "/local/domain/0/backend/vbd/%d/51712/dev", g->domid);
		put(x, "4", "/local/domain/%d/device/vbd/51712/state", g->domid);
		put(x, "8", "/local/domain/%d/device/vbd/51712/ring-ref", g->domid);
		put(x, "12", "/local/domain/%d/device/vbd/51712/event-channel", g->domid);
	}
}

static void limits(struct fake_xend *x, struct guest *g)
{
	char text[1024], id[16];

	snprintf(id, sizeof(id), "%d", g->domid);
	get(x, text, "/config/domain/%s/maxmem", g->name);
	put_number(x, atoll(text) * 1024, "/local/domain", id, "memory/static-max");
	get(x, text, "/config/domain/%s/maxvcpus", g->name);
	for (int i = 0; i < atoi(text); i++)
		put(x, i ? "offline" : "online", "/local/domain/%s/cpu/%d/availability", id, i);
}

static void figures(struct fake_xend *x, const struct guest *g)
{
	char memory[1024], uuid[1024];

	get(x, memory, "/config/domain/%s/memory", g->name);
	get(x, uuid, "/config/domain/%s/uuid", g->name);
	put(x, uuid, "/status/domain/%s/uuid", g->name);
	put_number(x, g->domid, "/status/domain", g->name, "domid");
	put_number(x, atoll(memory) * 1024, "/status/domain", g->name, "memory_kib");
	put_number(x, 1, "/status/domain", g->name, "vcpus");
	put_number(x, 1500000000, "/status/domain", g->name, "cpu_time_ns");
	put_number(x, time(NULL) - 65, "/vm", uuid, "start_time");
}

static void vanish(struct fake_xend *x, struct guest *g)
{
	console_close(g);
	drop(x, "/status/domain/%s/step", g->name);
	if (g->domid >= 0) {
		drop(x, "/local/domain/%d", g->domid);
		drop(x, "/local/domain/0/backend/vif/%d", g->domid);
		drop(x, "/local/domain/0/backend/vbd/%d", g->domid);
		drop(x, "/status/domain/%s/domid", g->name);
	}
	g->domid = -1;
}

static void settle(struct fake_xend *x, struct guest *g)
{
	vanish(x, g);
	if (g->transient) {
		drop(x, "/config/domain/%s", g->name);
		drop(x, "/status/domain/%s", g->name);
		g->name[0] = '\0';
		return;
	}
	put(x, "off", "/config/domain/%s/power", g->name);
	set_state(x, g, "shutdown");
}

static void start(struct fake_xend *x, struct guest *g)
{
	char paused[1024];

	drop(x, "/status/domain/%s/error", g->name);
	set_state(x, g, "starting");
	put(x, "create", "/status/domain/%s/step", g->name);
	if (does(x, g, "fake=hang"))
		return;
	if (does(x, g, "fake=fail")) {
		put(x, "not enough memory: 12 MiB are missing", "/status/domain/%s/error", g->name);
		drop(x, "/status/domain/%s/step", g->name);
		g->gave_up = true;
		set_state(x, g, "failed");
		return;
	}
	g->domid = ++x->next_domid;
	put(x, g->name, "/local/domain/%d/name", g->domid);
	if (!does(x, g, "fake=mute"))
		console_open(x, g);
	devices(x, g);
	limits(x, g);
	figures(x, g);
	drop(x, "/status/domain/%s/step", g->name);
	if (does(x, g, "fake=exit")) {
		settle(x, g);
		return;
	}
	get(x, paused, "/config/domain/%s/paused", g->name);
	set_state(x, g, paused[0] == '1' ? "paused" : "running");
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

static void console_read(struct fake_xend *x, struct guest *g)
{
	char c, text[300];

	while (read(g->master, &c, 1) == 1) {
		if (c != '\n' && c != '\r') {
			if (g->line_len < sizeof(g->line) - 1)
				g->line[g->line_len++] = c;
			continue;
		}
		g->line[g->line_len] = '\0';
		snprintf(text, sizeof(text), "heard %s\r\n", g->line);
		console_say(g, text);
		g->line_len = 0;
		if (strcmp(g->line, "reboot") == 0 || strcmp(g->line, "poweroff") == 0)
			until_read(g);
		if (strcmp(g->line, "reboot") == 0) {
			vanish(x, g);
			start(x, g);
			return;
		}
		if (strcmp(g->line, "poweroff") == 0) {
			settle(x, g);
			return;
		}
	}
}

static struct guest *guest_of(struct fake_xend *x, const char *name, bool make)
{
	struct guest *unused = NULL;

	for (int i = 0; i < DOMAINS_MAX; i++) {
		struct guest *g = &x->guests[i];

		if (strcmp(g->name, name) == 0)
			return g;
		if (!g->name[0] && !unused)
			unused = g;
	}
	if (!make || !unused)
		return NULL;
	memset(unused, 0, sizeof(*unused));
	snprintf(unused->name, sizeof(unused->name), "%s", name);
	strcpy(unused->state, "defined");
	unused->domid = unused->master = unused->slave = -1;
	return unused;
}

static void reconcile(struct fake_xend *x, const char *name)
{
	char power[1024], persistent[1024];
	bool record = get(x, power, "/config/domain/%s/power", name);
	struct guest *g = guest_of(x, name, record);
	bool starting = g && strcmp(g->state, "starting") == 0;

	if (!g)
		return;
	if (!record) {
		vanish(x, g);
		drop(x, "/status/domain/%s", name);
		g->name[0] = '\0';
		return;
	}
	g->transient =
		get(x, persistent, "/config/domain/%s/persistent", name) && persistent[0] == '0';
	if (strcmp(power, "on") == 0 && g->domid < 0 && !starting) {
		start(x, g);
	} else if (strcmp(power, "off") == 0 && g->domid >= 0) {
		set_state(x, g, "stopping");
		if (!does(x, g, "fake=deaf"))
			settle(x, g);
	} else if (g->domid < 0 && !starting && strcmp(g->state, "shutdown") != 0) {
		set_state(x, g, "defined");
	}
}

/* ---- requests ---- */

static const char *op_destroy(struct fake_xend *x, struct guest *g, const char *id)
{
	(void)id;
	settle(x, g);
	return NULL;
}

static const char *op_pause(struct fake_xend *x, struct guest *g, const char *id)
{
	(void)id;
	set_state(x, g, "paused");
	return NULL;
}

static const char *op_unpause(struct fake_xend *x, struct guest *g, const char *id)
{
	(void)id;
	if (strcmp(g->state, "paused") != 0)
		return "it is not paused (it is running)";
	set_state(x, g, "running");
	return NULL;
}

static const char *op_reboot(struct fake_xend *x, struct guest *g, const char *id)
{
	(void)id;
	vanish(x, g);
	start(x, g);
	return NULL;
}

static const char *op_shutdown(struct fake_xend *x, struct guest *g, const char *id)
{
	(void)id;
	if (does(x, g, "fake=busy"))
		return "it is busy";
	settle(x, g);
	return NULL;
}

static const char *op_dmesg(struct fake_xend *x, struct guest *g, const char *id)
{
	char clear[1024];

	(void)g;
	put(x, "(XEN) first\n(d0) [    1.0] Linux\n(XEN) \033[31mred\n(d", "/request/%s/output/0", id);
	put(x, get(x, clear, "/request/%s/args/clear", id) ? "0) x\n(XEN) cleared\n" :
								    "0) x\n(XEN) second\n",
	    "/request/%s/output/1", id);
	return NULL;
}

static const char *op_debug_keys(struct fake_xend *x, struct guest *g, const char *id)
{
	char keys[1024];

	(void)g;
	put(x, get(x, keys, "/request/%s/args/keys", id) ? keys : "", "/pressed");
	return strchr(keys, '!') ? "no such key" : NULL;
}

static const char *op_refresh(struct fake_xend *x, struct guest *g, const char *id)
{
	(void)x;
	(void)g;
	(void)id;
	return NULL;
}

/* A disk's number in the guest from its letter: xvdb is 51728. */
static int disk_number(const char *vdev)
{
	return 51712 + 16 * (vdev[3] - 'a');
}

/* A target with "broken" in it is one whose backend fails. */
static const char *op_attach(struct fake_xend *x, struct guest *g, const char *id)
{
	char list[1024], item[1024], value[1024];

	get(x, list, "/request/%s/args/list", id);
	get(x, item, "/request/%s/args/item", id);
	if (strcmp(list, "disk") == 0) {
		get(x, value, "/config/domain/%s/disk/%s/target", g->name, item);
		if (strstr(value, "broken"))
			return "disk xvdb: cannot open it";
		get(x, value, "/config/domain/%s/disk/%s/vdev", g->name, item);
		put(x, value, "/local/domain/0/backend/vbd/%d/%d/dev", g->domid,
		    disk_number(value));
	} else {
		get(x, value, "/config/domain/%s/vif/%s/mac", g->name, item);
		put(x, value, "/local/domain/0/backend/vif/%d/%s/mac", g->domid, item);
	}
	return NULL;
}

static const char *op_detach(struct fake_xend *x, struct guest *g, const char *id)
{
	char kind[1024], device[1024], force[1024];

	get(x, kind, "/request/%s/args/kind", id);
	get(x, device, "/request/%s/args/device", id);
	if (does(x, g, "fake=busy") && !get(x, force, "/request/%s/args/force", id))
		return "the guest still uses it (is it mounted?)";
	drop(x, "/local/domain/0/backend/%s/%d/%s", kind, g->domid, device);
	return NULL;
}

static const char *op_vcpu_list(struct fake_xend *x, struct guest *g, const char *id)
{
	(void)g;
	put(x, "0 1 r-- 1.5 all all", "/request/%s/output/0", id);
	put(x, "1 - --p 0.0 0-1 1", "/request/%s/output/1", id);
	return NULL;
}

/* Says what it was asked for. */
static const char *op_vcpu_pin(struct fake_xend *x, struct guest *g, const char *id)
{
	char vcpu[1024], hard[1024], soft[1024], all[64];

	get(x, vcpu, "/request/%s/args/vcpu", id);
	get(x, hard, "/request/%s/args/hard", id);
	get(x, soft, "/request/%s/args/soft", id);
	snprintf(all, sizeof(all), "%.16s %.16s %.16s", vcpu, hard, soft);
	put(x, all, "/test/pinned/%s", g->name);
	return NULL;
}

static const char *op_sched_credit(struct fake_xend *x, struct guest *g, const char *id)
{
	char weight[1024], cap[1024], all[64];

	if (!get(x, weight, "/request/%s/args/weight", id))
		strcpy(weight, "256");
	if (!get(x, cap, "/request/%s/args/cap", id))
		strcpy(cap, "0");
	snprintf(all, sizeof(all), "%.16s %.16s", weight, cap);
	put(x, all, "/request/%s/output/0", id);
	put(x, all, "/test/credit/%s", g->name);
	return NULL;
}

static const char *op_mem_max(struct fake_xend *x, struct guest *g, const char *id)
{
	char kib[1024];

	get(x, kib, "/request/%s/args/kib", id);
	put(x, kib, "/local/domain/%d/memory/static-max", g->domid);
	return NULL;
}

/* Says what it was asked for. */
static const char *op_save(struct fake_xend *x, struct guest *g, const char *id)
{
	char file[1024], checkpoint[1024];

	get(x, file, "/request/%s/args/file", id);
	get(x, checkpoint, "/request/%s/args/checkpoint", id);
	put(x, file, "/test/saved/%s", g->name);
	put(x, checkpoint, "/test/checkpoint/%s", g->name);
	return NULL;
}

static const struct {
	const char *op;
	bool needs_guest;
	const char *(*run)(struct fake_xend *x, struct guest *g, const char *id);
} ops[] = {
	{ "destroy", true, op_destroy }, { "pause", true, op_pause },  { "unpause", true, op_unpause },
	{ "reboot", true, op_reboot },   { "shutdown", true, op_shutdown },
	{ "dmesg", false, op_dmesg },    { "refresh", false, op_refresh },
	{ "debug-keys", false, op_debug_keys },
	{ "attach", true, op_attach },   { "detach", true, op_detach },
	{ "vcpu-list", true, op_vcpu_list }, { "vcpu-pin", true, op_vcpu_pin },
	{ "sched-credit", true, op_sched_credit }, { "mem-max", true, op_mem_max },
	{ "save", true, op_save },
};

static void request(struct fake_xend *x, const char *id)
{
	const char *error = "operation not known";
	char op[1024], state[1024], domain[1024];
	struct guest *g;

	/* In this order: the asker removes both at once, and what is gone must not be done again.
	 */
	if (get(x, state, "/request/%s/state", id) || !get(x, op, "/request/%s/op", id))
		return;
	get(x, domain, "/request/%s/domain", id);
	g = domain[0] ? guest_of(x, domain, false) : NULL;
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (strcmp(op, ops[i].op) == 0)
			error = ops[i].needs_guest && !g ? "there is no such domain"
							 : ops[i].run(x, g, id);
	if (error)
		put(x, error, "/request/%s/error", id);
	put(x, error ? "failed" : "done", "/request/%s/state", id);
}

/* ---- the loop ---- */

/* The component of @path right below @root, once each: a transaction fires one event a key. */
static void collect(const char *path, const char *root, char names[][80], int *nr)
{
	size_t len = strlen(root);
	char name[80];

	if (strncmp(path, root, len) != 0 || path[len] != '/')
		return;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(path + len + 1, "/"), path + len + 1);
	for (int i = 0; i < *nr; i++)
		if (strcmp(names[i], name) == 0)
			return;
	if (*nr < DOMAINS_MAX)
		strcpy(names[(*nr)++], name);
}

static void scan(struct fake_xend *x)
{
	unsigned int nr = 0;
	char **names = xs_directory(x->xs, XBT_NULL, "/config/domain", &nr);

	for (unsigned int i = 0; names && i < nr; i++)
		reconcile(x, names[i]);
	free(names);
}

static void events(struct fake_xend *x)
{
	char domains[DOMAINS_MAX][80], requests[DOMAINS_MAX][80], **event;
	int nr_domains = 0, nr_requests = 0;

	while (nr_domains < DOMAINS_MAX && nr_requests < DOMAINS_MAX &&
	       (event = xs_check_watch(x->xs))) {
		collect(event[0], "/config/domain", domains, &nr_domains);
		collect(event[0], "/request", requests, &nr_requests);
		free(event);
	}
	for (int i = 0; i < nr_domains; i++)
		reconcile(x, domains[i]);
	for (int i = 0; i < nr_requests; i++)
		request(x, requests[i]);
}

static void describe_host(struct fake_xend *x)
{
	static const struct {
		const char *key, *value;
	} host[] = {
		{ "nr_cpus", "2" },	  { "memory_kib", "2097152" },
		{ "free_kib", "1048576" },  { "version", "4.17.0-fake" },
		{ "cpu_khz", "2593992" },	  { "commandline", "dom0_mem=512M" },
		{ "hostname", "fakehost" }, { "virt_start", "0xffff800000000000" },
		{ "vulnerabilities/meltdown", "Meltdown: mitigated: tables" },
		{ "vulnerabilities/mds", "MDS: open: turned off" },
		{ "vulnerabilities/tsa", "TSA: not affected" },
	};

	for (size_t i = 0; i < sizeof(host) / sizeof(host[0]); i++)
		put(x, host[i].value, "/host/%s", host[i].key);
	put(x, "running", "/status/domain/Domain-0/state");
	put(x, "0", "/status/domain/Domain-0/domid");
	put(x, "524288", "/status/domain/Domain-0/memory_kib");
	put(x, "2", "/status/domain/Domain-0/vcpus");
	put(x, "12345000000", "/status/domain/Domain-0/cpu_time_ns");
}

static void loop(struct fake_xend *x)
{
	for (;;) {
		struct pollfd fds[DOMAINS_MAX + 2] = {
			{ .fd = x->stop_fd, .events = POLLIN },
			{ .fd = xs_fileno(x->xs), .events = POLLIN },
		};

		for (int i = 0; i < DOMAINS_MAX; i++)
			fds[i + 2] = (struct pollfd){
				.fd = x->guests[i].name[0] ? x->guests[i].master : -1,
				.events = POLLIN};
		if (poll(fds, DOMAINS_MAX + 2, -1) < 0 && errno != EINTR)
			return;
		if (fds[0].revents)
			return;
		for (int i = 0; i < DOMAINS_MAX; i++)
			if (fds[i + 2].revents)
				console_read(x, &x->guests[i]);
		events(x);
	}
}

static bool open_store(struct fake_xend *x)
{
	x->xs = xs_open(0);
	if (!x->xs)
		return false;
	for (int i = 0; i < DOMAINS_MAX; i++)
		x->guests[i].domid = x->guests[i].master = x->guests[i].slave = -1;
	describe_host(x);
	xs_watch(x->xs, "/config/domain", "config");
	xs_watch(x->xs, "/request", "request");
	scan(x);
	return true;
}

static void close_store(struct fake_xend *x)
{
	for (int i = 0; i < DOMAINS_MAX; i++)
		if (x->guests[i].name[0])
			console_close(&x->guests[i]);
	xs_close(x->xs);
}

static void *thread(void *data)
{
	struct fake_xend *x = data;
	bool open = open_store(x);

	pthread_mutex_lock(&x->ready_lock);
	x->is_ready = true;
	pthread_cond_signal(&x->ready);
	pthread_mutex_unlock(&x->ready_lock);
	if (open) {
		loop(x);
		close_store(x);
	}
	return NULL;
}

struct fake_xend *fake_xend_start(void)
{
	struct fake_xend *x = calloc(1, sizeof(*x));

	x->stop_fd = eventfd(0, EFD_CLOEXEC);
	pthread_mutex_init(&x->ready_lock, NULL);
	pthread_cond_init(&x->ready, NULL);
	pthread_create(&x->thread, NULL, thread, x);
	pthread_mutex_lock(&x->ready_lock);
	while (!x->is_ready)
		pthread_cond_wait(&x->ready, &x->ready_lock);
	pthread_mutex_unlock(&x->ready_lock);
	return x;
}

void fake_xend_stop(struct fake_xend *x)
{
	eventfd_write(x->stop_fd, 1);
	pthread_join(x->thread, NULL);
	close(x->stop_fd);
	pthread_mutex_destroy(&x->ready_lock);
	pthread_cond_destroy(&x->ready);
	free(x);
}

void fake_xend_run(int fd)
{
	struct fake_xend x = { .stop_fd = fd };

	if (!open_store(&x)) {
		perror("fake_xend: store");
		return;
	}
	loop(&x);
	close_store(&x);
}
