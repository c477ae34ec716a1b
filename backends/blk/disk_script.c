/* SPDX-License-Identifier: MIT */
/* disk_script.c - scripts that make disks: see disk_script.h. */
#include "disk_script.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <log.h>

#include "journal.h"
#include "script_name.h"
#include "store.h"

#define ROOT "/local/domain/0/"
#define DIR_LEN 80
#define LOCK_NAME 300
#define WAIT_US 100000
#define WAITS (DISK_SCRIPT_SECONDS * 1000000 / WAIT_US)

static const char *directory(char out[DIR_LEN], unsigned int domid, unsigned int devid)
{
	snprintf(out, DIR_LEN, DISK_SCRIPTS "/%u/%u", domid, devid);
	return out;
}

int disk_script_of(struct disk_script *s, const char *name, unsigned int domid, unsigned int devid)
{
	struct script_name parsed;

	memset(s, 0, sizeof(*s));
	if (!script_name_is(name))
		return -ENOENT;
	if (script_name_parse(name, &parsed) ||
	    snprintf(s->params, sizeof(s->params), "%s", parsed.what) >= (int)sizeof(s->params))
		return -EINVAL;
	script_find(parsed.script, s->script);
	s->domid = domid;
	s->devid = devid;
	return 0;
}

static int run(const struct disk_script *s, const char *action, char said[SCRIPT_SAID])
{
	char dir[DIR_LEN];
	const struct script_word env[] = {
		{ "XENBUS_PATH", directory(dir, s->domid, s->devid) + strlen(ROOT) },
		{ "XENBUS_TYPE", "vbd" },
		{ "XENBUS_BASE_PATH", "backend" },
		{ NULL, NULL },
	};
	const struct script script = { .path = s->script, .action = action, .env = env,
				       .seconds = DISK_SCRIPT_SECONDS };

	return script_run(&script, said);
}

/* --- one at a time ------------------------------------------------------------------------ */

/*
 * Held by who works for one device, while its script runs: by a process of ours, and not by the
 * script, which may leave a daemon behind. Each of them ends in time. The descriptor, or -errno.
 */
static int lock(const struct disk_script *s, char name[LOCK_NAME])
{
	struct stat held, there;
	int fd, rc = journal_dir_make();

	if (rc < 0)
		return rc;
	if (snprintf(name, LOCK_NAME, "%s/script-%u-%u", journal_dir(), s->domid, s->devid) >=
	    LOCK_NAME)
		return -ENAMETOOLONG;
	for (;;) {
		fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0)
			return -errno;
		rc = flock(fd, LOCK_EX) < 0 || fstat(fd, &held) < 0 ? -errno : 0;
		/* Who had it may have removed it. */
		if (rc == 0 && stat(name, &there) == 0 && there.st_ino == held.st_ino)
			return fd;
		close(fd);
		if (rc < 0 && rc != -EINTR)
			return rc;
	}
}

/* --- what has been made ------------------------------------------------------------------- */

/* What @dir says of a script's work. 0; -ENOENT: that is not whole, or not there; -errno. */
static int read_left(struct disk_script *s, struct xs_handle *xs, const char *dir)
{
	char mode[4] = "r";
	int rc = store_read_str(xs, dir, "script", s->script, sizeof(s->script));

	if (rc == 0)
		rc = store_read_str(xs, dir, "params", s->params, sizeof(s->params));
	if (rc == 0)
		rc = store_read_str(xs, dir, "mode", mode, sizeof(mode));
	s->readonly = mode[0] != 'w';
	return rc;
}

static const char *backend(char out[DIR_LEN], unsigned int domid, unsigned int devid)
{
	snprintf(out, DIR_LEN, ROOT "backend/vbd/%u/%u", domid, devid);
	return out;
}

static int backend_is_there(struct xs_handle *xs, unsigned int domid, unsigned int devid)
{
	char path[DIR_LEN];

	return store_has(xs, backend(path, domid, devid));
}

