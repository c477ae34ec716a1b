/* SPDX-License-Identifier: MIT */
/*
 * move_in.c - see move_in.h.
 *
 * Who is first decides: this transaction, or the one that takes arriving= away because the source
 * was told no (cli/xm/arrival.c). Both look for arriving= of the same epoch.
 */
#include "move_in.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"
#include "move_msg.h"
#include "restore_priv.h"
#include "store.h"
#include "stream_pack.h"
#include "xend.h"

#define HEAD_S 5			/* for xm to send what it has already */
#define STORE_S 60			/* that a store which was heard of just now may be silent */

int move_in_connect(struct domain *d)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	const struct timeval soon = { .tv_sec = HEAD_S };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0 || strlen(d->rec.saved) >= sizeof(at.sun_path)) {
		err = fd < 0 ? -errno : -ENAMETOOLONG;
	} else {
		memcpy(at.sun_path, d->rec.saved, strlen(d->rec.saved));
		err = connect(fd, (struct sockaddr *)&at, sizeof(at)) ? -errno : 0;
	}
	if (!err && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon)))
		err = -errno;
	if (!err)
		return fd;
	if (fd >= 0)
		close(fd);
	domain_error(d, "the other host is not there any more (%s: %s)", d->rec.saved,
		     strerror(-err));
	return err;
}

static int say(struct domain *d, enum move_type type)
{
	const char *text = type == MOVE_ACCEPT ? STREAM_PACK_WORD : "";
	int err = move_send(d->restore->fd, type, d->rec.arriving, text);

	if (err)
		domain_error(d, "the connection to the other host was lost");
	return err;
}

int move_in_accept(struct domain *d)
{
	const struct timeval ever = { 0 };

	if (setsockopt(d->restore->fd, SOL_SOCKET, SO_RCVTIMEO, &ever, sizeof(ever)))
		return -errno;
	return say(d, MOVE_ACCEPT);
}

static int take_body(struct txn *tx, void *arg)
{
	const struct domain *d = arg;
	/* An earlier try, of which the store did not say how it ended. */
	int is = txn_is(tx, path_move(d->rec.arriving), d->name);

	if (is)
		return is < 0 ? is : 0;
	is = txn_is(tx, path_config(d->name, "arriving"), d->rec.arriving);
	if (is <= 0)
		return is < 0 ? is : -ESTALE;
	txn_rm(tx, path_config(d->name, "arriving"));
	/* From here on its disks change: its memory must not go on with them a second time. */
	txn_rm(tx, path_config(d->name, "saved"));
	txn_write(tx, path_move(d->rec.arriving), d->name);
	return 0;
}

/* 0: on this host's disk it says that the domain is here. */
static int take_over(struct xend *x, struct domain *d)
{
	int err = store_transact(x->xs, take_body, d);

	if (!err)
		return 0;
	if (err == -ESTALE) {
		domain_error(d, "the other host was told meanwhile that it will not run here");
		return err;
	}
	/* An answer: nothing was written. The other host hears no, and has it still. */
	if (err == -ENOSPC) {
		domain_error(d, "the store here has no room to write down that it is here");
		return err;
	}
	if (err != d->restore->unsaid)
		log_warnx("%s: the store does not say whether it was taken over: %s", d->name,
			  strerror(-err));
	d->restore->unsaid = err;
	return -EINPROGRESS;
}

/* 1: the source hands it over. */
static int hear(struct domain *d)
{
	struct move_msg m;
	int got = move_take(d->restore->fd, &d->restore->in, 0, &m);

	if (got == 0)
		return -EINPROGRESS;
	if (got == 1 && m.type == MOVE_HANDOVER && !strcmp(m.epoch, d->rec.arriving))
		return 1;
	domain_error(d, "the other host did not hand it over%s",
		     got < 0 ? ": the connection was lost" : "");
	return got < 0 ? got : -EBADMSG;
}

int move_in_step(struct xend *x, struct domain *d)
{
	int err = 0;

	if (!d->rec.arriving[0])
		return 0;
	if (!d->restore) {
		domain_error(d, "it has arriving=, and no saved= to come from");
		return -EINVAL;
	}
	if (!d->deadline_ns) {
		err = say(d, MOVE_READY);
		d->restore->times.ready_ns = move_clock_ns();
	}
	if (!err && !d->restore->is_handed)
		err = hear(d);
	if (err < 0)
		return err;
	if (!d->restore->is_handed)
		d->restore->times.handed_ns = move_clock_ns();
	d->restore->is_handed = true;
	err = take_over(x, d);
	/* It may be this host's by now, and the only copy: it waits for the store, however long. */
	if (err == -EINPROGRESS)
		d->deadline_ns = x->now_ns + STORE_S * NS_PER_S;
	if (err)
		return err;
	/* If nobody hears it: the source asks, and this store answers. */
	move_send(d->restore->fd, MOVE_RUNS, d->rec.arriving, "");
	d->rec.arriving[0] = '\0';
	d->rec.saved[0] = '\0';
	return 0;
}

void move_in_tell_times(const struct domain *d)
{
	const struct restore *r = d->restore;

	if (r && r->is_handed)
		log_info("%s: arrived: %llu ms from the end of its memory until it could run, %llu from the "
			 "hand-over until it did", d->name, move_ms(r->times.read_ns, r->times.ready_ns),
			 move_ms(r->times.handed_ns, move_clock_ns()));
}

void move_in_late(struct xend *x, struct domain *d)
{
	domain_error(d, "the other host did not hand it over in time");
}
