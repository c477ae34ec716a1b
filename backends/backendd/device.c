/* SPDX-License-Identifier: MIT */
/* device.c - a device's process: see device.h. */
#include "device.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <log.h>

#include "backend.h"
#include "owner.h"
#include "store.h"

#define BACKOFF_FIRST_MS 20
#define BACKOFF_MAX_MS 5000
#define BACKOFF_SERVED_MS 160 /* the most after a process that served: a guest waits for the next */
#define GOOD_LIFE_NS 10000000000ULL /* a process that lived this long starts the back-off anew */
#define AGAIN_S 1		    /* until what could not be taken away is tried again */
#define STORE_TRIES 60		    /* each a second apart */
#define GRACE_MS 5000		    /* for a process to leave after its directory vanished */
#define EXEC_FAILED 127

struct device_kind {
	const char *type, *program;
};

static const struct device_kind kinds[] = {
	{ "vbd", "blkback" },
	{ "vif", "netback" },
	{ "console", "consback" },
	{ "vfb", "fbback" },
	{ "vkbd", "kbdback" },
};
#define NR_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void start(struct device *d);

static const struct device_kind *find_kind(const char *type)
{
	for (size_t i = 0; i < NR_KINDS; i++)
		if (!strcmp(kinds[i].type, type))
			return &kinds[i];
	return NULL;
}

const char *device_type(unsigned int i)
{
	return i < NR_KINDS ? kinds[i].type : NULL;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static void arm(struct device *d, unsigned int ms)
{
	const struct timeval tv = { ms / 1000, (suseconds_t)(ms % 1000) * 1000 };

	event_add(d->timer, &tv);
}

static bool is_vif(const struct device *d)
{
	return !strcmp(d->kind->type, "vif");
}

/* In a child of its own: a slow script must not hold up the other devices. */
static void run_offline(const struct device *d)
{
	char said[VIF_SCRIPT_SAID];

	if (fork() == 0)
		_exit(vif_script_run(&d->script, "offline", said) < 0);
}

static void run_remove(const struct disk_script *s)
{
	struct xs_handle *xs = store_open();

	for (int i = 0; !xs && i < STORE_TRIES; i++) {
		sleep(1);
		xs = store_open();
	}
	if (xs)
		disk_script_remove(s, xs);
	_exit(!xs);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *sv = arg;

	sv->clears_again = false;
	device_clear_disks(sv);
}

/* In a child of its own as well, with a connection of its own. */
static void take_away(const struct disk_script *s, void *arg)
{
	static const struct timeval later = { .tv_sec = AGAIN_S };
	struct supervisor *sv = arg;
	pid_t pid = fork();

	if (pid == 0)
		run_remove(s);
	if (pid > 0)
		return;
	log_warn("disk script %s: cannot start a process to take %s away", s->script, s->params);
	if (!sv->clears_again)
		sv->clears_again = event_base_once(sv->base, -1, EV_TIMEOUT, on_again, sv, &later) == 0;
}

void device_clear_disks(struct supervisor *sv)
{
	disk_script_left(sv->xs, take_away, sv);
}

/* What is to be known of it when its keys are gone. */
static void read_scripts(struct device *d)
{
	const struct disk_script before = d->disk;
	char name[1024];

	memset(&d->disk, 0, sizeof(d->disk));
	if (is_vif(d) && vif_script_read(&d->script, d->sv->xs, d->path) < 0)
		memset(&d->script, 0, sizeof(d->script));
	if (!strcmp(d->kind->type, "vbd") &&
	    store_read_str(d->sv->xs, d->path, "params", name, sizeof(name)) == 0 &&
	    disk_script_of(&d->disk, name, d->domid, d->devid) < 0)
		d->disk.script[0] = '\0';
	/* It went and came back as another before anybody looked. */
	if (before.script[0] && !disk_script_same(&before, &d->disk))
		take_away(&before, d->sv);
}

static void forget(struct device *d)
{
	struct device **at = &d->sv->devices;

	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	if (is_vif(d) && d->script.script[0])
		run_offline(d);
	if (d->disk.script[0])
		take_away(&d->disk, d->sv);
	journal_remove(d->journal);
	if (d->adopted_exit)
		event_free(d->adopted_exit);
	grant_end(&d->grant);
	event_free(d->timer);
	log_info("%s: gone", d->path);
	free(d);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct device *d = arg;

	if (!d->gone) {
		if (d->phase == DEVICE_WAITING)
			start(d);
	} else if (d->pid) {
		log_warnx("%s: process %d stayed after its device went: killed", d->path, d->pid);
		kill(d->pid, SIGKILL);
	}
}

/* --- the process's end -------------------------------------------------------------------- */

static bool closed_for_good(const struct device *d)
{
	uint64_t state;

	return !store_read_bool(d->sv->xs, d->path, "online", true) &&
	       store_read_num(d->sv->xs, d->path, "state", XenbusStateReconfigured, &state) == 0 &&
	       state == XenbusStateClosed;
}

/*
 * What never served fails for a reason that stays, and is tried ever more rarely. What served and
 * was killed had none of its own: the next one is waited for, however often that happens. Still
 * not at once each time: a guest that makes its process crash pays with its own device.
 */
static void restart_later(struct device *d, bool served)
{
	unsigned int max_ms = served ? BACKOFF_SERVED_MS : BACKOFF_MAX_MS;

	if (now_ns() - d->started_ns > GOOD_LIFE_NS)
		d->backoff_ms = 0;
	d->backoff_ms = d->backoff_ms ? d->backoff_ms * 2 : BACKOFF_FIRST_MS;
	if (d->backoff_ms > max_ms)
		d->backoff_ms = max_ms;
	d->phase = DEVICE_WAITING;
	arm(d, d->backoff_ms);
}

static void ended(struct device *d, const char *how, enum device_phase phase)
{
	bool served = d->pid && journal_server(d->journal) == d->pid;

	d->pid = 0;
	if (d->adopted_exit)
		event_free(d->adopted_exit);
	d->adopted_exit = NULL;
	grant_end(&d->grant);
	d->phase = phase;
	if (!d->gone && store_has(d->sv->xs, d->path) == 0)
		d->gone = true;
	if (d->gone) {
		forget(d);
	} else if (phase == DEVICE_WAITING) {
		restart_later(d, served);
		log_warnx("%s: %s %s: restarting in %u ms", d->path, d->kind->program, how,
			  d->backoff_ms);
	}
}

static void refuse(struct device *d, const char *why)
{
	store_write(d->sv->xs, XBT_NULL, d->path, "hotplug-error", "%s", why);
	store_write(d->sv->xs, XBT_NULL, d->path, "hotplug-status", "error");
	log_errorx("%s: %s", d->path, why);
}

static void no_program(struct device *d)
{
	char why[600];

	snprintf(why, sizeof(why), "cannot run %s/%s", d->sv->libdir, d->kind->program);
	refuse(d, why);
}

static void two_owners(struct device *d, const char *module)
{
	char why[256];

	snprintf(why, sizeof(why), "dom0's kernel serves such devices too: unload its driver "
		 "(rmmod %s), and see that nothing loads it", module);
	refuse(d, why);
	d->phase = DEVICE_FAILED;
}

void device_exited(struct supervisor *sv, pid_t pid, int status)
{
	struct device *d = sv->devices;
	char how[64];

	while (d && d->pid != pid)
		d = d->next;
	if (!d)
		return;
	if (WIFSIGNALED(status))
		snprintf(how, sizeof(how), "was killed by signal %d", WTERMSIG(status));
	else
		snprintf(how, sizeof(how), "ended with status %d", WEXITSTATUS(status));
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXEC_FAILED)
		no_program(d);
	if (!WIFEXITED(status))
		ended(d, how, DEVICE_WAITING);
	else if (WEXITSTATUS(status) == BACKEND_EXIT_DONE)
		ended(d, how, DEVICE_DONE);
	else if (WEXITSTATUS(status) == BACKEND_EXIT_CONFIG || WEXITSTATUS(status) == EXEC_FAILED)
		ended(d, how, DEVICE_FAILED);
	else
		ended(d, how, DEVICE_WAITING);
}

