/* SPDX-License-Identifier: MIT */
/* durable.c - see durable.h. What the worker says: durable_msg.c, durable_load.c. */
#include "durable.h"

#include <errno.h>
#include <signal.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bytes.h"
#include "change.h"
#include "conn.h"
#include "durable_priv.h"
#include "lasting.h"
#include "store.h"
#include "log.h"
#include "ops.h"
#include "packed_perms.h"
#include "queue.h"
#include "server.h"

/* Before the worker has said what room there is, so much may be queued. */
#define ROOM_ASSUMED	(4u << 20)
/* The disk says nothing for so long at a start: the rest of the store is served without it. */
#define SILENCE_MS	10000
#define DOWN_NS		3000000000ull
/* How long a turn goes on with taking what is on the disk out of the queue. */
#define TRIM_NS		2000000u
/* A worker that dies more often than this within a minute is not started again at once. */
#define DEATHS_MAX	5u
#define DEATHS_NS	60000000000ull

/* A record of STORE_META, empty. */
#define KNOWN "known"

/* --- what is queued --- */

static void who_acts(const struct server *srv, struct change_who *who)
{
	*who = (struct change_who){ 0 };
	if (srv->ops.acting)
		*who = srv->ops.acting->conn->who;
}

void durable_enqueue_again(struct server *srv, struct change *c)
{
	struct durable *d = &srv->durable;

	if (d->now != tree_now(&srv->tree)) {
		d->now = tree_now(&srv->tree);
		d->prev = d->last;
		d->index = 0;
	}
	c->prev = d->prev;
	d->bytes_queued += queue_add(srv->tree.store, d->now, d->index++, c);
	d->nr_queued++;
	d->last = d->now;
}

void durable_enqueue(struct server *srv, struct change *c)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	c->time_ns = (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
	who_acts(srv, &c->who);
	durable_enqueue_again(srv, c);
}

void durable_put(struct server *srv, const char *path, size_t len, const struct node *n)
{
	unsigned char perms[XENSTORE_PAYLOAD_MAX] XS_NOT_CLEARED;
	struct change c = {
		.op = CHANGE_PUT, .mark = n->mark, .path = path, .path_len = (uint16_t)len,
		.value = n->value, .value_len = n->value_len, .perms = perms,
		.nr_perms = n->perms->nr,
	};

	if (srv->durable.off)
		return;
	for (unsigned int i = 0; i < n->perms->nr; i++)
		packed_perm_put(perms, i, &n->perms->e[i]);
	durable_enqueue(srv, &c);
}

void durable_remove(struct server *srv, const char *path, size_t len)
{
	struct change c = { .op = CHANGE_REMOVE, .path = path, .path_len = (uint16_t)len };
	struct durable *d = &srv->durable;

	if (d->off)
		return;
	durable_enqueue(srv, &c);
	/* Too many: the rest is asked for again, when the disk has these. */
	if (d->fetching && lasting_removed(path, len) < 0)
		d->load_err = -EAGAIN;
}

void durable_had(struct server *srv, uint64_t rev)
{
	const struct durable *d = &srv->durable;
	struct conn *c = srv->ops.acting ? srv->ops.acting->conn : NULL;

	/*
	 * What stands for a parent that the disk has lost is newer than anything that will come
	 * there.
	 */
	if (rev > d->last)
		rev = d->last;
	if (c && !d->off && rev > c->hold_seq)
		c->hold_seq = rev;
}

void durable_note_last(struct server *srv)
{
	unsigned char rec[STORE_HEAD + 8];

	put_le64(rec + STORE_HEAD, srv->durable.last);
	store_put(srv->tree.store, STORE_META, "persistent", 10, rec, sizeof(rec));
}

void durable_known(struct server *srv)
{
	unsigned char rec[STORE_HEAD];

	srv->durable.known = true;
	store_put(srv->tree.store, STORE_META, KNOWN, strlen(KNOWN), rec, sizeof(rec));
}

uint64_t durable_published(struct server *srv)
{
	struct durable *d = &srv->durable;

	if (d->off || !srv->tree.changed || d->now != tree_now(&srv->tree))
		return 0;
	durable_note_last(srv);
	return d->now;
}

/* Takes some of what is on the disk out of the queue. False: there is no room for that now. */
static bool trim_some(struct server *srv)
{
	struct durable *d = &srv->durable;
	struct queue_taken taken;
	unsigned int most = DURABLE_TRIM;

	/* A store that is full has room for a few at a time, and more behind each. */
	while (most && store_room(srv->tree.store, most, 0, true) < 0)
		most /= 4;
	if (!most)
		return false;
	queue_take(srv->tree.store, d->trim, most, &taken);
	d->nr_queued -= taken.nr;
	d->bytes_queued -= taken.bytes;
	if (!taken.left)
		d->trim = 0;
	return true;
}

