/* SPDX-License-Identifier: MIT */
/*
 * keeper_child.c - the keeper process: start, answers to the daemon, end. It ends when the daemon
 * does. Applying frames is keeper_apply.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "keeper_apply.h"
#include "log.h"

static int stream_flush(struct child *c)
{
	while (buf_len(&c->out) > 0) {
		ssize_t n = write(c->stream, buf_front(&c->out), buf_len(&c->out));

		if (n < 0 && errno != EINTR)
			return -EIO;
		if (n > 0)
			buf_take(&c->out, (size_t)n);
	}
	return 0;
}

struct streaming {
	struct child *c;
	uint32_t env;
};

static int stream_record(void *arg, const void *key, size_t key_len, const void *value,
			 size_t value_len)
{
	struct streaming *s = arg;
	struct keeper_record rec = { s->env, (uint32_t)key_len, (uint32_t)value_len };

	if (buf_append(&s->c->out, &rec, sizeof(rec)) < 0 ||
	    buf_append(&s->c->out, key, key_len) < 0 ||
	    buf_append(&s->c->out, value, value_len) < 0)
		return -ENOMEM;
	return buf_len(&s->c->out) > 1024 * 1024 ? stream_flush(s->c) : 0;
}

static int open_one(struct child *c, unsigned int env)
{
	bool persistent = env == JOURNAL_PERSISTENT, stepped_back = false;
	char dir[512];
	int ret;

	keeper_is_at(env);
	snprintf(dir, sizeof(dir), "%s/%s", persistent ? c->cfg->state_dir : c->cfg->run_dir,
		 persistent ? "store" : "runtime");
	if (!persistent && c->cfg->fresh) {
		char file[600];

		snprintf(file, sizeof(file), "%s/data.mdb", dir);
		unlink(file);
		snprintf(file, sizeof(file), "%s/lock.mdb", dir);
		unlink(file);
	}
	/* What has been through a loss of power is verified before any of it is used. */
	if (persistent)
		ret = store_open_whole(dir, c->cfg->persistent_size, &c->env[env], &stepped_back);
	else
		ret = store_open(dir, c->cfg->runtime_size, false, &c->env[env]);
	if (ret < 0)
		return ret;
	if (stepped_back)
		log_warnx("%s: the last commit is damaged, as by a loss of power in the middle of it: "
			  "going on with the one before it", dir);
	c->applied[env] = get_applied(c, env);
	/* The directory "store" itself. */
	return persistent ? store_sync_dir(c->cfg->state_dir) : 0;
}

static int redo_journal(struct child *c, uint32_t *env)
{
	unsigned int older = older_half(c);
	int ret;

	*env = JOURNAL_PERSISTENT;
	ret = sync_persistent(c, UINT64_MAX);
	if (ret < 0)
		return ret;
	*env = JOURNAL_RUNTIME;
	ret = apply_half(c, older);
	return ret < 0 ? ret : apply_half(c, 1 - older);
}

static int load(struct child *c, struct keeper_msg *msg)
{
	int ret = 0;

	for (msg->env = 0; msg->env < 2; msg->env++) {
		ret = open_one(c, msg->env);
		if (ret < 0)
			return ret;
	}
	ret = redo_journal(c, &msg->env);
	if (ret < 0)
		return ret;
	for (msg->env = 0; msg->env < 2 && c->stream >= 0; msg->env++) {
		struct streaming s = { c, msg->env };

		keeper_is_at(msg->env);
		ret = store_walk(c->env[msg->env], stream_record, &s);
		if (ret < 0)
			return ret;
	}
	return c->stream >= 0 ? stream_flush(c) : 0;
}

/* --- serving --- */

static void say(struct child *c, const struct keeper_msg *msg)
{
	/* Nobody there: the daemon is gone, and so are we. */
	if (send(c->fd, msg, sizeof(*msg), MSG_NOSIGNAL) != sizeof(*msg))
		_exit(0);
}

/*
 * Once refused, always refused: the daemon takes back what it was told the disk has not, and
 * starts another keeper. A disk that has room again meanwhile must not make it true after all.
 */
