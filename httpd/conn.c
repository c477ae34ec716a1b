/* SPDX-License-Identifier: MIT */
/* conn.c - see conn.h. What is answered is in answer.c. */
#include "conn.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "access.h"
#include "conn_priv.h"
#include "events.h"
#include "httpd.h"
#include "log.h"
#include "routes.h"

/* Seconds: for a request from its first byte to its last, and for the pause before it; for an
 * answer to be taken whole; for a peer to hang up who was told to. */
#define REQUEST_S 30
#define ANSWER_S 120
#define LINGER_S 2
/* For any of a stream to be taken. */
#define STREAM_S 60

static void set_deadline(struct conn *c, int seconds)
{
	const struct timeval tv = { seconds, 0 };

	evtimer_add(c->deadline, &tv);
}

void conn_destroy(struct conn *c)
{
	if (c->stream)
		stream_destroy(c->stream);
	*c->prev = c->next;
	if (c->next)
		c->next->prev = c->prev;
	c->srv->nr_conns--;
	if (c->srv->listener)
		evconnlistener_enable(c->srv->listener);
	event_free(c->deadline);
	bufferevent_free(c->bev);
	free(c->text);
	free(c->body);
	free(c);
}

/* ---- whose places there are ---- */

/* The one that came first of those that were not let in; NULL: all were. */
static struct conn *oldest_stranger(const struct httpd *srv)
{
	struct conn *oldest = NULL;

	for (struct conn *c = srv->conns; c; c = c->next)
		if (!c->known)
			oldest = c;
	return oldest;
}

/* Who comes when all places are of those who were let in waits in the kernel. */
static void close_door_if_full(struct httpd *srv)
{
	if (srv->nr_conns >= srv->max_conns && !oldest_stranger(srv))
		evconnlistener_disable(srv->listener);
}

/* Else whoever can connect would keep everybody out, by saying nothing. */
static void make_room(struct httpd *srv)
{
	struct conn *stranger = srv->nr_conns >= srv->max_conns ? oldest_stranger(srv) : NULL;

	if (stranger)
		conn_destroy(stranger);
}

void conn_let_in(struct conn *c)
{
	if (c->known)
		return;
	c->known = true;
	close_door_if_full(c->srv);
}

/* ---- one request ---- */

/* A head that is broken leaves nobody knowing where the next one begins. */
static void refuse(struct conn *c, const struct head_fault *f)
{
	c->head.keep_alive = false;
	conn_error(c, f->status, "the request's head", f->cure, "%s", f->why);
}

static void forget_request(struct conn *c)
{
	free(c->text);
	free(c->body);
	c->text = c->body = NULL;
	c->body_got = 0;
	c->head = (struct head){ 0 };
	c->route = NULL;
}

static void go(struct conn *c)
{
	set_deadline(c, ANSWER_S);
	c->state = CONN_ANSWER;
	routes_run(c->route, c);
}

/* Who may not, and what is not there, is told before the body is taken. */
static void begin_request(struct conn *c)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);

	c->state = CONN_BODY;
	if (!access_check(c))
		return;
	c->route = routes_find(c);
	if (!c->route)
		return;
	c->body = calloc(1, c->head.body_len + 1);
	if (!c->body) {
		conn_error(c, 503, NULL, "send less", "there is no memory for it");
		return;
	}
	if (c->head.expect)
		evbuffer_add_printf(out, "HTTP/1.1 100 Continue\r\n\r\n");
	if (!c->head.body_len)
		go(c);
}

/* Returns whether there was a whole head. */
static bool take_head(struct conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
	struct head_fault fault = { 431, "the head is too large", "send less than 16 KiB" };
	size_t len = (size_t)end.pos + 4;

	if (end.pos < 0 && evbuffer_get_length(in) < HEAD_BYTES_MAX)
		return false;
	if (end.pos < 0 || len > HEAD_BYTES_MAX) {
		refuse(c, &fault);
		return true;
	}
	c->text = calloc(1, len + 1);
	if (!c->text || evbuffer_remove(in, c->text, len) != (int)len) {
		fault = (struct head_fault){ 503, "there is no memory for it", NULL };
		refuse(c, &fault);
	} else if (!head_read(c->text, len, c->srv->body_max, &c->head, &fault)) {
		refuse(c, &fault);
	} else {
		begin_request(c);
	}
	return true;
}

static void take_body(struct conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	int got = evbuffer_remove(in, c->body + c->body_got, c->head.body_len - c->body_got);

	if (got > 0)
		c->body_got += (size_t)got;
	if (c->body_got == c->head.body_len)
		go(c);
}

