/* SPDX-License-Identifier: MIT */
/*
 * taken_blkback.c - takes blkback's place on a whole machine (tests/boot/deviceproc.sh): becomes
 * what blkback becomes, by the same code, with the same guest's device; then tries everything,
 * says how it went in backendd's log, and leaves the device to its successor.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

#include <log.h>

#include "attempts.h"
#include "backend_main.h"

static int prepare(struct backend *be)
{
	be->dev = be;
	return 0;
}

static int offer(struct backend *be, xs_transaction_t t)
{
	return 0;
}

static void say(const char *name, int withheld)
{
	if (!withheld)
		log_errorx("taken: NOT WITHHELD: %s", name);
}

/* Some port of another domain than the device's: the kernel refuses before it asks anybody. */
static bool binds_other_domain(struct backend *be)
{
	for (uint32_t port = 1; port < 16; port++)
		if (xenevtchn_bind_interdomain(be->evt, be->domid + 1, port) >= 0 ||
		    errno != EACCES)
			return true;
	return false;
}

static int connect_once(struct backend *be)
{
	struct store_scope scope = { .type = "vbd", .domid = be->domid };
	int tried, got;

	snprintf(scope.path, sizeof(scope.path), "%s", be->path);
	snprintf(scope.frontend, sizeof(scope.frontend), "%s", be->frontend);
	got = attempts_run(be->xs, &scope, true, say, &tried);
	if (binds_other_domain(be)) {
		say("bind another domain's event channel", false);
		got++;
	}
	log_info("taken: %d tried, %d succeeded", tried + 1, got);
	return -EAGAIN;
}

static void disconnect(struct backend *be)
{
}

static int work(struct backend *be, unsigned int queue)
{
	return 0;
}

static const struct backend_ops ops = {
	.name = "blkback",
	.type = "vbd",
	.journal_extra = JOURNAL_QUEUES * sizeof(struct bring_table), /* the successor goes on from the same file */
	.has_frontend = true,
	.prepare = prepare,
	.offer = offer,
	.connect = connect_once,
	.disconnect = disconnect,
	.work = work,
};

int main(int argc, char **argv)
{
	return backend_main(argc, argv, &ops);
}
