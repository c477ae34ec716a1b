/* SPDX-License-Identifier: MIT */
/*
 * worker.c - see worker.h. One loop: what has gathered in the queue, messages, processes that have
 * ended, the next earlier state. Whatever is wrong with the disk is told and tried again.
 */
#include "worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "disk_env.h"
#include "in_child.h"
#include "log.h"
#include "path_key.h"
#include "question.h"
#include "queue_reader.h"
#include "stored_node.h"

#define SECOND_NS 1000000000ull
/* After a refusal: doubled each time, up to the second. */
#define RETRY_MIN_NS (SECOND_NS / 2)
#define RETRY_MAX_NS (30 * SECOND_NS)
/* Changes in one commit, but for a revision that has more. */
#define BATCH 4096
/* Questions that are being answered at one time. */
#define QUESTIONS 16u

/* One of them: who answers it; pid 0: it is nobody's place. */
struct asked {
	pid_t pid;
	uint32_t id;
};

struct worker {
	const struct worker_config *cfg;
	int fd, signals;
	bool alone;		/* the daemon is gone */
	struct disk *disk;
	struct queue_reader queue;
	struct queue_batch batch;
	bool more;		/* there may be something in the queue */
	int refused;		/* why the last commit was not made */
	bool told;		/* the daemon knows that commits are made */
	bool gap;		/* because of the queue: changes are missing in it */
	bool reopen;		/* what is on the disk has to be found again */
	uint64_t retry_ns, retry_at_ns;
	struct asked asked[QUESTIONS];
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * SECOND_NS + (uint64_t)ts.tv_nsec;
}

/* --- telling --- */

/* It waits till the daemon has read; a daemon that is gone reads no more. */
static void tell(struct worker *w, const struct worker_msg *msg)
{
	if (!w->alone && send(w->fd, msg, sizeof(*msg), MSG_NOSIGNAL) != sizeof(*msg))
		w->alone = true;
}

static void tell_durable(struct worker *w)
{
	struct worker_msg msg = {
		.op = WORKER_DURABLE, .rev = disk_applied(w->disk),
		.flags = disk_degraded(w->disk) ? WORKER_DEGRADED : 0,
	};

	disk_room(w->disk, &msg.room);
	tell(w, &msg);
}

static void tell_refused(struct worker *w, int err, uint64_t broken)
{
	struct worker_msg msg = {
		.op = WORKER_REFUSED, .err = err, .rev = disk_applied(w->disk), .a = broken,
	};

	w->gap = err == -ESTALE || broken;
	w->refused = err;
	w->retry_ns = w->retry_ns == 0 ? RETRY_MIN_NS :
		      w->retry_ns < RETRY_MAX_NS / 2 ? 2 * w->retry_ns : RETRY_MAX_NS;
	w->retry_at_ns = now_ns() + w->retry_ns;
	disk_room(w->disk, &msg.room);
	tell(w, &msg);
}

static void tell_ready(struct worker *w, int err, const struct disk_found *found)
{
	struct worker_msg msg = { .op = WORKER_READY, .err = err, .rev = found->applied };

	msg.flags = (found->made_new ? WORKER_FOUND_NEW : 0) |
		    (found->taken_over ? WORKER_FOUND_TAKEN_OVER : 0) |
		    (found->damaged ? WORKER_FOUND_DAMAGE : 0) |
		    (found->degraded ? WORKER_DEGRADED : 0);
	if (w->disk)
		disk_room(w->disk, &msg.room);
	tell(w, &msg);
}

/* --- records of nodes and losses --- */

struct loading {
	struct worker *w;
	struct {
		struct worker_msg msg;
		unsigned char data[WORKER_PACKET - sizeof(struct worker_msg)];
	} packet;
	size_t len;
};

static int flush(struct loading *l)
{
	size_t len = sizeof(l->packet.msg) + l->len;

	if (l->len == 0)
		return 0;
	l->len = 0;
	if (!l->w->alone && send(l->w->fd, &l->packet, len, MSG_NOSIGNAL) != (ssize_t)len)
		l->w->alone = true;
	return l->w->alone ? 1 : 0;
}

