/* SPDX-License-Identifier: MIT */
/*
 * backendd.c - the supervisor of dom0's backends: one process for each device directory.
 *
 * Watches /local/domain/0/backend; never touches a guest's memory and keeps no state that cannot
 * be found again. Killed and started anew it finds its device processes by the locks they hold on
 * their journals and goes on watching them; the guests' I/O never depended on it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include <log.h>
#include <notify.h>

#include "device.h"
#include "journal.h"
#include "owner.h"
#include "store.h"

#define ROOT "/local/domain/0/backend"
#define TOKEN "backendd"
#define GRANT_LIMIT "/sys/module/xen_gntalloc/parameters/limit"
#define GRANT_PART 16 /* of dom0's memory */
#define EVENTS_A_TURN 256 /* then others have theirs: ends of processes, questions, timers */

/* Numbers below @dir, each given to @each. Names that are no plain number are nobody's device. */
static void each_number(struct supervisor *sv, const char *dir,
			void (*each)(struct supervisor *sv, const char *type, unsigned int domid,
				     unsigned int n),
			const char *type, unsigned int domid)
{
	unsigned int nr;
	char **names = xs_easy_list(sv->xs, XBT_NULL, dir, &nr);

	for (unsigned int i = 0; i < nr; i++) {
		char *end;
		unsigned long n = strtoul(names[i], &end, 10);

		if (names[i][0] >= '0' && names[i][0] <= '9' && !*end && n <= UINT32_MAX)
			each(sv, type, domid, (unsigned int)n);
	}
	free(names);
}

static void scan_domain(struct supervisor *sv, const char *type, unsigned int none,
			unsigned int domid)
{
	char dir[128];

	snprintf(dir, sizeof(dir), ROOT "/%s/%u", type, domid);
	each_number(sv, dir, device_check, type, domid);
}

static void scan(struct supervisor *sv)
{
	const char *type;

	device_check_known(sv);
	for (unsigned int i = 0; (type = device_type(i)); i++) {
		char dir[64];

		snprintf(dir, sizeof(dir), ROOT "/%s", type);
		each_number(sv, dir, scan_domain, type, 0);
	}
}

/* Notes only the device an event's path lies in; everything for a path above that. */
static void on_path(struct supervisor *sv, const char *path, bool *scan_all)
{
	unsigned int domid, devid;
	char type[16];

	if (sscanf(path, ROOT "/%15[a-z]/%u/%u", type, &domid, &devid) == 3)
		device_note(sv, type, domid, devid);
	else
		*scan_all = true;
}

/*
 * A guest that has its devices begin over and over makes events faster than each could be looked
 * after: they are taken without asking the store, and what they are about is looked at once.
 */
static void on_store(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *sv = arg;
	bool scan_all = false;
	int left = EVENTS_A_TURN;
	char **watch;

	while (left > 0 && (watch = xs_check_watch(sv->xs))) {
		on_path(sv, watch[XS_WATCH_PATH], &scan_all);
		free(watch);
		left--;
	}
	if (left > 0 && errno != EAGAIN) {
		log_error("store connection lost");
		event_base_loopbreak(sv->base);
		return;
	}
	device_check_noted(sv);
	if (scan_all)
		scan(sv);
}

static void on_child(evutil_socket_t sig, short what, void *arg)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		device_exited(arg, pid, status);
}

static void on_term(evutil_socket_t sig, short what, void *arg)
{
	struct supervisor *sv = arg;

	/* The device processes stay: guests are running. The next supervisor adopts them. */
	event_base_loopexit(sv->base, NULL);
}

/* The directory this program lies in: its siblings are the device programs. */
static const char *own_dir(void)
{
	static char dir[512];
	ssize_t n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
	char *slash;

	if (n <= 0)
		return "/usr/lib/storevisor";
	dir[n] = '\0';
	slash = strrchr(dir, '/');
	*slash = '\0';
	return dir;
}

/*
 * How many pages device processes may grant to domain 0 itself (granted.h), in all: a fixed part of
 * its memory, instead of Linux's 1024 whatever there is. Without, they copy by address.
 */
static void allow_grants(void)
{
	struct sysinfo host;
	FILE *f = fopen(GRANT_LIMIT, "r+e");
	unsigned long now = 0, want;

	if (!f || sysinfo(&host) < 0 || fscanf(f, "%lu", &now) != 1) {
		log_info("no %s: devices copy by address", GRANT_LIMIT);
	} else {
		want = host.totalram / GRANT_PART * host.mem_unit / 4096;
		rewind(f);
		if (want > now && fprintf(f, "%lu\n", want) < 0)
			log_warn("%s", GRANT_LIMIT);
	}
	if (f && fclose(f) != 0)
		log_warn("%s", GRANT_LIMIT);
}

static int run(struct supervisor *sv)
{
	static const struct {
		int sig;
		event_callback_fn fn;
	} signals[] = { { SIGCHLD, on_child }, { SIGTERM, on_term }, { SIGINT, on_term } };
	struct event *store;

	sv->base = event_base_new();
	if (!sv->base)
		return -ENOMEM;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct event *ev = evsignal_new(sv->base, signals[i].sig, signals[i].fn, sv);

		if (!ev || event_add(ev, NULL) < 0)
			return -ENOMEM;
	}
	if (!xs_watch(sv->xs, ROOT, TOKEN))
		return -errno;
	store = event_new(sv->base, xs_fileno(sv->xs), EV_READ | EV_PERSIST, on_store, sv);
	if (!store || event_add(store, NULL) < 0)
		return -ENOMEM;
	device_clear_disks(sv);
	log_info("watching %s, programs in %s", ROOT, sv->libdir);
	notify_service("READY=1");
	event_base_dispatch(sv->base);
	if (event_base_got_break(sv->base))
		return -EIO;
	owner_leave();
	return 0;
}

static int usage(void)
{
	fprintf(stderr,
		"usage: backendd [-N] [-v] [-l DIR] [-s DIR]\n"
		"  -N      stay in the foreground (always so; for scripts written for others)\n"
		"  -v      log every step, in the device processes too\n"
		"  -l DIR  take blkback, netback and the others from DIR (default: beside backendd)\n"
		"  -s DIR  where sysfs is (/sys): it shows what dom0's kernel serves itself\n");
	return 2;
}

int main(int argc, char **argv)
{
	struct supervisor sv = { .libdir = own_dir(), .sysfs = "/sys" };
	int opt, rc;

	while ((opt = getopt(argc, argv, "Nvl:s:")) != -1) {
		switch (opt) {
		case 'N':
			break;
		case 'v':
			sv.verbose = true;
			break;
		case 'l':
			sv.libdir = optarg;
			break;
		case 's':
			sv.sysfs = optarg;
			break;
		default:
			return usage();
		}
	}
	if (optind != argc)
		return usage();
	log_init("backendd", sv.verbose ? LOG_LVL_DEBUG : LOG_LVL_INFO, 1);
	rc = owner_claim();
	if (rc < 0) {
		log_errorx("cannot make %s: %s", journal_dir(), strerror(-rc));
		return 1;
	}
	sv.xs = store_open();
	if (!sv.xs) {
		log_error("cannot reach the store: is xenstored running?");
		return 1;
	}
	allow_grants();
	rc = run(&sv);
	if (rc < 0)
		log_errorx("%s", strerror(-rc));
	return rc < 0;
}