static void on_adopted_exit(evutil_socket_t fd, short what, void *arg)
{
	struct device *d = arg;

	close(fd);
	/* Its exit status went to init; the store tells whether it had finished. */
	ended(d, "ended", closed_for_good(d) ? DEVICE_DONE : DEVICE_WAITING);
}

/* --- the process's start ------------------------------------------------------------------ */

/*
 * A process of an earlier supervisor holds the journal's lock: watch that one. The pid comes from
 * the lock itself, and is asked again after the pidfd exists, so it cannot be somebody else's.
 */
static bool adopt(struct device *d)
{
	pid_t pid = journal_owner(d->journal);
	int fd, rc;

	if (pid <= 0)
		return false;
	fd = pidfd_open(pid, 0);
	if (fd < 0)
		return false;
	if (journal_owner(d->journal) != pid) {
		close(fd);
		return false;
	}
	d->adopted_exit = event_new(d->sv->base, fd, EV_READ, on_adopted_exit, d);
	if (!d->adopted_exit || event_add(d->adopted_exit, NULL) < 0) {
		close(fd);
		return false;
	}
	d->pid = pid;
	d->adopted = true;
	log_info("%s: adopted process %d", d->path, pid);
	rc = grant_adopt(&d->grant, d->sv->base, fd);
	if (rc < 0)
		log_warnx("%s: process %d cannot ask for the store: %s", d->path, pid,
			  strerror(-rc));
	return true;
}

static void exec_program(const struct device *d, int ours, int theirs)
{
	char program[512];
	sigset_t none;

	if (grant_child(ours, theirs) < 0)
		_exit(BACKEND_EXIT_RETRY);

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	/* A process group of its own: Ctrl-C on the supervisor's terminal must not stop guests. */
	setpgid(0, 0);
	snprintf(program, sizeof(program), "%s/%s", d->sv->libdir, d->kind->program);
	if (d->sv->verbose)
		execl(program, d->kind->program, "-v", d->path, (char *)NULL);
	else
		execl(program, d->kind->program, d->path, (char *)NULL);
	_exit(EXEC_FAILED);
}