static int load_node(void *arg, const struct stored_node *n)
{
	unsigned char key[PATH_KEY_MAX], *p;
	size_t key_len = path_key(n->path, n->path_len, key);
	size_t value_len = stored_node_len(n);
	uint32_t len = (uint32_t)(2 + n->path_len + value_len);
	struct loading *l = arg;

	if (sizeof(len) + len > sizeof(l->packet.data))
		return -EMSGSIZE;
	if (l->len + sizeof(len) + len > sizeof(l->packet.data) && flush(l))
		return 1;
	p = l->packet.data + l->len;
	memcpy(p, &len, sizeof(len));
	memcpy(p + 4, &n->path_len, 2);
	memcpy(p + 6, n->path, n->path_len);
	stored_node_write(n, WORKER_NODE_DB, key, key_len, p + 6 + n->path_len);
	l->len += sizeof(len) + len;
	return 0;
}

static int load_lost(void *arg, const struct disk_lost *lost)
{
	struct loading *l = arg;

	memcpy(l->packet.data, lost, sizeof(*lost));
	memcpy(l->packet.data + sizeof(*lost), lost->path, lost->path_len);
	l->len = sizeof(*lost) + lost->path_len;
	return flush(l);
}

/* --- the queue --- */

static int apply_batch(struct worker *w, bool lean)
{
	int ret = lean ? disk_begin_lean(w->disk) : disk_begin(w->disk);

	for (size_t i = 0; i < w->batch.nr && ret == 0; i++) {
		struct change c;

		ret = queue_batch_change(&w->batch, i, &c);
		if (ret == 0)
			ret = disk_change(w->disk, w->batch.e[i].rev, w->batch.e[i].index, &c);
	}
	if (ret == 0)
		return disk_commit(w->disk);
	disk_abort(w->disk);
	return ret;
}

/* When there is no room, what is replaced is given up before what replaces it is refused. */
static int apply_or_give_up_history(struct worker *w)
{
	struct disk_room room;
	int ret = apply_batch(w, false);

	if (ret != -ENOSPC || disk_read_only(w->disk))
		return ret;
	disk_room(w->disk, &room);
	return apply_batch(w, true);
}

/* After an error of the disk nothing that it was told is sure to be there: begin again. */
static int open_again(struct worker *w)
{
	struct disk_found found;
	int ret = disk_reopen(w->disk, &found);

	w->reopen = ret < 0;
	/* It may be an earlier state that was found. */
	w->told = false;
	return ret < 0 ? ret : disk_read_only(w->disk);
}

/* Somebody has taken the file away: it is found again, from what is left. */
static void look_for_file(struct worker *w)
{
	if (w->reopen || disk_has_name(w->disk))
		return;
	log_errorx("%s has been removed or replaced while it was in use", disk_path(w->disk));
	w->reopen = w->more = true;
}

/* One commit of what has gathered. */
static void apply(struct worker *w)
{
	int ret;

	look_for_file(w);
	ret = w->reopen || disk_read_only(w->disk) ? open_again(w) : 0;

	if (ret == 0 && !w->alone)
		ret = queue_reader_follow(&w->queue);
	if (ret == 0)
		ret = queue_read(&w->queue, disk_applied(w->disk), BATCH, &w->batch);
	if (ret == 0 && w->batch.nr > 0)
		ret = apply_or_give_up_history(w);
	w->reopen |= ret == -EIO || ret == -EBADMSG;
	if (ret < 0) {
		tell_refused(w, ret, 0);
		return;
	}
	w->more = w->batch.nr > 0;
	/* Also the first time: the worker before may have been refused. */
	if (w->batch.nr > 0 || w->refused || !w->told)
		tell_durable(w);
	w->told = true;
	w->refused = 0;
	w->retry_ns = 0;
	if (w->batch.nr == 0 && w->batch.broken)
		tell_refused(w, -EBADMSG, w->batch.broken);
}

static bool is_time_to_apply(const struct worker *w)
{
	if (w->refused)
		return now_ns() >= w->retry_at_ns;
	return w->more;
}

/* Everything that was accepted, before something that has to have it; no retries. */
static void apply_all(struct worker *w)
{
	w->more = true;
	while (w->more && !w->refused)
		apply(w);
}

/* --- loading --- */

/*
 * Why what was accepted is not in what would be loaded; 0: it is. What is behind a gap in the queue
 * can never be: the daemon gives that up.
 */
