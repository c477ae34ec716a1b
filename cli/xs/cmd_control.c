/* SPDX-License-Identifier: MIT */
/*
 * cmd_control.c - commands that ask the daemon itself: control, check, quota, watches, stats,
 * metrics, monitor, snapshot, restore. All are CONTROL requests; only domain 0 may.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmds.h"
#include "control_json.h"
#include "control_text.h"
#include "die.h"
#include "json_out.h"
#include "store.h"
#include "text_show.h"

#define MAX_WORDS 16
#define MONITOR_MS 100

/* Sends @n words. Returns the answer, malloc'd; ends the program when refused. */
static char *ask(int n, const char *const *words)
{
	struct iovec iov[MAX_WORDS];
	char *answer;
	int rc;

	if (n > MAX_WORDS)
		cli_die(CLI_USAGE, "more than %d words", MAX_WORDS);
	for (int i = 0; i < n; i++)
		iov[i] = (struct iovec){ (void *)words[i], strlen(words[i]) + 1 };
	rc = xs_sync(store(), XS_CONTROL, 0, iov, n, &answer, NULL);
	if (rc == -EINVAL || rc == -ENOSYS)
		cli_die(CLI_FAIL, "the daemon refuses \"%s\": not known to it, or wrong arguments "
			"(xs control help lists what it knows)", words[0]);
	if (rc)
		cli_die(cli_code(rc), "%s: %s", words[0], cli_words(rc));
	return answer;
}

static void show(const char *answer)
{
	size_t len = strlen(answer);

	/* some answers have values in them */
	text_show(stdout, answer, len);
	if (!len || answer[len - 1] != '\n')
		putchar('\n');
}

/* @first, then the user's arguments. */
static char *ask_with(struct cli_args *a, const char *first)
{
	const char *words[MAX_WORDS + 1] = { first };
	int n = 1;

	for (int i = 0; i < a->argc && n <= MAX_WORDS; i++)
		words[n++] = a->argv[i];
	return ask(n, words);
}

/* Shows what the daemon said, @json making JSON of it, and drops it. */
static void show_answer(const struct cli_args *a, char *answer, control_json_fn *json)
{
	if (a->json)
		json_print(json(answer));
	else
		show(answer);
	free(answer);
}

static int show_with(struct cli_args *a, const char *first, control_json_fn *json)
{
	show_answer(a, ask_with(a, first), json);
	return CLI_OK;
}

static int run_control(struct cli_args *a)
{
	show_answer(a, ask(a->argc, (const char *const *)a->argv), control_json_any);
	return CLI_OK;
}

static int run_check(struct cli_args *a)
{
	char *answer = ask_with(a, "check");
	bool ok = strcmp(answer, "OK") == 0;

	show_answer(a, answer, control_json_ok);
	return ok ? CLI_OK : CLI_FAIL;
}

static int run_quota(struct cli_args *a)
{
	return show_with(a, "quota", control_json_quota);
}

static int run_watches(struct cli_args *a)
{
	const char *const words[] = { "watches", a->argc ? a->argv[0] : NULL };
	char *answer;
	int rc = control_text(a->argc ? 2 : 1, words, &answer);

	if (rc)
		cli_die(cli_code(rc), "watches: %s", cli_words(rc));
	show_answer(a, answer, control_json_watches);
	return CLI_OK;
}

static int run_stats(struct cli_args *a)
{
	return show_with(a, "stat", control_json_stats);
}

static int run_metrics(struct cli_args *a)
{
	return show_with(a, "metrics", control_json_metrics);
}

static int run_snapshot(struct cli_args *a)
{
	return show_with(a, "snapshot", control_json_ok);
}

static int run_restore(struct cli_args *a)
{
	return show_with(a, "restore", control_json_ok);
}

/* ---- monitor: takes what has gathered, ten times a second ---- */

static volatile sig_atomic_t interrupted, writing;

static void on_interrupt(int sig)
{
	(void)sig;
	/* nobody may be reading: what is written would be waited for as long as that */
	if (writing)
		_exit(CLI_OK);
	interrupted = 1;
}

static void show_operations(const struct cli_args *a, char *lines)
{
	char *save = NULL;

	if (!a->json) {
		text_show(stdout, lines, strlen(lines));
		return;
	}
	for (char *line = strtok_r(lines, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		json_print_line(control_json_operation(line));
}

static int run_monitor(struct cli_args *a)
{
	static const char *const words[] = { "monitor" };
	long timeout = cli_ms(a, "timeout", -1), waited = 0;
	struct timespec pause = { 0, MONITOR_MS * 1000000L };

	signal(SIGINT, on_interrupt);
	signal(SIGTERM, on_interrupt);
	while (!interrupted && (timeout < 0 || waited < timeout)) {
		char *lines = ask(1, words);
		size_t len = strlen(lines);

		writing = 1;
		show_operations(a, lines);
		free(lines);
		if (fflush(stdout) != 0)
			break;
		writing = 0;
		/* a full answer means that there is more */
		if (len < XENSTORE_PAYLOAD_MAX / 2) {
			nanosleep(&pause, NULL);
			waited += MONITOR_MS;
		}
	}
	return CLI_OK;
}

const struct cli_cmd cmd_control = {
	.name = "control",
	.args = "WORD...",
	.help = "sends a control command to the daemon (help lists them)",
	.min_args = 1,
	.max_args = MAX_WORDS,
	.stop_at_first = true,
	.example = "xs control memreport",
	.run = run_control,
};

const struct cli_cmd cmd_check = {
	.name = "check",
	.help = "has the daemon verify all it holds; status 1 when something is wrong",
	.example = "xs check",
	.run = run_check,
};

const struct cli_cmd cmd_quota = {
	.name = "quota",
	.args = "[DOMID | set NAME VALUE | max]",
	.help = "limits of domains, of one domain with its use, or sets one",
	.max_args = 3,
	.example = "xs quota 3",
	.run = run_quota,
};

const struct cli_cmd cmd_watches = {
	.name = "watches",
	.alias = "who",
	.args = "[DOMID]",
	.help = "who watches what",
	.more = "A line a watch: domain, connection, path; feed: the changes themselves are told, as\n"
		"xs watch has it.",
	.max_args = 1,
	.example = "xs watches 3",
	.run = run_watches,
};

const struct cli_cmd cmd_stats = {
	.name = "stats",
	.help = "the daemon's counters",
	.example = "xs stats",
	.run = run_stats,
};

const struct cli_cmd cmd_metrics = {
	.name = "metrics",
	.help = "the daemon's counters as OpenMetrics text",
	.example = "xs metrics >/var/lib/prometheus/node-exporter/xenstored.prom",
	.run = run_metrics,
};

const struct cli_cmd cmd_snapshot = {
	.name = "snapshot",
	.args = "[NAME]",
	.help = "copies the persistent part beside itself while it runs",
	.max_args = 1,
	.example = "xs snapshot before.mdb",
	.run = run_snapshot,
};

const struct cli_cmd cmd_restore = {
	.name = "restore",
	.args = "[NAME]",
	.help = "makes the persistent part what a snapshot says",
	.max_args = 1,
	.example = "xs restore before.mdb",
	.run = run_restore,
};

static const struct cli_opt monitor_opts[] = {
	{ 't', "timeout", "TIME", "end after TIME" },
	{ 0 },
};

const struct cli_cmd cmd_monitor = {
	.name = "monitor",
	.help = "every operation as it happens: time, domain, operation, path, result",
	.opts = monitor_opts,
	.example = "xs monitor -t 5s",
	.run = run_monitor,
};
