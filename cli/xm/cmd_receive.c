/* SPDX-License-Identifier: MIT */
/*
 * cmd_receive.c - xm migrate-receive: the other end of xm migrate. A record is made, xend starts it
 * from a channel, and bytes go between that channel and the standard streams until the domain is
 * this host's, or is known never to be.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "arrival.h"
#include "channel.h"
#include "commands.h"
#include "domain_name.h"
#include "domains.h"
#include "move_msg.h"
#include "write_whole.h"

#define SECOND_NS INT64_C(1000000000)
#define PICKUP_NS (30 * SECOND_NS)	/* for xend to connect */
#define WORDS_NS (10 * SECOND_NS)	/* for it to say what went wrong */
#define DONE_NS (60 * SECOND_NS)
#define LOOK_MS 1000
#define COPY 65536

struct receiving {
	struct xm *xm;
	struct xs_handle *xs;
	struct saved_head head;
	struct channel channel;
	char epoch[MOVE_EPOCH_MAX + 1];
	int in, out, conn;		/* the streams; xend. -1: none, or not any more */
	struct move_in from_xend;
	bool runs, is_over;
	int64_t deadline_ns;		/* while there is no xend */
};

static int answer(struct receiving *r, enum move_type type, const char *text)
{
	return move_send(r->out, type, r->epoch, text) ? 1 : type == MOVE_NO;
}

/* The next message of the source; false: there is none until @deadline_ns. */
static bool next_message(int in, int64_t deadline_ns, struct move_msg *m)
{
	struct move_in from = { .have = 0 };
	int got = 0;

	while (got == 0 && store_now() < deadline_ns)
		got = move_take(in, &from, LOOK_MS, m);
	return got == 1;
}

/* Its domain is this host's: until the source has forgotten it, so must be known here. */
static int wait_done(struct receiving *r)
{
	struct move_msg m;

	if (next_message(r->in, store_deadline(DONE_NS), &m) && m.type == MOVE_DONE &&
	    !strcmp(m.epoch, r->epoch))
		arrival_forget(r->xs, r->epoch);
	return 0;
}

/* Says what the store says for good. @why: words for a no. */
static int settle(struct receiving *r, const char *why)
{
	bool runs;

	/* Without an answer the source will ask. */
	if (arrival_end(r->xs, r->epoch, &runs))
		return 1;
	if (!runs)
		return answer(r, MOVE_NO, why);
	return answer(r, MOVE_RUNS, "") ? 1 : wait_done(r);
}

/* --- while it comes --- */

static void take_xend(struct receiving *r)
{
	r->conn = accept4(r->channel.fd, NULL, NULL, SOCK_CLOEXEC);
	if (r->conn < 0)
		return;
	channel_close(&r->channel);
	r->is_over = saved_head_write(r->conn, &r->head) != 0;
}

static void copy_source(struct receiving *r)
{
	static char buf[COPY];
	ssize_t n = read(r->in, buf, sizeof(buf));

	if (n < 0 && errno == EINTR)
		return;
	if (n > 0 && write_whole(r->conn, buf, (size_t)n) == 0)
		return;
	/* The source is gone, or xend is: each hears of it by the end of its stream. */
	shutdown(r->conn, SHUT_WR);
	r->in = -1;
}

static void copy_xend(struct receiving *r)
{
	struct move_msg m;
	int got = move_take(r->conn, &r->from_xend, 0, &m);

	if (got == 1) {
		r->runs = m.type == MOVE_RUNS;
		got = move_send(r->out, m.type, m.epoch, m.text);
	}
	r->is_over = r->runs || got < 0;
}

static bool is_failed(struct receiving *r)
{
	struct domain dom;

	domain_read(r->xs, r->head.name, &dom);
	return !dom.has_record || dom.state == DOM_FAILED;
}

