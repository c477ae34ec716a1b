/* SPDX-License-Identifier: MIT */
/*
 * taken_device.c - a device process under the real supervisor that was taken over by its guest.
 * Gives up its rights as blkback does. Then, whenever the key `round` in its directory changes,
 * it tries everything, writes "succeeded N" to $FAKE_LOG, and answers by writing the round to
 * its `state`. Before each round it also asks for a second connection and tries with that.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include <xs.h>

#include "attempts.h"
#include "confine.h"
#include "journal.h"
#include "store.h"
#include "store_ask.h"

static struct store_source from;
static FILE *out;

static void say(const char *name, int withheld)
{
	if (!withheld)
		fprintf(out, "NOT WITHHELD: %s\n", name);
}

static void round_of(struct xs_handle *xs, bool watches, const char *which)
{
	int tried, succeeded = attempts_run(xs, &from.scope, watches, say, &tried);

	fprintf(out, "%s: %d tried, %d succeeded\n", which, tried, succeeded);
	fflush(out);
}

/* One more connection for the asking: it must be no better. */
static void second_connection(void)
{
	struct store_source again = from;
	struct xs_handle *xs = NULL;

	while (!xs) {
		xs = xs_open_with(store_source_connect, &again);
		usleep(10000);
	}
	round_of(xs, false, "second connection");
	xs_close(xs);
}

static void play(struct xs_handle *xs)
{
	char last[16] = "", now[16];

	for (;;) {
		unsigned int nr;
		char **event = xs_read_watch(xs, &nr);

		free(event);
		if (store_read_str(xs, from.scope.path, "round", now, sizeof(now)) < 0 ||
		    !strcmp(last, now))
			continue;
		strcpy(last, now);
		second_connection();
		round_of(xs, true, "own connection");
		store_write(xs, XBT_NULL, from.scope.path, "state", "%s", now);
	}
}

static void fill_scope(const char *path, unsigned int domid)
{
	struct xs_handle *xs = xs_open(0);

	strcpy(from.scope.type, "vbd");
	snprintf(from.scope.path, sizeof(from.scope.path), "%s", path);
	from.scope.domid = domid;
	if (!xs || store_read_str(xs, path, "frontend", from.scope.frontend,
				  sizeof(from.scope.frontend)) < 0)
		exit(75);
	xs_close(xs);
}

int main(int argc, char **argv)
{
	const char *path = argv[argc - 1];
	unsigned int domid, devid;
	struct journal journal;
	struct xs_handle *xs;
	char name[256];

	signal(SIGPIPE, SIG_IGN);
	from.supervised = store_ask_possible();
	if (!from.supervised ||
	    sscanf(path, "/local/domain/0/backend/vbd/%u/%u", &domid, &devid) != 2 ||
	    journal_name(name, sizeof(name), "vbd", domid, devid) < 0 ||
	    journal_open(&journal, name, 0) < 0)
		return 75;
	out = fopen(getenv("FAKE_LOG"), "a");
	fill_scope(path, domid);
	from.may_connect = true;
	xs = xs_open_with(store_source_connect, &from);
	if (!out || !xs || !xs_watch(xs, path, "own"))
		return 75;
	from.may_connect = false;
	if (confine("65534") < 0)
		return 78;
	fprintf(out, "start %u %d\n", devid, getpid());
	fflush(out);
	play(xs);
}