static int load_lacks(struct worker *w)
{
	int ret;

	w->refused = 0;
	apply_all(w);
	if (w->refused == 0 || w->gap)
		return 0;
	/* A disk that takes nothing can be read all the same. */
	ret = queue_read(&w->queue, disk_applied(w->disk), 1, &w->batch);
	return ret < 0 ? ret : w->batch.nr || w->batch.broken ? w->refused : 0;
}

static int load_all(struct worker *w)
{
	static struct loading l;
	int ret;

	l.w = w;
	l.len = 0;
	l.packet.msg = (struct worker_msg){ .op = WORKER_NODE };
	ret = disk_nodes(w->disk, load_node, &l);
	if (ret == 0)
		ret = flush(&l);
	l.packet.msg.op = WORKER_LOST;
	return ret ? ret : disk_lost(w->disk, load_lost, &l);
}

static void load(struct worker *w)
{
	struct worker_msg done = { .op = WORKER_LOADED, .err = load_lacks(w) };

	if (done.err == 0)
		done.err = load_all(w);
	/* What cannot be read is found again, from the other copies. */
	if (done.err == -EBADMSG || done.err == -EIO)
		w->reopen = w->more = true;
	done.rev = disk_applied(w->disk);
	tell(w, &done);
}

/* --- questions and other processes --- */

static void tell_answer(struct worker *w, uint32_t id, int err)
{
	tell(w, &(struct worker_msg){ .op = WORKER_ANSWER, .id = id, .err = err });
}

/* The question that process @pid answers; 0: a place for one. NULL: there is none. */
static struct asked *asked_by(struct worker *w, pid_t pid)
{
	for (unsigned int i = 0; i < QUESTIONS; i++)
		if (w->asked[i].pid == pid)
			return &w->asked[i];
	return NULL;
}

static void on_question(struct worker *w, const struct worker_msg *msg, const char *text,
			size_t len)
{
	struct question q = {
		.fd = w->fd, .id = msg->id, .text = text, .len = len,
		.state_dir = w->cfg->disk.state_dir, .run_dir = w->cfg->disk.run_dir,
		.map_size = disk_map_size(w->disk),
	};
	struct asked *place = asked_by(w, 0);
	pid_t pid;

	if (!place) {
		tell_answer(w, msg->id, -EBUSY);
		return;
	}
	/* A snapshot has what was acknowledged before it was asked for. */
	apply_all(w);
	q.path = disk_path(w->disk);
	q.beside = !disk_read_only(w->disk);
	in_child_hide(-1);
	pid = in_child_start(question_answer, &q);
	in_child_hide(w->fd);
	if (pid < 0)
		tell_answer(w, msg->id, pid);
	else
		*place = (struct asked){ pid, msg->id };
}

/*
 * Who answers says the last word itself, but one that dies of a damaged file, or is killed: nobody
 * else would, and a client waits for it.
 */
static void on_question_ended(struct worker *w, struct asked *q, int status)
{
	int ret = in_child_result(status);

	if (ret < 0) {
		question_clean(&w->cfg->disk, q->pid);
		tell_answer(w, q->id, ret == -EAGAIN ? -EIO : ret);
	}
	*q = (struct asked){ 0 };
}

static void on_lost_known(struct worker *w, uint32_t id)
{
	int ret = disk_lost_known(w->disk);

	if (ret == 0)
		tell_durable(w);
	if (ret == -EIO || ret == -EBADMSG)
		w->reopen = w->more = true;
	tell_answer(w, id, ret);
}

/* What is queued already is applied before: it has less need of room then. */
static void on_room(struct worker *w, uint64_t bytes)
{
	struct worker_msg msg = { .op = WORKER_ROOM };

	apply_all(w);
	disk_room_for(w->disk, bytes, &msg.room);
	tell(w, &msg);
}

/* There is other room now. */
static void on_compacted(struct worker *w, int ret)
{
	w->reopen |= ret < 0;
	w->more = true;
	w->told = false;
}

static void on_ended(struct worker *w)
{
	struct signalfd_siginfo info;
	struct asked *q;
	int status, ret;
	pid_t pid;

	while (read(w->signals, &info, sizeof(info)) == sizeof(info))
		;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		q = asked_by(w, pid);
		if (disk_compact_ended(w->disk, pid, status, &ret))
			on_compacted(w, ret);
		else if (!disk_generation_ended(w->disk, pid, status) && q)
			on_question_ended(w, q, status);
	}
}

