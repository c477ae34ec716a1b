/* SPDX-License-Identifier: MIT */
/* move_out.c - see move_out.h. What the target says is a stranger's: only its type counts. */
#include "move_out.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "host.h"
#include "log.h"
#include "move_msg.h"
#include "move_more.h"
#include "save_live.h"
#include "save_priv.h"
#include "save_pv.h"
#include "xend.h"

#define LOOK_MS 100
#define ANSWER_LOOKS (300 * 10)		/* a password may have to be typed before the first */
#define RUNS_LOOKS (30 * 10)
#define LAST_WORD_LOOKS 10

int move_lost(struct save *s)
{
	unsigned int looks = LAST_WORD_LOOKS;
	struct move_msg m;
	int got = 0;

	/* What could not be written any more may have been refused, and with a reason. */
	while (got >= 0 && looks--) {
		got = move_take(s->fd, &s->in, LOOK_MS, &m);
		if (got == 1 && m.type == MOVE_NO && strcmp(m.epoch, s->epoch) == 0)
			return worker_fail(&s->worker, -ECANCELED, "%s", m.text);
	}
	return worker_fail(&s->worker, -EPIPE, "the connection to the other host was lost");
}

/* Waits for @wanted, or NO. */
static int await(struct save *s, enum move_type wanted, unsigned int looks)
{
	struct move_msg m;
	int got = 0;

	while (!got && looks-- && !atomic_load(&s->worker.stop))
		got = move_take(s->fd, &s->in, LOOK_MS, &m);
	if (got == 0)
		return worker_fail(&s->worker, -ETIMEDOUT, "the other host does not answer");
	if (got == -EBADMSG || (got == 1 && strcmp(m.epoch, s->epoch)))
		return worker_fail(&s->worker, -EBADMSG,
				   "what answers there is no xm migrate-receive of ours");
	if (got < 0)
		return move_lost(s);
	if (m.type == MOVE_NO)
		return worker_fail(&s->worker, -ECANCELED, "%s", m.text);
	if (m.type == MOVE_ACCEPT)
		s->pack.is_wanted = !strcmp(m.text, STREAM_PACK_WORD);
	return m.type == wanted ? 0 : worker_fail(&s->worker, -EBADMSG, "an answer out of turn");
}

static int say(struct save *s, enum move_type type, const char *text)
{
	return move_send(s->fd, type, s->epoch, text) ? move_lost(s) : 0;
}

static int run_offer(struct worker *w)
{
	struct save *s = (struct save *)w;
	char features[HOST_FEATURES_MAX];
	struct hv_host host;
	int err = save_find_domain(s);

	if (err)
		return err;
	err = hv_host_info(s->hv, &host);
	if (err)
		return save_fail(s, err, "the hypervisor does not tell its CPU");
	host_features(&host, features);
	err = say(s, MOVE_OFFER, features);
	if (!err)
		err = save_write_head(s);
	return err ? err : await(s, MOVE_ACCEPT, ANSWER_LOOKS);
}

static int run_send(struct worker *w)
{
	struct save *s = (struct save *)w;
	uint64_t before = atomic_load(&s->nr_taken);
	int err = save_write_memory(s);

	s->times.sent_bytes = atomic_load(&s->nr_taken) - before;
	s->times.sent_ns = move_clock_ns();
	if (!err)
		err = await(s, MOVE_READY, ANSWER_LOOKS);
	s->times.ready_ns = move_clock_ns();
	return err;
}

static int run_hand_over(struct worker *w)
{
	struct save *s = (struct save *)w;
	int err = 0;

	if (!atomic_exchange(&s->is_said, true)) {
		err = say(s, MOVE_HANDOVER, "");
		s->times.handed_ns = move_clock_ns();
	}
	return err ? err : await(s, MOVE_RUNS, RUNS_LOOKS);
}

