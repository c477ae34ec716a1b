/* SPDX-License-Identifier: MIT */
/*
 * cmd_automate.c - `xs automate`: runs every automation of a directory, each as a `xs watch
 * --config` process of its own; starts again those that fail, follows files that come, change and
 * go. What systemd does with xs-watch@.service, for a machine without it.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmds.h"
#include "die.h"
#include "notify.h"
#include "watch_conf.h"
#include "watch_session.h"

#define LOOK_MS 250
#define GONE_MS 1000 /* an editor may put a file away before it writes the new one */
#define BACKOFF_FIRST_MS 1000
#define BACKOFF_LAST_MS 60000
#define STOP_MS 10000
#define STEADY_MS 60000 /* who ran that long begins with the first pause again */

struct job {
	struct job *next;
	pid_t pid; /* 0: not running */
	struct timespec mtime;
	bool met;  /* by the scan that runs */
	int64_t unmet_ms; /* since when it is not there; 0: it is */
	bool wrong; /* its file is: not tried before that changes */
	bool over; /* ended with status 0: its work is done */
	int64_t started_ms, again_ms, backoff_ms;
	char file[];
};

static volatile sig_atomic_t stopping;

static void on_stop(int sig)
{
	stopping = sig;
}

/* ---- processes ---- */

/* It runs with the file as it was: nothing of that is cut short. */
static void job_reload(struct job *j)
{
	if (!watch_conf_is_right(j->file)) {
		cli_warn("%s: goes on as it was", j->file);
	} else if (kill(j->pid, SIGUSR1) == 0) {
		cli_warn("%s: has changed: it is read anew when no handler runs", j->file);
	}
}

static void job_start(struct job *j)
{
	sigset_t both, before, with_usr1;

	/* our handler must not take a signal that is for the child */
	sigemptyset(&both);
	sigaddset(&both, SIGTERM);
	sigaddset(&both, SIGINT);
	sigprocmask(SIG_BLOCK, &both, &before);
	j->started_ms = watch_now_ms();
	j->pid = fork();
	if (j->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		signal(SIGTERM, SIG_DFL);
		signal(SIGINT, SIG_DFL);
		/* who is told to read its file anew must hear it */
		with_usr1 = before;
		sigaddset(&with_usr1, SIGUSR1);
		sigprocmask(SIG_SETMASK, &with_usr1, NULL);
		execl("/proc/self/exe", "xs", "watch", "--config", j->file, (char *)NULL);
		cli_die(CLI_NO_HANDLER, "cannot start xs again: %s", strerror(errno));
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (j->pid > 0)
		return;
	cli_warn("%s: cannot start: %s", j->file, strerror(errno));
	j->pid = 0;
	j->again_ms = j->started_ms + BACKOFF_LAST_MS;
}

static void job_stop(struct job *j)
{
	int64_t deadline_ms = watch_now_ms() + STOP_MS;

	if (!j->pid)
		return;
	kill(j->pid, SIGTERM);
	while (waitpid(j->pid, NULL, WNOHANG) == 0) {
		if (watch_now_ms() > deadline_ms)
			kill(j->pid, SIGKILL);
		usleep(10000);
	}
	j->pid = 0;
}

static void job_ended(struct job *j, int status)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	int64_t now = watch_now_ms();

	j->pid = 0;
	j->over = code == CLI_OK;
	j->wrong = code == CLI_USAGE;
	if (j->wrong)
		cli_warn("%s: is wrong; it is tried again when it changes", j->file);
	if (j->over || j->wrong)
		return;
	if (now - j->started_ms > STEADY_MS)
		j->backoff_ms = BACKOFF_FIRST_MS;
	cli_warn("%s: ended with status %d, starting again in %lld s", j->file, code,
		 (long long)j->backoff_ms / 1000);
	j->again_ms = now + j->backoff_ms;
	j->backoff_ms = j->backoff_ms * 2 > BACKOFF_LAST_MS ? BACKOFF_LAST_MS : j->backoff_ms * 2;
}

static void reap(struct job *jobs)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (struct job *j = jobs; j; j = j->next)
			if (j->pid == pid)
				job_ended(j, status);
}

/* ---- the directory ---- */

static struct job *job_of(struct job **jobs, const char *file)
{
	size_t len = strlen(file) + 1;
	struct job *j = *jobs;

