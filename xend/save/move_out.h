/* SPDX-License-Identifier: MIT */
/*
 * move_out.h - a domain on its way to another host: what the source says and sends, by a channel
 * that xm opened (move_msg.h). Each step is begun here and done by a worker; save_pv.h's
 * save_result() tells how it ended, save_release() closes the channel.
 */
#ifndef XEND_MOVE_OUT_H
#define XEND_MOVE_OUT_H

#include <stdint.h>

struct xend;
struct domain;
struct save;

/*
 * Connects to the unix socket @channel, for domain @d under @epoch. 0 or -errno with @why
 * (WORKER_WHY bytes).
 */
int move_open(struct xend *x, const struct domain *d, const char *channel, const char *epoch,
	      struct save **out, char *why);

/* Of the steps, each: 0; -EAGAIN: no thread, and @s is released. */

/* Says whose memory will come; ends when the target has made room, or refused with its reason. */
int move_offer(struct save *s, struct xend *x);
/*
 * Sends the running domain's memory until it would stop for at most @max_stop_ms, or no more can be
 * gained; @max_kib_s: no faster, 0: as fast as it goes.
 */
int move_send_rounds(struct save *s, struct xend *x, uint64_t max_stop_ms, uint64_t max_kib_s);
/* Sends the suspended domain, or what the rounds left; ends when the target could let it run. */
int move_send_memory(struct save *s, struct xend *x);
/*
 * After it was written down that it shall not run here: hands it over. 0: it runs there;
 * -ECANCELED: it never will; else it is not known.
 */
int move_hand_over(struct save *s, struct xend *x);
/* What came of @epoch, of which this host does not know. Ends as move_hand_over(). */
int move_ask(struct save *s, struct xend *x);

/* To the log: for what it stood still since @began_ns, in which it was found to be suspended. */
void move_tell_times(const struct save *s, uint64_t began_ns);

/* The domain is forgotten here: the target may forget the epoch. Does not wait. */
void move_done(struct save *s);

#endif
