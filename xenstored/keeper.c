/* SPDX-License-Identifier: MIT */
/*
 * keeper.c - the daemon's side of its keeper: start, questions, answers, and starting it again
 * when it dies. The other side is keeper_child.c.
 */
#include "keeper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conn.h"
#include "doubt.h"
#include "keeper_priv.h"
#include "log.h"
#include "mapped.h"
#include "persist.h"
#include "server.h"

/* More deaths than this within a minute: the disk or we are beyond help. */
#define DEATHS_MAX 5

struct keeper {
	struct keeper_config cfg;
	pid_t pid;
	int fd;
	struct loop_fd answers;
	uint64_t asked_seq;	/* of the sync under way; 0: none */
	bool applying[JOURNAL_HALVES];
	bool applied[JOURNAL_HALVES];	/* answered, to be given back at the end of the turn */
	struct keeper_msg synced;	/* answer not yet dealt with; op 0: none */
	bool have_synced;
	bool died;
	unsigned int deaths;
	uint64_t first_death_ns;
};

static bool say(struct keeper *k, const struct keeper_msg *msg)
{
	if (k->fd >= 0 && send(k->fd, msg, sizeof(*msg), MSG_NOSIGNAL) == sizeof(*msg))
		return true;
	k->died = true;
	return false;
}

/* The answer to the start, or why there is none. */
static int await_loaded(struct keeper *k, struct keeper_msg *msg)
{
	int status = 0;

	if (recv(k->fd, msg, sizeof(*msg), 0) == sizeof(*msg))
		return msg->err;
	waitpid(k->pid, &status, 0);
	k->pid = 0;
	if (WIFSIGNALED(status))
		log_errorx("the keeper was ended by signal %d while it read the store",
			   WTERMSIG(status));
	msg->env = JOURNAL_PERSISTENT;
	/* It has said so: a file was shorter than what it holds. */
	if (WIFEXITED(status) && WEXITSTATUS(status) == MAPPED_LOST)
		return -EIO;
	if (WIFEXITED(status) && WEXITSTATUS(status) == MAPPED_LOST + 1 + JOURNAL_RUNTIME)
		msg->env = JOURNAL_RUNTIME;
	return -EBADMSG;
}

static int stream_each(const char *data, size_t len, keeper_each *each, void *arg)
{
	size_t at = 0;
	int ret = 0;

	while (at < len && ret == 0) {
		struct keeper_record rec;

		memcpy(&rec, data + at, sizeof(rec));
		at += sizeof(rec);
		ret = each(arg, rec.env, data + at, rec.key_len, data + at + rec.key_len,
			   rec.value_len);
		at += (size_t)rec.key_len + rec.value_len;
	}
	return ret;
}

static int take_stream(int stream, keeper_each *each, void *arg)
{
	off_t len = lseek(stream, 0, SEEK_END);
	char *data;
	int ret;

	if (len <= 0)
		return 0;
	data = mmap(NULL, (size_t)len, PROT_READ, MAP_PRIVATE | MAP_POPULATE, stream, 0);
	if (data == MAP_FAILED)
		return -ENOMEM;
	ret = stream_each(data, (size_t)len, each, arg);
	munmap(data, (size_t)len);
	return ret;
}

static int spawn(struct server *srv, struct keeper *k, int stream)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	k->pid = fork();
	if (k->pid < 0) {
		close(pair[0]);
		close(pair[1]);
		return -EAGAIN;
	}
	if (k->pid == 0) {
		const struct keeper_fds fds = { pair[1], stream,
						{ srv->state_lock, srv->run_lock } };

		arena_left();
		keeper_child(srv->journal, &k->cfg, &fds);
	}
	close(pair[1]);
	k->fd = pair[0];
	return 0;
}

static void hook_filled(void *arg, unsigned int half)
{
	struct server *srv = arg;
	struct keeper_msg msg = { .op = KEEPER_APPLY, .half = half };

	/* What is persistent in it goes first: the answer means that nothing in it is needed. */
	keeper_sync(srv);
	srv->keeper->applying[half] = true;
	say(srv->keeper, &msg);
}

