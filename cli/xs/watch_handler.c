/* SPDX-License-Identifier: MIT */
/*
 * watch_handler.c - starting, counting and ending the handlers of `xs watch`.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "die.h"
#include "json_out.h"
#include "watch_handler.h"
#include "watch_session.h"

#define KILL_AFTER_MS 5000

struct handlers {
	char **argv;
	int parallel, running;
	int64_t term_ms; /* when they were told to end; 0: not told */
	char *keys[HANDLERS_MAX];
};

/* For the signal handler: who has to be told. 0: free slot. */
static volatile pid_t pids[HANDLERS_MAX];
static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	bool any = false;

	for (int i = 0; i < HANDLERS_MAX; i++)
		if (pids[i]) {
			any = true;
			kill(-pids[i], SIGTERM);
		}
	interrupted = sig;
	if (!any) {
		signal(sig, SIG_DFL);
		raise(sig);
	}
}

int handlers_interrupted(void)
{
	return interrupted;
}

struct handlers *handlers_create(char **argv, int parallel)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct handlers *h = calloc(1, sizeof(*h));

	if (!h)
		cli_die(CLI_FAIL, "out of memory");
	h->argv = argv;
	h->parallel = parallel;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		/* without SA_RESTART: who waits for a handler shall notice */
		sigaction(signals[i], &(struct sigaction){ .sa_handler = on_signal }, NULL);
	}
	return h;
}

#define ENV_VALUE_MAX 131000 /* the kernel: 32 pages a string, name and all */

static void set_env(const json_t *e)
{
	static const char *const names[][2] = {
		{ "path", "XS_PATH" }, { "value", "XS_VALUE" }, { "prev", "XS_PREV" },
		{ "type", "XS_TYPE" }, { "type", "XS_REASON" }, { "dom", "XS_DOMID" },
		{ "gen", "XS_GEN" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const json_t *v = json_object_get(e, names[i][0]);
		size_t len;
		char *text = v ? json_bytes(v, &len) : NULL;

		/* with more the command could not be started; its input has all */
		if (text && len >= ENV_VALUE_MAX)
			unsetenv(names[i][1]);
		else
			setenv(names[i][1], text ? text : "", 1);
		free(text);
	}
}

static _Noreturn void child_main(const struct handlers *h, int in, const json_t *events,
				 const sigset_t *mask)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };

	setpgid(0, 0);
	dup2(in, STDIN_FILENO);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	set_env(json_array_get(events, json_array_size(events) - 1));
	execvp(h->argv[0], h->argv);
	cli_not_run(h->argv[0]);
}

/*
 * The batch goes through a file without a name: a handler that reads late blocks nobody. In memory:
 * a disk that is full ends no automation.
 */
static FILE *batch_file(const json_t *events)
{
	int fd = memfd_create("xs-events", MFD_CLOEXEC);
	FILE *f = fd >= 0 ? fdopen(fd, "w+") : NULL;
	size_t i;
	json_t *e;

	if (!f)
		cli_die(CLI_NO_HANDLER, "no room for the events: %s", strerror(errno));
	json_array_foreach(events, i, e) {
		json_dumpf(e, f, JSON_COMPACT);
		fputc('\n', f);
	}
	/* a handler shall not work on half a batch */
	if (fflush(f) != 0 || ferror(f))
		cli_die(CLI_NO_HANDLER, "no room for the events: %s", strerror(errno));
	rewind(f);
	return f;
}

void handlers_start(struct handlers *h, const json_t *events, const char *key)
{
	FILE *f = batch_file(events);
	sigset_t all, before;
	pid_t pid;
	int slot = 0;

	while (pids[slot])
		slot++;
	fflush(stdout);
	/* a signal comes before there is a child, or when it is known */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0)
		child_main(h, fileno(f), events, &before);
	if (pid < 0)
		cli_die(CLI_NO_HANDLER, "cannot start %s: %s", h->argv[0], strerror(errno));
	setpgid(pid, pid);
	pids[slot] = pid;
	sigprocmask(SIG_SETMASK, &before, NULL);
	h->keys[slot] = key ? strdup(key) : NULL;
	h->running++;
	h->term_ms = 0;
	fclose(f);
}

bool handlers_free_for(const struct handlers *h, const char *key)
{
	if (h->running >= h->parallel)
		return false;
	for (int i = 0; key && i < HANDLERS_MAX; i++)
		if (pids[i] && h->keys[i] && strcmp(h->keys[i], key) == 0)
			return false;
	return true;
}

int handlers_running(const struct handlers *h)
{
	return h->running;
}

void handlers_signal(const struct handlers *h, int sig)
{
	(void)h;
	for (int i = 0; i < HANDLERS_MAX; i++)
		if (pids[i])
			kill(-pids[i], sig);
}

void handlers_end(struct handlers *h)
{
	if (!h->term_ms) {
		if (!interrupted) /* else they know */
			handlers_signal(h, SIGTERM);
		h->term_ms = watch_now_ms();
	} else if (watch_now_ms() - h->term_ms > KILL_AFTER_MS) {
		handlers_signal(h, SIGKILL);
	}
}

bool handlers_ending(const struct handlers *h)
{
	return h->running && h->term_ms;
}

static int slot_of(pid_t pid)
{
	int slot = 0;

	while (slot < HANDLERS_MAX && pids[slot] != pid)
		slot++;
	return slot;
}

int handlers_reap(struct handlers *h, bool wait)
{
	int status, code = 0;
	pid_t pid;

	while (h->running && (pid = waitpid(-1, &status, wait ? 0 : WNOHANG)) > 0) {
		int slot = slot_of(pid);

		if (slot == HANDLERS_MAX)
			continue;
		wait = false;
		pids[slot] = 0;
		free(h->keys[slot]);
		h->keys[slot] = NULL;
		h->running--;
		/* the ones that we ended did not fail */
		if (!h->term_ms && !code)
			code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
	if (!h->running)
		h->term_ms = 0;
	return code;
}

void handlers_free(struct handlers *h)
{
	free(h);
}