/* Calls @fn for each whose device is no longer there, until it says true. Whether it did. */
static bool any_left(struct xs_handle *xs, bool (*fn)(const struct disk_script *, const void *),
		     const void *arg)
{
	unsigned int nr, each;
	char **domids = xs_easy_list(xs, XBT_NULL, DISK_SCRIPTS, &nr), dir[DIR_LEN];
	struct disk_script s;
	bool found = false;

	for (unsigned int i = 0; i < nr && !found; i++) {
		char **devids;

		s.domid = (unsigned int)strtoul(domids[i], NULL, 10);
		snprintf(dir, sizeof(dir), DISK_SCRIPTS "/%u", s.domid);
		devids = xs_easy_list(xs, XBT_NULL, dir, &each);
		for (unsigned int j = 0; j < each && !found; j++) {
			s.devid = (unsigned int)strtoul(devids[j], NULL, 10);
			found = backend_is_there(xs, s.domid, s.devid) == 0 &&
				read_left(&s, xs, directory(dir, s.domid, s.devid)) == 0 &&
				fn(&s, arg);
		}
		free(devids);
	}
	free(domids);
	return found;
}

struct callee {
	void (*fn)(const struct disk_script *s, void *arg);
	void *arg;
};

static bool call(const struct disk_script *s, const void *arg)
{
	const struct callee *c = arg;

	c->fn(s, c->arg);
	return false;
}

void disk_script_left(struct xs_handle *xs, void (*fn)(const struct disk_script *s, void *arg),
		      void *arg)
{
	const struct callee callee = { fn, arg };

	any_left(xs, call, &callee);
}

/* A name may mean another file by now: the operator's wins over ours. */
static bool means(const char *path, const char *other)
{
	char found[SCRIPT_PATH];

	script_find(strrchr(path, '/') + 1, found);
	return !strcmp(found, other);
}

bool disk_script_same(const struct disk_script *a, const struct disk_script *b)
{
	return !strcmp(a->params, b->params) &&
	       (!strcmp(a->script, b->script) ||
		(a->script[0] == '/' && b->script[0] == '/' &&
		 (means(a->script, b->script) || means(b->script, a->script))));
}

static bool is_the_same(const struct disk_script *s, const void *arg)
{
	return disk_script_same(s, arg);
}

/* A guest that restarts finds its old device being taken away: a script makes a thing once. */
static void wait_for_left(const struct disk_script *s, struct xs_handle *xs)
{
	for (int i = 0; i < WAITS && any_left(xs, is_the_same, s); i++)
		usleep(WAIT_US);
}

/* --- making it ---------------------------------------------------------------------------- */

/*
 * What the script says it has made, as a path of /dev. 0; -ENOENT: it says nothing; -ENODEV: that
 * is no block device; -errno.
 */
static int made(struct xs_handle *xs, const char *dir, char *device, size_t len)
{
	char number[32], uevent[64], line[256];
	unsigned int major, minor;
	struct stat st;
	FILE *f;
	int rc = store_read_str(xs, dir, "physical-device", number, sizeof(number));

	if (rc < 0)
		return rc == -EINVAL ? -ENODEV : rc;
	if (sscanf(number, "%x:%x", &major, &minor) != 2)
		return -ENODEV;
	if (store_read_str(xs, dir, "physical-device-path", device, len) == 0 && device[0] == '/' &&
	    stat(device, &st) == 0 && S_ISBLK(st.st_mode) && st.st_rdev == makedev(major, minor))
		return 0;
	rc = -ENODEV;
	snprintf(uevent, sizeof(uevent), "/sys/dev/block/%u:%u/uevent", major, minor);
	f = fopen(uevent, "re");
	while (f && rc && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "DEVNAME=", 8) && snprintf(device, len, "/dev/%s", line + 8) < (int)len)
			rc = 0;
	}
	if (f)
		fclose(f);
	return rc;
}