static void take_answer(struct server *srv, const struct keeper_msg *msg)
{
	struct keeper *k = srv->keeper;

	switch (msg->op) {
	case KEEPER_SYNCED:
		k->synced = *msg;
		k->have_synced = true;
		k->asked_seq = 0;
		break;
	case KEEPER_APPLIED:
		k->applying[msg->half] = false;
		if (msg->err == 0)
			k->applied[msg->half] = true;
		else
			log_errorx("the runtime store cannot take changes: %s",
				   strerror(-msg->err));
		srv->runtime_full = msg->err != 0;
		break;
	case KEEPER_SNAPPED:
		if (msg->err)
			log_warnx("snapshot %s failed: %s", msg->text, strerror(-msg->err));
		else
			log_debug("snapshot %s written", msg->text);
		srv->snapshots++;
		break;
	default:
		break;
	}
}

/* Takes one answer, waiting up to @timeout ms. False: none. */
static bool receive(struct server *srv, int timeout)
{
	struct keeper *k = srv->keeper;
	struct pollfd pfd = { .fd = k->fd, .events = POLLIN };
	struct keeper_msg msg;
	ssize_t n;

	if (k->fd < 0 || poll(&pfd, 1, timeout) <= 0)
		return false;
	n = recv(k->fd, &msg, sizeof(msg), MSG_DONTWAIT);
	if (n == sizeof(msg)) {
		take_answer(srv, &msg);
		return true;
	}
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		k->died = true;
	return false;
}

static void give_back(struct server *srv)
{
	struct keeper *k = srv->keeper;

	for (unsigned int half = 0; half < JOURNAL_HALVES; half++) {
		if (k->applied[half]) {
			k->applied[half] = false;
			journal_give_back(srv->journal, half);
		}
	}
}

/* Both halves are full: nothing goes on before the keeper has caught up. */
static bool hook_wait(void *arg)
{
	struct server *srv = arg;
	struct keeper *k = srv->keeper;
	bool under_way = k->applying[0] || k->applying[1];

	if (k->applied[0] || k->applied[1]) {
		give_back(srv);
		return true;
	}
	/* A refusal is dealt with at the end of the turn; until then no half comes back. */
	if (!under_way || k->died || (k->have_synced && k->synced.err) || !receive(srv, 10000))
		return false;
	give_back(srv);
	return true;
}

int keeper_start(struct server *srv, const struct keeper_config *cfg, keeper_each *each,
		 void *arg)
{
	const struct journal_hooks hooks = { hook_filled, hook_wait, srv };
	struct keeper *k = srv->keeper ? srv->keeper : calloc(1, sizeof(*k));
	int stream = each ? memfd_create("xenstored-load", MFD_CLOEXEC) : -1;
	struct keeper_msg msg = { 0 };
	int ret;

	if (!k || (each && stream < 0))
		return -ENOMEM;
	srv->keeper = k;
	k->cfg = *cfg;
	ret = spawn(srv, k, stream);
	if (ret == 0)
		ret = await_loaded(k, &msg);
	if (ret == 0 && each)
		ret = take_stream(stream, each, arg);
	if (stream >= 0)
		close(stream);
	if (ret < 0) {
		log_errorx("the %s store in %s cannot be used: %s",
			   msg.env == JOURNAL_PERSISTENT ? "persistent" : "runtime",
			   msg.env == JOURNAL_PERSISTENT ? cfg->state_dir : cfg->run_dir,
			   ret == -EBADMSG ? "damaged" : strerror(-ret));
		keeper_stop(srv);
		srv->failed_env = msg.env;
		return ret;
	}
	/* Everything published so far has been applied to both. */
	journal_set_next_seq(srv->journal, msg.seq + 1);
	srv->durable_seq = journal_next_seq(srv->journal) - 1;
	for (unsigned int half = 0; half < JOURNAL_HALVES; half++)
		k->applied[half] = k->applying[half] = false;
	k->asked_seq = 0;
	k->have_synced = false;
	k->died = false;
	k->cfg.fresh = false;
	journal_set_hooks(srv->journal, &hooks);
	return 0;
}