static int spawn(struct device *d)
{
	int ours, theirs;
	pid_t pid;

	if (grant_pair(&ours, &theirs) < 0)
		return -1;
	pid = fork();
	if (pid == 0)
		exec_program(d, ours, theirs);
	close(theirs);
	if (pid < 0) {
		close(ours);
		return -1;
	}
	d->pid = pid;
	log_info("%s: %s is process %d", d->path, d->kind->program, pid);
	if (grant_listen(&d->grant, d->sv->base, ours) < 0)
		log_warnx("%s: process %d cannot ask for the store", d->path, pid);
	return 0;
}

static void start(struct device *d)
{
	const char *other;

	d->phase = DEVICE_RUNNING;
	d->adopted = false;
	d->started_ns = now_ns();
	read_scripts(d);
	if (adopt(d))
		return;
	other = owner_other(d->sv->sysfs, d->kind->type);
	if (other) {
		two_owners(d, other);
	} else if (spawn(d) < 0) {
		log_error("%s: cannot start a process", d->path);
		restart_later(d, false);
	}
}

/* --- what the store says ------------------------------------------------------------------ */

static struct device *find(struct supervisor *sv, const char *type, unsigned int domid,
			   unsigned int devid)
{
	struct device *d = sv->devices;

	while (d && (d->devid != devid || d->domid != domid || strcmp(d->kind->type, type) != 0))
		d = d->next;
	return d;
}

/* As the process itself reads it (backend_main.c). */
static void read_scope(struct device *d)
{
	struct store_scope *s = &d->grant.scope;
	uint64_t domid = d->domid;

	snprintf(s->type, sizeof(s->type), "%s", d->kind->type);
	snprintf(s->path, sizeof(s->path), "%s", d->path);
	store_read_str(d->sv->xs, d->path, "frontend", s->frontend, sizeof(s->frontend));
	store_read_num(d->sv->xs, d->path, "frontend-id", UINT16_MAX, &domid);
	s->domid = (uint32_t)domid;
}

static void add(struct supervisor *sv, const struct device_kind *kind, unsigned int domid,
		unsigned int devid, const char *path)
{
	struct device *d = calloc(1, sizeof(*d));

	if (!d)
		return;
	d->sv = sv;
	d->kind = kind;
	d->domid = domid;
	d->devid = devid;
	snprintf(d->path, sizeof(d->path), "%s", path);
	grant_init(&d->grant);
	read_scope(d);
	d->timer = evtimer_new(sv->base, on_timer, d);
	if (!d->timer ||
	    journal_name(d->journal, sizeof(d->journal), kind->type, domid, devid) < 0) {
		free(d);
		return;
	}
	d->next = sv->devices;
	sv->devices = d;
	start(d);
}

/* The directory is there. Was a finished device offered anew? */
static void check_present(struct device *d)
{
	uint64_t state;

	if (d->phase != DEVICE_DONE && d->phase != DEVICE_FAILED)
		return;
	if (store_read_num(d->sv->xs, d->path, "state", XenbusStateReconfigured, &state) < 0)
		return;
	/* xend wrote it again: its first state, and no result of ours in it yet. */
	if (state == XenbusStateInitialising) {
		char status[16];

		if (store_read_str(d->sv->xs, d->path, "hotplug-status", status, sizeof(status)) ==
		    -ENOENT)
			start(d);
	}
}

static void check_vanished(struct device *d)
{
	if (d->gone)
		return;
	d->gone = true;
	if (!d->pid)
		forget(d);
	else
		arm(d, GRACE_MS); /* it saw the same event and is leaving */
}

void device_check(struct supervisor *sv, const char *type, unsigned int domid, unsigned int devid)
{
	const struct device_kind *kind = find_kind(type);
	struct device *d = find(sv, type, domid, devid);
	char path[128], frontend[256];
	int rc;

	if (!kind)
		return;
	snprintf(path, sizeof(path), "/local/domain/0/backend/%s/%u/%u", type, domid, devid);
	rc = store_read_str(sv->xs, path, "frontend", frontend, sizeof(frontend));
	if (rc == 0 && !d)
		add(sv, kind, domid, devid, path);
	else if (rc == 0 && !d->gone)
		check_present(d);
	else if (rc == -ENOENT && d && store_has(sv->xs, path) == 0)
		check_vanished(d);
}

void device_note(struct supervisor *sv, const char *type, unsigned int domid, unsigned int devid)
{
	struct device *d = find(sv, type, domid, devid);

	if (d)
		d->noted = true;
	else
		device_check(sv, type, domid, devid);
}

void device_check_noted(struct supervisor *sv)
{
	struct device *next;

	for (struct device *d = sv->devices; d; d = next) {
		next = d->next;
		if (!d->noted)
			continue;
		d->noted = false;
		device_check(sv, d->kind->type, d->domid, d->devid);
	}
}

void device_check_known(struct supervisor *sv)
{
	struct device *next;

	for (struct device *d = sv->devices; d; d = next) {
		next = d->next;
		if (store_has(sv->xs, d->path) == 0)
			check_vanished(d);
	}
}