/* The script's own words win, those for hotplug-error before those on standard error: @said. */
static void failed(const struct disk_script *s, struct xs_handle *xs, const char *dir, int rc,
		   const char *said, char *why, size_t why_len)
{
	char text[512];

	if (store_read_str(xs, dir, "hotplug-error", text, sizeof(text)) == 0 && text[0])
		snprintf(why, why_len, "disk script %s: %s", s->script, text);
	else if (rc == -ETIMEDOUT)
		snprintf(why, why_len, "disk script %s did not finish in %d seconds%s%s", s->script,
			 DISK_SCRIPT_SECONDS, said[0] ? ": " : "", said);
	else if (rc == -EIO)
		snprintf(why, why_len, "disk script %s failed%s%s", s->script, said[0] ? ": " : "", said);
	else if (rc == -ENODEV)
		snprintf(why, why_len, "disk script %s has made no block device%s%s", s->script,
			 said[0] ? ": " : "", said);
	else
		snprintf(why, why_len, "disk script %s: %s", s->script, strerror(-rc));
}

static int tell(const struct disk_script *s, struct xs_handle *xs, const char *dir)
{
	const struct script_word keys[] = { { "script", s->script },
					    { "params", s->params },
					    { "mode", s->readonly ? "r" : "w" },
					    { "type", "phy" } };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(keys) / sizeof(keys[0]); i++)
		rc = store_write(xs, XBT_NULL, dir, keys[i].name, "%s", keys[i].value);
	return rc;
}

/* Its script runs though it may have made nothing: it knows. */
static void take_away(const struct disk_script *s, struct xs_handle *xs, const char *dir)
{
	char said[SCRIPT_SAID];
	int rc = run(s, "remove", said);

	if (rc < 0)
		log_warnx("disk script %s cannot take %s away: %s", s->script, s->params,
			  said[0] ? said : strerror(-rc));
	xs_easy_rm(xs, XBT_NULL, dir);
}

/* What is handed from the process that works to the one that waits, in one piece. */
struct answer {
	int rc;
	char device[1024], why[1400];
};

static void make_new(const struct disk_script *s, struct xs_handle *xs, const char *dir,
		     struct answer *a, bool *undo)
{
	char said[SCRIPT_SAID] = "";

	wait_for_left(s, xs);
	a->rc = tell(s, xs, dir);
	if (a->rc < 0)
		return;
	a->rc = run(s, "add", said);
	*undo = a->rc == -EIO || a->rc == -ETIMEDOUT;
	if (a->rc < 0 && !*undo) /* it never ran */
		xs_easy_rm(xs, XBT_NULL, dir);
	if (a->rc == -EAGAIN || a->rc == -ENOMEM)
		return;
	if (a->rc == 0) {
		a->rc = made(xs, dir, a->device, sizeof(a->device));
		if (a->rc != -ENOENT && a->rc != -ENODEV)
			return;
		*undo = true;
		a->rc = -ENODEV;
	}
	failed(s, xs, dir, a->rc, said, a->why, sizeof(a->why));
	a->rc = -EINVAL;
}

/* Under the lock. @undo: the script is to take away what it has begun. */
static void find_or_make(const struct disk_script *s, struct xs_handle *xs, const char *dir,
			 struct answer *a, bool *undo)
{
	struct disk_script left = *s;
	int there;

	a->rc = read_left(&left, xs, dir);
	if (a->rc < 0 && a->rc != -ENOENT)
		return;
	if (a->rc == 0 && disk_script_same(&left, s) && left.readonly == s->readonly) {
		a->rc = made(xs, dir, a->device, sizeof(a->device));
		if (a->rc == -ENODEV) {
			snprintf(a->why, sizeof(a->why), "what disk script %s has made is gone",
				 s->script);
			a->rc = -EINVAL;
		}
		if (a->rc != -ENOENT)
			return;
		a->rc = 0; /* who ran it was killed */
	}
	/* The device that was here before this one, or what was begun. */
	if (a->rc == 0)
		take_away(&left, xs, dir);
	else
		xs_easy_rm(xs, XBT_NULL, dir);
	/* Nobody would take it away again. */
	there = backend_is_there(xs, s->domid, s->devid);
	if (there > 0)
		make_new(s, xs, dir, a, undo);
	else
		a->rc = there < 0 ? there : -ENOENT;
}