/* One message; false: the daemon is gone. */
static bool on_message(struct worker *w)
{
	static struct {
		struct worker_msg msg;
		char data[WORKER_PACKET];
	} packet;
	ssize_t n = recv(w->fd, &packet, sizeof(packet), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n < (ssize_t)sizeof(packet.msg))
		return false;
	switch ((enum worker_op)packet.msg.op) {
	case WORKER_QUEUED:
		w->more = true;
		break;
	case WORKER_LOAD:
		load(w);
		break;
	case WORKER_LOST_KNOWN:
		on_lost_known(w, packet.msg.id);
		break;
	case WORKER_ASK:
		on_question(w, &packet.msg, packet.data, (size_t)n - sizeof(packet.msg));
		break;
	case WORKER_ROOM:
		on_room(w, packet.msg.a);
		break;
	case WORKER_READY:
	case WORKER_NODE:
	case WORKER_LOST:
	case WORKER_LOADED:
	case WORKER_DURABLE:
	case WORKER_REFUSED:
	case WORKER_ANSWER:
		break;
	}
	return true;
}

/* Milliseconds till something is to be done unasked. */
static int patience(const struct worker *w)
{
	uint64_t now = now_ns();

	if (w->refused)
		return w->retry_at_ns > now ? (int)((w->retry_at_ns - now) / 1000000u) + 1 : 0;
	return w->more ? 0 : 1000;
}

/* Nothing has come for a second. */
static void rest(struct worker *w)
{
	if (w->reopen || w->refused)
		return;
	queue_batch_fini(&w->batch);
	w->reopen = disk_rest(w->disk) < 0;
	w->more = w->reopen;
}

static void serve(struct worker *w)
{
	struct pollfd p[] = { { w->fd, POLLIN, 0 }, { w->signals, POLLIN, 0 } };
	int ready;

	w->more = true;
	while (!w->alone) {
		ready = poll(p, 2, patience(w));
		if (ready < 0 && errno != EINTR)
			break;
		if (ready == 0 && !w->more)
			rest(w);
		if (p[1].revents)
			on_ended(w);
		if (p[0].revents && !on_message(w))
			break;
		look_for_file(w);
		if (is_time_to_apply(w))
			apply(w);
		disk_generation(w->disk, now_ns());
		disk_compact(w->disk, now_ns());
	}
	w->alone = true;
	/* What the last live commit has is to be on the disk before another worker reads it. */
	w->refused = 0;
	apply_all(w);
}

/* --- the process --- */

static void set_up(struct worker *w)
{
	sigset_t child;

	prctl(PR_SET_NAME, "xenstored-disk");
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGBUS, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	w->signals = signalfd(-1, &child, SFD_NONBLOCK | SFD_CLOEXEC);
}

static int open_all(struct worker *w, struct disk_found *found)
{
	int lock = disk_lock(w->cfg->disk.state_dir);
	int ret = lock;

	/* With the lock, nobody is left who answers one. */
	if (ret >= 0) {
		question_clean(&w->cfg->disk, 0);
		ret = disk_open(&w->cfg->disk, &w->disk, found);
	}
	return ret < 0 ? ret : queue_reader_open(&w->queue, w->cfg->live_dir);
}

_Noreturn void worker_main(const struct worker_config *cfg, int fd)
{
	struct worker w = { .cfg = cfg, .fd = fd };
	struct disk_found found = { 0 };
	int ret;

	set_up(&w);
	in_child_hide(fd);
	ret = open_all(&w, &found);
	tell_ready(&w, ret, &found);
	if (ret == 0)
		serve(&w);
	disk_close(w.disk, ret == 0 && w.refused == 0);
	queue_reader_close(&w.queue);
	queue_batch_fini(&w.batch);
	_exit(ret < 0 ? 1 : 0);
}

/* The daemon's descriptors are not ours to keep open: clients must see it die. */
static void close_others(int keep)
{
	if (keep > 3)
		close_range(3, (unsigned int)keep - 1, 0);
	close_range((unsigned int)keep + 1, ~0u, 0);
}

pid_t worker_start(const struct worker_config *cfg, int *fd)
{
	int fds[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		close_others(fds[1]);
		worker_main(cfg, fds[1]);
	}
	close(fds[1]);
	if (pid < 0) {
		pid = -errno;
		close(fds[0]);
		return pid;
	}
	*fd = fds[0];
	return pid;
}
