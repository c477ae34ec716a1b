/* SPDX-License-Identifier: MIT */
/*
 * cmd_doctor.c - xm doctor: is everything there that a domain needs, and if not, what to do. What
 * is looked at is in doctor_host.c and doctor_domains.c; this has the store, xend and the lines.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "doctor.h"
#include "notify.h"
#include "request.h"
#include "store.h"
#include "text.h"

const char *doctor_root = "";

const char *doctor_at(char out[DOCTOR_PATH], const char *fmt, ...)
{
	size_t n = (size_t)snprintf(out, DOCTOR_PATH, "%.512s", doctor_root);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(out + n, DOCTOR_PATH - n, fmt, ap);
	va_end(ap);
	return out;
}

/* Words of devices' processes are among them: no byte of theirs reaches a terminal raw. */
static void say(struct doctor *d, const char *word, const char *fmt, va_list ap)
{
	char line[4096], *text;

	vsnprintf(line, sizeof(line), fmt, ap);
	text = text_escape(line, strlen(line));
	fprintf(d->xm->out, "%s%s\n", word, text);
	free(text);
}

void doctor_found(struct doctor *d, bool ok, const char *fmt, ...)
{
	va_list ap;

	d->nr_bad += !ok;
	va_start(ap, fmt);
	say(d, ok ? "ok   " : "BAD  ", fmt, ap);
	va_end(ap);
}

void doctor_noted(struct doctor *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(d, "NOTE ", fmt, ap);
	va_end(ap);
}

static void check_dom0(struct doctor *d)
{
	char text[64] = "", path[DOCTOR_PATH];
	FILE *f = fopen(doctor_at(path, "/proc/xen/capabilities"), "re");

	if (f) {
		text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
		fclose(f);
	}
	if (strstr(text, "control_d"))
		doctor_found(d, true, "this is Domain-0 of a hypervisor");
	else
		doctor_found(d, false,
		      "this is not Domain-0 (no control_d in /proc/xen/capabilities): boot the "
		      "hypervisor, and mount xenfs on /proc/xen");
}

static bool check_store(struct doctor *d)
{
	int64_t start = store_now();
	/* Refused is answered, too. */
	bool ok = xm_store(d->xm) && store_has(d->xm->xs, XBT_NULL, "/") != -EIO;

	if (ok)
		doctor_found(d, true, "the store answers (%.1f ms)", (double)(store_now() - start) / 1e6);
	else
		doctor_found(d, false, "the store does not answer: start xenstored");
	return ok;
}

static void check_xend(struct doctor *d)
{
	struct request req = { .op = "refresh", .timeout_ns = INT64_C(5000000000) };
	int64_t start = store_now();
	int ret = request_run(d->xm->xs, &req);

	request_close(d->xm->xs, &req);
	if (!ret)
		doctor_found(d, true, "xend answers (%.1f ms)", (double)(store_now() - start) / 1e6);
	else if (ret == -ETIMEDOUT)
		doctor_found(d, false, "xend does not answer: start it, or see %s",
			     notify_log_of("xend"));
	else
		doctor_found(d, false, "xend cannot be asked: %s", strerror(-ret));
}

static int run_doctor(struct cli_args *args)
{
	struct xm *xm = args->with;
	struct doctor d = { .xm = xm };

	check_dom0(&d);
	if (check_store(&d)) {
		check_xend(&d);
		doctor_host(&d);
		doctor_domains(&d);
	}
	return d.nr_bad ? 1 : 0;
}

const struct cli_cmd cmd_doctor = {
	.name = "doctor",
	.help = "Look for what would keep domains from running",
	.more = "Prints a line for each thing looked at; BAD ones name the cure. Changes "
		  "nothing. The exit\n"
		  "status is 1 when there is a BAD one. NOTE: domains run, and there is something to "
		  "know.",
	.says = CLI_SAYS_NO_JSON,
	.example = "xm doctor",
	.run = run_doctor,
};