void keeper_stop(struct server *srv)
{
	struct keeper *k = srv->keeper;

	if (!k)
		return;
	loop_remove(&k->answers);
	if (k->fd >= 0)
		close(k->fd);
	if (k->pid > 0)
		waitpid(k->pid, NULL, 0);
	free(k);
	srv->keeper = NULL;
	if (srv->journal)
		journal_set_hooks(srv->journal, &(struct journal_hooks){ 0 });
}

void keeper_sync(struct server *srv)
{
	struct keeper *k = srv->keeper;
	struct keeper_msg msg = { .op = KEEPER_SYNC, .seq = srv->persist_seq };

	if (!k || k->asked_seq || k->have_synced || srv->persist_seq <= srv->durable_seq)
		return;
	k->asked_seq = srv->persist_seq;
	say(k, &msg);
}

void keeper_settle(struct server *srv)
{
	struct keeper *k = srv->keeper;

	if (!k)
		return;
	keeper_sync(srv);
	while (!k->died && (k->asked_seq || k->applying[0] || k->applying[1])) {
		if (!receive(srv, 30000))
			break;
	}
	keeper_turn(srv);
}

static void deal_with_synced(struct server *srv)
{
	struct keeper *k = srv->keeper;

	if (!k->have_synced)
		return;
	k->have_synced = false;
	if (k->synced.err) {
		persist_failed(srv, k->synced.err);
		return;
	}
	if (k->synced.seq > srv->durable_seq)
		srv->durable_seq = k->synced.seq;
	srv->degraded = false;
	conns_release_held(srv, srv->durable_seq);
	doubts_settled(srv);
}

/* Starts the keeper again; the journal has everything it had not applied. */
static void revive(struct server *srv)
{
	struct keeper *k = srv->keeper;
	struct keeper_config cfg = k->cfg;
	uint64_t now = now_ns();

	if (k->deaths == 0 || now - k->first_death_ns > 60000000000ull) {
		k->deaths = 0;
		k->first_death_ns = now;
	}
	log_errorx("the keeper of the store died; starting it again");
	if (++k->deaths > DEATHS_MAX) {
		log_errorx("the keeper dies again and again: giving up");
		exit(70);
	}
	loop_remove(&k->answers);
	close(k->fd);
	k->fd = -1;
	if (k->pid > 0)
		waitpid(k->pid, NULL, 0);
	if (keeper_start(srv, &cfg, NULL, NULL) < 0)
		exit(70);
	for (unsigned int half = 0; half < JOURNAL_HALVES; half++)
		journal_give_back(srv->journal, half);
	keeper_listen(srv);
	conns_release_held(srv, srv->durable_seq);
	doubts_settled(srv);
}

void keeper_turn(struct server *srv)
{
	struct keeper *k = srv->keeper;

	if (!k)
		return;
	deal_with_synced(srv);
	k = srv->keeper;
	if (k->died)
		revive(srv);
	give_back(srv);
	keeper_sync(srv);
}

static void answer_ready(void *arg, short events)
{
	struct server *srv = arg;

	while (srv->keeper && receive(srv, 0))
		deal_with_synced(srv);
	server_turn(srv);
}

void keeper_retry(struct server *srv)
{
	struct keeper *k = srv->keeper;

	for (unsigned int half = 0; k && half < JOURNAL_HALVES; half++) {
		if (journal_half_is_full(srv->journal, half) && !k->applying[half] &&
		    !k->applied[half])
			hook_filled(srv, half);
	}
}

int keeper_listen(struct server *srv)
{
	struct keeper *k = srv->keeper;

	k->answers = (struct loop_fd){ .fd = k->fd, .ready = answer_ready, .arg = srv };
	return loop_add(srv->loop, &k->answers, LOOP_READ);
}

int keeper_snapshot(struct server *srv, const char *name)
{
	struct keeper_msg msg = { .op = KEEPER_SNAPSHOT };

	if (strlen(name) >= sizeof(msg.text) || strchr(name, '/') || name[0] == '.')
		return -EINVAL;
	memcpy(msg.text, name, strlen(name) + 1);
	/* Behind the sync of everything published: the copy has all that was acknowledged. */
	keeper_sync(srv);
	return say(srv->keeper, &msg) ? 0 : -EBUSY;
}
