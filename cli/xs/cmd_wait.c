/* SPDX-License-Identifier: MIT */
/*
 * cmd_wait.c - `xs wait`: until a node has a value, exists, or is gone.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmds.h"
#include "die.h"
#include "store.h"

struct waiting {
	char *path;
	const char *value; /* NULL: any */
	bool gone;
	bool met;
	int rc;
};

static void got(void *arg, int rc, const char *data, size_t len)
{
	struct waiting *w = arg;

	if (rc && rc != -ENOENT) {
		w->rc = rc;
		return;
	}
	if (w->gone)
		w->met = rc == -ENOENT;
	else
		w->met = rc == 0 && (!w->value || (strlen(w->value) == len &&
						   memcmp(w->value, data, len) == 0));
}

static void on_event(void *arg, const char *path)
{
	struct waiting *w = arg;

	(void)path;
	if (!w->met)
		xs_submit_str(store(), XS_READ, 0, w->path, got, w);
}

static void on_registered(void *arg, int rc, const char *data, size_t len)
{
	(void)data;
	(void)len;
	((struct waiting *)arg)->rc = rc;
}

static void parse(struct cli_args *a, struct waiting *w)
{
	char *typed = a->argv[0], *equal = strchr(typed, '=');
	size_t len = strlen(typed);

	if (equal) {
		*equal = '\0';
		w->value = equal + 1;
	} else if (len > 1 && typed[len - 1] == '!') {
		typed[len - 1] = '\0';
		w->gone = true;
	}
	w->path = store_path(typed);
}

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000L + ts.tv_nsec / 1000000;
}

static int run_wait(struct cli_args *a)
{
	long timeout = cli_ms(a, "timeout", -1), deadline = now_ms() + timeout;
	struct waiting w = { .met = false };
	int rc;

	parse(a, &w);
	xs_client_set_patience(store(), -1);
	rc = xs_client_watch(store(), w.path, 0, on_event, &w, on_registered, NULL);
	while (!rc && !w.met && !w.rc) {
		long left = timeout < 0 ? -1 : deadline - now_ms();

		if (timeout >= 0 && left <= 0)
			cli_die(CLI_TIMEOUT, "%s: not so within the time", w.path);
		rc = xs_client_run(store(), left);
	}
	if (rc || w.rc)
		store_failed(w.path, rc ? rc : w.rc);
	store_hang_up();
	free(w.path);
	return CLI_OK;
}

static const struct cli_opt opts[] = {
	{ 't', "timeout", "TIME", "give up after TIME (200ms, 5s, 2m) with status 124" },
	{ 0 },
};

const struct cli_cmd cmd_wait = {
	.name = "wait",
	.args = "PATH=VALUE | PATH! | PATH",
	.help = "waits until a node has a value, is gone (!), or exists",
	.opts = opts,
	.min_args = 1,
	.max_args = 1,
	.example = "xs wait -t 30s /status/domain/web/state=running",
	.run = run_wait,
};