static int sync_or_refuse(struct child *c, uint64_t seq)
{
	if (c->refused == 0)
		c->refused = sync_or_use_reserve(c, seq);
	return c->refused;
}

static void do_sync(struct child *c, uint64_t seq)
{
	struct keeper_msg msg = { .op = KEEPER_SYNCED };

	msg.err = sync_or_refuse(c, seq);
	msg.seq = msg.err ? c->applied[JOURNAL_PERSISTENT] : seq;
	say(c, &msg);
}

static void do_apply(struct child *c, unsigned int half)
{
	struct keeper_msg msg = { .op = KEEPER_APPLIED, .half = half };

	/* The half is going to be written again: nothing persistent in it may be left behind. */
	msg.err = sync_or_refuse(c, UINT64_MAX);
	if (msg.err) {
		msg.op = KEEPER_SYNCED;
		msg.seq = c->applied[JOURNAL_PERSISTENT];
		say(c, &msg);
		return;
	}
	msg.err = apply_half(c, half);
	if (msg.err == 0)
		c->done_turn[half] = journal_half_turn(c->j, half) + 1;
	say(c, &msg);
}

/* Copies to a new file, syncs it and only then gives it its name. */
static int snapshot(struct child *c, const char *name)
{
	char path[600], part[640];
	int ret, fd;

	snprintf(path, sizeof(path), "%s/%s", c->cfg->state_dir, name);
	snprintf(part, sizeof(part), "%s.part", path);
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	ret = store_copy(c->env[JOURNAL_PERSISTENT], fd);
	if (ret == 0 && fsync(fd) < 0)
		ret = -errno;
	close(fd);
	if (ret == 0 && rename(part, path) < 0)
		ret = -errno;
	if (ret == 0)
		ret = store_sync_dir(c->cfg->state_dir);
	else
		unlink(part);
	return ret;
}

static void do_snapshot(struct child *c, struct keeper_msg *msg)
{
	msg->op = KEEPER_SNAPPED;
	msg->text[sizeof(msg->text) - 1] = '\0';
	keeper_is_at(JOURNAL_PERSISTENT);
	msg->err = snapshot(c, msg->text);
	say(c, msg);
}

static void serve(struct child *c)
{
	struct keeper_msg msg;

	while (recv(c->fd, &msg, sizeof(msg), 0) == sizeof(msg)) {
		switch (msg.op) {
		case KEEPER_SYNC:
			do_sync(c, msg.seq);
			break;
		case KEEPER_APPLY:
			do_apply(c, msg.half);
			break;
		case KEEPER_SNAPSHOT:
			do_snapshot(c, &msg);
			break;
		default:
			break;
		}
	}
}

static int compare_fds(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* The daemon's descriptors are not ours to keep open: clients must see it die. */
static void close_others(const struct keeper_fds *fds)
{
	int keep[4] = { fds->channel, fds->stream, fds->lock[0], fds->lock[1] };
	unsigned int from = 3;

	qsort(keep, 4, sizeof(keep[0]), compare_fds);
	for (int i = 0; i < 4; i++) {
		if (keep[i] < (int)from)
			continue;
		if (keep[i] > (int)from)
			close_range(from, (unsigned int)keep[i] - 1, 0);
		from = (unsigned int)keep[i] + 1;
	}
	close_range(from, ~0u, 0);
}

_Noreturn void keeper_child(struct journal *j, const struct keeper_config *cfg,
			    const struct keeper_fds *fds)
{
	struct child c = { .j = j, .cfg = cfg, .fd = fds->channel, .stream = fds->stream };
	struct keeper_msg msg = { .op = KEEPER_LOADED };

	prctl(PR_SET_NAME, "xenstored-keep");
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	close_others(fds);
	msg.err = load(&c, &msg);
	msg.seq = c.applied[0] > c.applied[1] ? c.applied[0] : c.applied[1];
	say(&c, &msg);
	buf_fini(&c.out);
	if (msg.err == 0) {
		reserve_take(&c);
		serve(&c);
	}
	store_close(c.env[0]);
	store_close(c.env[1]);
	_exit(0);
}