/* What stays is counted as still to come: more is taken than can be queued in the same time. */
static void trim(struct server *srv)
{
	uint64_t end = now_ns() + TRIM_NS;

	while (srv->durable.trim && trim_some(srv) && now_ns() < end)
		;
	store_commit(srv->tree.store);
}

/* --- the worker --- */

bool durable_say(const struct durable *d, const struct worker_msg *msg)
{
	return d->io.fd >= 0 &&
	       send(d->io.fd, msg, sizeof(*msg), MSG_NOSIGNAL | MSG_DONTWAIT) == sizeof(*msg);
}

/* False: it does not read now. Then it has something to read anyway. */
static bool say(struct server *srv, uint32_t op)
{
	return durable_say(&srv->durable, &(struct worker_msg){ .op = op });
}

/* Asks for the nodes, which are all to come, if the time for that has come. */
static void load(struct server *srv)
{
	struct durable *d = &srv->durable;

	if (!d->loading || !d->load_again_ns || now_ns() < d->load_again_ns)
		return;
	d->not_served = 0;
	if (say(srv, WORKER_LOAD))
		d->load_again_ns = 0;
}

static int start(struct server *srv)
{
	struct durable *d = &srv->durable;
	char live_dir[512];
	const struct worker_config cfg = {
		.disk = {
			.state_dir = srv->cfg.state_dir,
			.run_dir = srv->cfg.run_dir,
			.map_size = srv->cfg.map_size,
			.told = d->rev,
		},
		.live_dir = live_dir,
	};

	snprintf(live_dir, sizeof(live_dir), "%s/live", srv->cfg.run_dir);
	d->retry_ns = 0;
	d->ready = false;
	d->pid = worker_start(&cfg, &d->io.fd);
	if (d->pid < 0) {
		log_errorx("the worker cannot be started: %s", strerror((int)-d->pid));
		d->io.fd = -1;
		d->retry_ns = now_ns() + DURABLE_RETRY_NS;
		return (int)d->pid;
	}
	d->load_err = 0;
	d->load_again_ns = 1;
	load(srv);
	return 0;
}

/* Takes one message. False: there is none now. */
static bool receive(struct server *srv)
{
	static union {
		struct worker_msg head;
		char bytes[WORKER_PACKET];
	} msg;
	struct durable *d = &srv->durable;
	ssize_t n = d->io.fd < 0 ? -1 : recv(d->io.fd, &msg, sizeof(msg), MSG_DONTWAIT);

	if (n >= (ssize_t)sizeof(msg.head)) {
		durable_take(srv, &msg.head, msg.bytes + sizeof(msg.head),
			     (size_t)n - sizeof(msg.head));
		return true;
	}
	if (d->io.fd >= 0 && (n >= 0 || (errno != EAGAIN && errno != EINTR)))
		durable_died(srv);
	return false;
}

/* It has left its place among LMDB's readers, perhaps, and questions without an answer. */
void durable_died(struct server *srv)
{
	struct durable *d = &srv->durable;
	int status = 0;

	loop_remove(&d->io);
	close(d->io.fd);
	d->io.fd = -1;
	if (d->pid > 0)
		waitpid(d->pid, &status, 0);
	d->pid = 0;
	store_reader_died(srv->tree.store);
	questions_fail(srv, -EIO);
	durable_room_void(srv);
	if (now_ns() - d->first_death_ns > DEATHS_NS) {
		d->deaths = 0;
		d->first_death_ns = now_ns();
	}
	log_errorx("the worker of the persistent part died (status %d); starting it again", status);
	d->retry_ns = now_ns() + (++d->deaths > DEATHS_MAX ? DURABLE_RETRY_NS : 0);
	/* What it did not send the next one is asked for. */
	d->fetching = d->ready = false;
	d->told = 0;
	if (d->deaths > DEATHS_MAX)
		durable_refused(srv, -EIO);
}

static bool wait_for_message(struct server *srv, int ms)
{
	struct pollfd pfd = { .fd = srv->durable.io.fd, .events = POLLIN };

	return poll(&pfd, 1, ms) > 0;
}

void durable_wait_settled(struct server *srv)
{
	struct durable *d = &srv->durable;

	while (d->settling && !d->settle_again_ns && !d->foreign && d->io.fd >= 0 &&
	       wait_for_message(srv, SILENCE_MS)) {
		while (receive(srv))
			;
	}
}