	while (j && strcmp(j->file, file) != 0)
		j = j->next;
	if (j)
		return j;
	j = calloc(1, sizeof(*j) + len);
	if (!j)
		cli_die(CLI_FAIL, "out of memory");
	memcpy(j->file, file, len);
	j->backoff_ms = BACKOFF_FIRST_MS;
	j->next = *jobs;
	*jobs = j;
	return j;
}

static void look_at(struct job **jobs, const char *file)
{
	struct stat st;
	struct job *j;

	if (stat(file, &st) != 0 || !S_ISREG(st.st_mode))
		return;
	j = job_of(jobs, file);
	j->met = true;
	j->unmet_ms = 0;
	if (j->mtime.tv_sec == st.st_mtim.tv_sec && j->mtime.tv_nsec == st.st_mtim.tv_nsec)
		return;
	j->mtime = st.st_mtim;
	if (j->pid)
		job_reload(j);
	j->over = j->wrong = false;
	j->again_ms = 0;
	j->backoff_ms = BACKOFF_FIRST_MS;
}

static bool is_gone(struct job *j)
{
	if (j->met) {
		j->met = false;
		return false;
	}
	if (!j->unmet_ms)
		j->unmet_ms = watch_now_ms();
	return watch_now_ms() - j->unmet_ms >= GONE_MS;
}

static void drop(struct job **jobs, bool all)
{
	while (*jobs) {
		struct job *j = *jobs;

		if (!is_gone(j) && !all) {
			jobs = &j->next;
			continue;
		}
		*jobs = j->next;
		job_stop(j);
		free(j);
	}
}

/* 0; -errno: not all of it could be read. */
static int look_at_all(struct job **jobs, const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int rc;

	if (!d)
		return -errno;
	while (errno = 0, e = readdir(d)) {
		size_t len = strlen(e->d_name);
		char *file;

		if (len < 6 || e->d_name[0] == '.' || strcmp(e->d_name + len - 5, ".conf") != 0)
			continue;
		if (asprintf(&file, "%s/%s", dir, e->d_name) < 0)
			cli_die(CLI_FAIL, "out of memory");
		look_at(jobs, file);
		free(file);
	}
	rc = -errno;
	closedir(d);
	return rc;
}

/* Of a directory that cannot be read nothing is known: what runs goes on. */
static void scan(struct job **jobs, const char *dir, bool first)
{
	static int rc_said; /* once for each cause; one thread */
	int rc = look_at_all(jobs, dir);

	if (rc && first)
		cli_die(CLI_USAGE, "%s: %s", dir, strerror(-rc));
	if (rc && rc != rc_said)
		cli_warn("%s: %s: what runs goes on", dir, strerror(-rc));
	rc_said = rc;
	if (!rc)
		drop(jobs, false);
	for (struct job *j = *jobs; j; j = j->next)
		if (!j->pid && !j->over && !j->wrong && !j->unmet_ms && watch_now_ms() >= j->again_ms)
			job_start(j);
}

static int run_automate(struct cli_args *a)
{
	const char *dir = a->argc ? a->argv[0] : WATCH_DIR;
	struct job *jobs = NULL;

	signal(SIGTERM, on_stop);
	signal(SIGINT, on_stop);
	scan(&jobs, dir, true);
	notify_service("READY=1");
	while (!stopping) {
		usleep(LOOK_MS * 1000);
		reap(jobs);
		scan(&jobs, dir, false);
		notify_service("WATCHDOG=1");
	}
	/* all at once: each may take its handler's time */
	for (struct job *j = jobs; j; j = j->next)
		if (j->pid)
			kill(j->pid, SIGTERM);
	drop(&jobs, true);
	return CLI_OK;
}

const struct cli_cmd cmd_automate = {
	.name = "automate",
	.args = "[DIRECTORY]",
	.help = "runs all automations of a directory (" WATCH_DIR ")",
	.more =
		"Each NAME.conf is run as `xs watch --config NAME.conf`; one that fails is\n"
		"started again after a pause, one whose file is wrong when that changes. Files may\n"
		"come, change and go meanwhile; a change ends no handler and loses no event. With\n"
		"systemd, the unit xs-watch@NAME.service runs one of them.",
	.example = "xs automate\n"
		   "xs automate ./watch.d",
	.max_args = 1,
	.says = CLI_SAYS_NOTHING,
	.run = run_automate,
};