static void turn(struct receiving *r)
{
	struct pollfd p[] = {
		{ .fd = xs_fileno(r->xs), .events = POLLIN },
		{ .fd = r->conn < 0 ? r->channel.fd : r->conn, .events = POLLIN },
		{ .fd = r->conn < 0 ? -1 : r->in, .events = POLLIN },
	};
	int n = poll(p, 3, LOOK_MS), woken = 0;

	if (n > 0 && p[0].revents)
		woken = store_wait(r->xs, -1, store_now());
	/* Without a store nobody takes it; what became of it, a later question tells. */
	if (woken < 0 || ((woken > 0 || n == 0) && is_failed(r)))
		r->is_over = true;
	if (n > 0 && p[1].revents && r->conn < 0)
		take_xend(r);
	else if (n > 0 && p[1].revents)
		copy_xend(r);
	if (n > 0 && p[2].revents && !r->is_over)
		copy_source(r);
	if (r->conn < 0 && store_now() > r->deadline_ns)
		r->is_over = true;
}

/* Why xend did not take it, in its words. */
static void read_why(struct receiving *r, char why[ARRIVAL_WHY])
{
	int64_t deadline = store_deadline(WORDS_NS);
	char *error;

	while (!is_failed(r) && store_wait(r->xs, -1, deadline) > 0)
		;
	error = store_read(r->xs, XBT_NULL, "/status/domain/%s/error", r->head.name);
	snprintf(why, ARRIVAL_WHY, "%.390s", error ? error :
		 r->conn < 0 ? "xend does not answer there" : "xend there has ended");
	free(error);
}

static int relay(struct receiving *r)
{
	char why[ARRIVAL_WHY];

	/* Not what else is told there: each step of xend's would wake it while the guest stands still. */
	store_watch(r->xs, "arrival", "/status/domain/%s/state", r->head.name);
	r->deadline_ns = store_deadline(PICKUP_NS);
	while (!r->is_over)
		turn(r);
	if (r->runs)
		return wait_done(r);
	channel_close(&r->channel);
	read_why(r, why);
	return settle(r, why);
}

static int receive(struct receiving *r, const char *features)
{
	char why[ARRIVAL_WHY] = "the head of what comes makes no sense";
	int ret = saved_head_take(r->in, &r->head);

	if (!ret && domain_name_problem(r->head.name))
		ret = -EINVAL;
	if (!ret)
		ret = arrival_check(r->xs, &r->head, features, why);
	if (!ret && channel_open(r->xm, &r->channel))
		ret = -EIO;
	if (!ret)
		ret = arrival_begin(r->xs, &r->head, r->epoch, r->channel.path, why);
	ret = ret ? answer(r, MOVE_NO, why) : relay(r);
	channel_close(&r->channel);
	saved_head_free(&r->head);
	if (r->conn >= 0)
		close(r->conn);
	return ret;
}

static int run_receive(struct cli_args *args)
{
	struct xm *xm = args->with;
	struct receiving r = { .xm = xm, .xs = xm_store(xm), .in = fileno(xm->in),
			       .out = fileno(xm->out), .conn = -1, .channel = { .fd = -1 } };
	struct move_msg m;

	if (!r.xs)
		return 1;
	signal(SIGPIPE, SIG_IGN);
	if (!next_message(r.in, STORE_FOREVER, &m) || !move_epoch_ok(m.epoch))
		return xm_fail(xm, "what comes is not of '%s migrate'", xm->prog);
	memcpy(r.epoch, m.epoch, sizeof(r.epoch));
	if (m.type == MOVE_ASK)
		return settle(&r, "it never arrived");
	if (m.type == MOVE_OFFER)
		return receive(&r, m.text);
	return xm_fail(xm, "a message out of turn");
}

const struct cli_cmd cmd_receive = {
	.name = "migrate-receive",
	.help = "Take a domain from another host: 'migrate' there runs this",
	.more = "It comes by standard input; answers go to standard output. Run by ssh, not by "
		  "hand.\n"
		  "A host that may run it is as good as root on this one: the record that comes names "
		  "scripts\n"
		  "(vif script=), disks and kernels of this host's dom0.",
	.says = CLI_SAYS_NO_JSON,
	.min_args = 0,
	.max_args = 0,
	.example = "xm migrate web otherhost    # there: xm migrate-receive",
	.run = run_receive,
};