bool durable_fetch(struct server *srv)
{
	struct durable *d = &srv->durable;

	d->load_err = 0;
	/* What has been removed until now the worker is to find in the queue. */
	store_commit(srv->tree.store);
	d->fetching = say(srv, WORKER_LOAD);
	return d->fetching;
}

int durable_up(struct server *srv, bool load)
{
	struct durable *d = &srv->durable;
	struct queue_extent queued;
	struct store_bytes rec;

	d->io = (struct loop_fd){ .fd = -1, .arg = srv };
	d->room.free_bytes = ROOM_ASSUMED;
	d->loading = load;
	lasting_read_kept(srv);
	d->known = store_get(srv->tree.store, STORE_META, KNOWN, strlen(KNOWN), &rec);
	/* A daemon before this one did not say so. */
	if (!load && !d->known && store_room(srv->tree.store, 1, 64, true) == 0)
		durable_known(srv);
	if (store_get(srv->tree.store, STORE_META, "persistent", 10, &rec) && rec.len == 8)
		d->last = get_le64(rec.data);
	d->nr_queued = store_count(srv->tree.store, STORE_QUEUE);
	/* What is before the first one in the queue, the disk has. */
	d->rev = queue_extent(srv->tree.store, &queued) ? queued.before : d->last;
	d->bytes_queued = queued.bytes;
	/* A commit in the middle of a revision has not written that down yet. */
	if (queued.last > d->last)
		d->last = queued.last;
	sessions_wait(srv, d->last);
	if (start(srv) < 0)
		durable_refused(srv, -EIO);
	while (d->loading && !d->load_again_ns && d->io.fd >= 0 &&
	       wait_for_message(srv, SILENCE_MS)) {
		while (receive(srv))
			;
	}
	if (d->loading && !d->refused) {
		log_errorx("the disk of %s does not answer: serving without the persistent part "
			   "until it does",
			   srv->cfg.state_dir);
		durable_refused(srv, -EIO);
	}
	return 0;
}

static void ready(void *arg, short events)
{
	struct server *srv = arg;

	/* Some at a time: loading many nodes is no reason to let clients wait. */
	for (int i = 0; i < 4 && receive(srv); i++)
		;
	server_turn(srv);
}

int durable_listen(struct server *srv)
{
	struct durable *d = &srv->durable;

	srv->serving = true;
	if (d->off || d->io.fd < 0)
		return 0;
	d->io.ready = ready;
	return loop_add(srv->loop, &d->io, LOOP_READ);
}

/* A worker that died, when it is time to. Not before the loop is there to hear it. */
static void start_again(struct server *srv)
{
	struct durable *d = &srv->durable;

	if (!d->retry_ns || !srv->serving || now_ns() < d->retry_ns)
		return;
	if (start(srv) == 0 && durable_listen(srv) < 0)
		durable_died(srv);
}

void durable_turn(struct server *srv)
{
	struct durable *d = &srv->durable;

	if (d->off)
		return;
	start_again(srv);
	if (d->last > d->rev && d->told < d->last) {
		d->told = d->last;
		say(srv, WORKER_QUEUED);
	}
	if (d->trim)
		trim(srv);
}

void durable_tick(struct server *srv)
{
	struct durable *d = &srv->durable;

	if (d->off)
		return;
	/* What a message that was not taken should have said. */
	if (d->last > d->rev)
		say(srv, WORKER_QUEUED);
	durable_room_tick(srv);
	load(srv);
	lasting_go_on(srv);
	start_again(srv);
}

void durable_kill(struct server *srv)
{
	pid_t pid = srv->durable.pid;

	/* kill() a confined daemon may not. */
	if (srv->durable.io.fd >= 0 && pid > 0 && tgkill(pid, pid, SIGKILL) < 0)
		log_error("cannot end the worker");
}

void durable_down(struct server *srv)
{
	struct durable *d = &srv->durable;
	uint64_t end = now_ns() + DOWN_NS;

	if (d->off)
		return;
	loop_remove(&d->io);
	durable_turn(srv);
	while (d->io.fd >= 0 && d->rev < d->last && !d->refused && now_ns() < end) {
		if (!wait_for_message(srv, (int)((end - now_ns()) / 1000000u) + 1))
			break;
		while (receive(srv))
			;
		conns_flush(srv);
	}
	if (d->rev < d->last)
		log_warnx("not everything is on the disk yet: it is in %s/live", srv->cfg.run_dir);
	/* It takes what is left and ends. */
	if (d->io.fd >= 0)
		close(d->io.fd);
	d->io.fd = -1;
}