/*
 * The worker that begins now gets its turn of the CPU milliseconds later, when the loop has gone
 * on to what else the store told it; the guest would stand still for that. A socket that is
 * writable has room for a message. If the other host is gone the worker hears of that.
 */
static void say_at_once(struct save *s)
{
	struct pollfd p = { .fd = s->fd, .events = POLLOUT };

	if (poll(&p, 1, 0) != 1 || p.revents != POLLOUT || atomic_exchange(&s->is_said, true))
		return;
	/* Who waits for the answer is to hear at once that there is none. */
	if (move_send(s->fd, MOVE_HANDOVER, s->epoch, ""))
		shutdown(s->fd, SHUT_RDWR);
	s->times.handed_ns = move_clock_ns();
}

static int run_ask(struct worker *w)
{
	struct save *s = (struct save *)w;
	int err = say(s, MOVE_ASK, "");

	return err ? err : await(s, MOVE_RUNS, ANSWER_LOOKS);
}

static int begin(struct save *s, struct xend *x, int (*run)(struct worker *w))
{
	s->worker.run = run;
	s->taken_ns = x->now_ns;
	return worker_start(&s->worker, x->wake_fd);
}

int move_offer(struct save *s, struct xend *x)
{
	return begin(s, x, run_offer);
}

static int run_rounds(struct worker *w)
{
	return save_put_rounds((struct save *)w);
}

int move_send_rounds(struct save *s, struct xend *x, uint64_t max_stop_ms, uint64_t max_kib_s)
{
	s->live.max_stop_ms = max_stop_ms;
	s->live.max_kib_s = max_kib_s;
	return begin(s, x, run_rounds);
}

int move_send_memory(struct save *s, struct xend *x)
{
	return begin(s, x, run_send);
}

int move_hand_over(struct save *s, struct xend *x)
{
	/* First the worker: who cannot wait for the answer must not have said anything. */
	int err = begin(s, x, run_hand_over);

	if (!err)
		say_at_once(s);
	return err;
}

int move_ask(struct save *s, struct xend *x)
{
	return begin(s, x, run_ask);
}

void move_tell_times(const struct save *s, uint64_t began_ns)
{
	const struct move_out_times *t = &s->times;
	uint64_t now = move_clock_ns();

	log_info("%s: stood still for %llu ms: %llu for its memory, %llu until it was ready there, %llu to "
		 "write that down, %llu until it ran there", s->head.name, move_ms(began_ns, now),
		 move_ms(began_ns, t->sent_ns), move_ms(t->sent_ns, t->ready_ns),
		 move_ms(t->ready_ns, t->handed_ns), move_ms(t->handed_ns, now));
	log_info("%s: the last round was of %llu KiB", s->head.name,
		 (unsigned long long)t->sent_bytes / 1024);
	if (s->pack.in)
		log_info("%s: %llu KiB of its memory went packed, as %llu", s->head.name,
			 (unsigned long long)s->pack.in / 1024, (unsigned long long)s->pack.out / 1024);
}

void move_done(struct save *s)
{
	/*
	 * Who does not hear it keeps a line in its store too long; xend waits for nobody who takes
	 * nothing.
	 */
	fcntl(s->fd, F_SETFL, O_NONBLOCK);
	move_send(s->fd, MOVE_DONE, s->epoch, "");
}

int move_open(struct xend *x, const struct domain *d, const char *channel, const char *epoch,
	      struct save **out, char *why)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct save *s;
	int err = save_alloc(x, d, &s, why);

	if (err)
		return err;
	s->is_channel = true;
	move_more_read(x, s);
	snprintf(s->epoch, sizeof(s->epoch), "%s", epoch);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", channel);
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || connect(s->fd, (struct sockaddr *)&at, sizeof(at))) {
		err = -errno;
		snprintf(why, WORKER_WHY, "the channel %.108s cannot be reached: %s", channel,
			 strerror(-err));
		save_release(s);
		return err;
	}
	*out = s;
	return 0;
}