static void take(struct conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);

	if (c->state == CONN_HEAD && evbuffer_get_length(in))
		take_head(c);
	if (c->state == CONN_BODY)
		take_body(c);
	if (c->state == CONN_STREAM || c->state == CONN_LINGER)
		evbuffer_drain(in, evbuffer_get_length(in));
}

/* ---- behind the answer ---- */

/* Closing at once would take the answer away from a peer that is still sending. */
static void linger(struct conn *c)
{
	c->state = CONN_LINGER;
	shutdown(bufferevent_getfd(c->bev), SHUT_WR);
	set_deadline(c, LINGER_S);
	take(c);
}

static void answered(struct conn *c)
{
	bool keep = c->head.keep_alive && !c->at_end && c->body_got == c->head.body_len;

	forget_request(c);
	if (c->at_end) {
		conn_destroy(c);
	} else if (!keep) {
		linger(c);
	} else {
		c->state = CONN_HEAD;
		set_deadline(c, REQUEST_S);
		take(c);
	}
}

void conn_answering(struct conn *c)
{
	c->state = CONN_ANSWER;
	set_deadline(c, ANSWER_S);
}

void conn_stream_begin(struct conn *c, struct stream *s)
{
	const struct timeval slow = { STREAM_S, 0 };

	c->stream = s;
	c->state = CONN_STREAM;
	evtimer_del(c->deadline);
	bufferevent_set_timeouts(c->bev, NULL, &slow);
	conn_stream_head(c);
}

bool conn_stream_ready(const struct conn *c)
{
	return evbuffer_get_length(bufferevent_get_output(c->bev)) < STREAM_BYTES_MAX;
}

void conn_stream_send(struct conn *c, const char *text, size_t len)
{
	evbuffer_add(bufferevent_get_output(c->bev), text, len);
}

size_t conns_waiting(const struct httpd *srv)
{
	size_t sum = 0;

	for (const struct conn *c = srv->conns; c; c = c->next)
		sum += evbuffer_get_length(bufferevent_get_output(c->bev));
	return sum;
}

/* ---- the loop's side ---- */

static void on_read(struct bufferevent *bev, void *arg)
{
	(void)bev;
	take(arg);
}

static void on_written(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;

	/* it may have been put off since before there was an answer */
	if (evbuffer_get_length(bufferevent_get_output(bev)))
		return;
	if (c->state == CONN_ANSWER)
		answered(c);
	else if (c->state == CONN_STREAM)
		stream_pump(c->stream);
}

/* A peer that only has nothing more to send still gets its answer. */
static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct conn *c = arg;

	(void)bev;
	c->at_end = true;
	if (!(what & BEV_EVENT_EOF) || c->state != CONN_ANSWER)
		conn_destroy(c);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	(void)what;
	if (c->state != CONN_BODY && (c->state != CONN_HEAD ||
				      !evbuffer_get_length(bufferevent_get_input(c->bev)))) {
		conn_destroy(c);
		return;
	}
	c->head.keep_alive = false;
	conn_error(c, 408, "the request", "send it faster", "it did not come whole in time");
}

/* One that is in no list yet, with what there is of it. */
static void drop_untaken(struct conn *c, int fd)
{
	if (c && c->deadline)
		event_free(c->deadline);
	if (c && c->bev)
		bufferevent_free(c->bev);
	else
		close(fd);
	free(c);
}

void conn_create(struct httpd *srv, int fd)
{
	struct conn *c = calloc(1, sizeof(*c));
	socklen_t len = sizeof(c->peer);

	make_room(srv);
	if (c) {
		c->srv = srv;
		c->bev = bufferevent_socket_new(srv->base, fd, BEV_OPT_CLOSE_ON_FREE |
						BEV_OPT_DEFER_CALLBACKS);
		c->deadline = evtimer_new(srv->base, on_deadline, c);
	}
	if (!c || !c->bev || !c->deadline ||
	    (srv->local && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c->peer, &len) != 0)) {
		log_warnx("a connection could not be taken");
		drop_untaken(c, fd);
		return;
	}
	c->next = srv->conns;
	c->prev = &srv->conns;
	if (c->next)
		c->next->prev = &c->next;
	srv->conns = c;
	srv->nr_conns++;
	bufferevent_setcb(c->bev, on_read, on_written, on_event, c);
	bufferevent_setwatermark(c->bev, EV_READ, 0, 2 * HEAD_BYTES_MAX);
	set_deadline(c, REQUEST_S);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
	if (access_peer(c) && !srv->has_token)
		conn_let_in(c);
}
