/* SPDX-License-Identifier: MIT */
/*
 * watch_feed.c - one subscription to CONTROL feed. Changes that arrive while the state is being
 * read are kept; the state says which of them it has already.
 */
#include <errno.h>
#include <string.h>

#include "die.h"
#include "store.h"
#include "watch_feed.h"

static int on_record(void *arg, const struct xs_bulk_view *v)
{
	struct watch_feed *f = arg;

	if (v->rec.kind != XS_BULK_BEGIN && v->rec.seq > f->seq)
		f->fn(f->arg, v);
	return 0;
}

/* A reader that was never asked to parse only collects. */
static int keep_record(void *arg, const struct xs_bulk_view *v)
{
	(void)arg;
	(void)v;
	return 1;
}

static void take(struct watch_feed *f, const char *data, size_t len)
{
	/* keep_record() stops at the first: nothing is taken out */
	int bad = xs_bulk_read(&f->reader, data, len, f->waiting ? keep_record : on_record, f);

	if (bad < 0)
		cli_die(CLI_FAIL, "the daemon sends changes that cannot be read: %s",
			strerror(-bad));
}

static void on_part(void *arg, int rc, const char *data, size_t len)
{
	struct watch_feed *f = arg;

	if (rc || len == 0) {
		f->live = false;
		xs_bulk_reader_fini(&f->reader);
		if (rc != -ECANCELED)
			f->end(f->arg, rc);
		return;
	}
	take(f, data, len);
}

int watch_feed_start(struct watch_feed *f, const char *path)
{
	struct iovec iov[2] = { { (void *)"feed", 5 }, { (void *)path, strlen(path) + 1 } };
	int rc = xs_submit_stream(store(), iov, 2, on_part, f);

	f->live = rc == 0;
	f->waiting = true;
	return rc;
}

void watch_feed_go(struct watch_feed *f, uint64_t seq)
{
	f->seq = seq;
	f->waiting = false;
	take(f, "", 0);
}

void watch_feed_fini(struct watch_feed *f)
{
	xs_bulk_reader_fini(&f->reader);
}