/* Removes what nobody needs any more: the lock's file, and the domain's directory. */
static void tidy(const struct disk_script *s, struct xs_handle *xs, const char *name)
{
	char domain[DIR_LEN];
	unsigned int nr;
	char **left;

	unlink(name);
	snprintf(domain, sizeof(domain), DISK_SCRIPTS "/%u", s->domid);
	left = xs_easy_list(xs, XBT_NULL, domain, &nr);
	if (left && nr == 0)
		xs_easy_rm(xs, XBT_NULL, domain);
	free(left);
}

/* In a process of its own: if the disk's is killed, this one brings to its end what it began. */
static void add_and_answer(const struct disk_script *s, int to)
{
	struct answer a;
	char dir[DIR_LEN], name[LOCK_NAME];
	struct xs_handle *xs = store_open();
	int fd = xs ? lock(s, name) : -EIO;
	bool undo = false;

	memset(&a, 0, sizeof(a));
	a.rc = fd;
	directory(dir, s->domid, s->devid);
	if (fd >= 0)
		find_or_make(s, xs, dir, &a, &undo);
	if (a.rc < 0 && a.rc != -EINVAL && a.rc != -ENOENT) {
		log_warnx("disk script %s: %s", s->script, strerror(-a.rc));
		a.rc = -EIO;
	}
	/* Whoever waits, if anybody still does, may tell the user, whatever the script has to undo. */
	signal(SIGPIPE, SIG_IGN);
	(void)!write(to, &a, sizeof(a));
	if (undo)
		take_away(s, xs, dir);
	if (fd >= 0 && a.rc < 0 && store_has(xs, dir) == 0)
		tidy(s, xs, name);
	_exit(0);
}

int disk_script_add(const struct disk_script *s, char *device, size_t len, char *why,
		    size_t why_len)
{
	struct answer a = { .rc = -EIO };
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -EIO;
	pid = fork();
	if (pid == 0)
		add_and_answer(s, ends[1]);
	close(ends[1]);
	/* It is less than a pipe takes at once. */
	if (pid < 0 || read(ends[0], &a, sizeof(a)) != sizeof(a))
		a.rc = -EIO;
	close(ends[0]);
	/* Else it may still have to undo. */
	if (pid > 0 && a.rc == 0)
		waitpid(pid, NULL, 0);
	if (a.rc == 0 && snprintf(device, len, "%s", a.device) >= (int)len)
		a.rc = -EINVAL;
	snprintf(why, why_len, "%s", a.why);
	return a.rc;
}

/* --- taking it away ----------------------------------------------------------------------- */

/* Whether a device that is there has the same: attached anew meanwhile. Also if nobody knows. */
static bool is_wanted(const struct disk_script *left, struct xs_handle *xs)
{
	struct disk_script now;
	char path[DIR_LEN], name[1024];
	int rc;

	backend(path, left->domid, left->devid);
	rc = store_read_str(xs, path, "params", name, sizeof(name));
	if (rc < 0)
		return rc != -ENOENT && rc != -EINVAL;
	return disk_script_of(&now, name, left->domid, left->devid) == 0 &&
	       disk_script_same(&now, left);
}

void disk_script_remove(const struct disk_script *s, struct xs_handle *xs)
{
	char dir[DIR_LEN], name[LOCK_NAME];
	struct disk_script left = *s;
	int fd = lock(s, name), rc;

	if (fd < 0) {
		log_warnx("disk script %s: what it made is not taken away: %s", s->script,
			  strerror(-fd));
		return;
	}
	rc = read_left(&left, xs, directory(dir, s->domid, s->devid));
	/* Another's: of the device that came after it, which took this one away. */
	if (rc == 0 && disk_script_same(&left, s) && !is_wanted(&left, xs))
		take_away(&left, xs, dir);
	if (store_has(xs, dir) == 0)
		tidy(s, xs, name);
	close(fd);
}
