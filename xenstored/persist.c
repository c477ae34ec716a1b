/* SPDX-License-Identifier: MIT */
/*
 * persist.c - start with a journal and a keeper, and what to do when the disk says no.
 * See docs/store-format.md for the files.
 */
#include "persist.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bulk.h"
#include "change.h"
#include "conn.h"
#include "conn_ring.h"
#include "domain.h"
#include "doubt.h"
#include "hv.h"
#include "journal.h"
#include "keeper.h"
#include "load.h"
#include "log.h"
#include "record.h"
#include "ring_slot.h"
#include "store.h"
#include "watch.h"

#define HALF_SIZE	(1024u * 1024u)
#define RUNTIME_SIZE	((size_t)4 << 30)
#define PERSISTENT_SIZE	((size_t)1 << 30)
#define AUTO_SNAPSHOT	"last-good.mdb"

/* How long a daemon that is just ending may take, and how often to look. */
#define ENDING_TRIES	300
#define LOCK_PAUSE_NS	10000000

static void keeper_config(const struct server *srv, struct keeper_config *out, bool fresh)
{
	*out = (struct keeper_config){
		.run_dir = srv->cfg.run_dir,
		.state_dir = srv->cfg.state_dir,
		.runtime_size = RUNTIME_SIZE,
		.persistent_size = srv->cfg.map_size ? srv->cfg.map_size : PERSISTENT_SIZE,
		.fresh = fresh,
	};
}

/* The daemon's own lock: a record lock, which ends with the process and which no fork inherits. */
static bool lock_from_daemons(int fd)
{
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_SETLK, &all) == 0;
}

/* The lock that a keeper shares: held until all that was acknowledged is on the disk. */
static bool lock_from_keepers(int fd)
{
	return flock(fd, LOCK_EX | LOCK_NB) == 0;
}

/*
 * One daemon a directory: who finds another one gives up. The keeper of a killed one ends by
 * itself, but only as soon as the disk lets it: that is waited for, however long it takes.
 */
static int lock_dir(const char *dir)
{
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_NS };
	bool ours = false;
	char path[512];
	int fd;

	if (mkdir(dir, 0755) < 0 && errno != EEXIST) {
		log_error("cannot make the directory %s", dir);
		return -errno;
	}
	snprintf(path, sizeof(path), "%s/lock", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		log_error("cannot open %s", path);
		return -errno;
	}
	for (int tries = 0; ours || tries < ENDING_TRIES; tries++) {
		ours = ours || lock_from_daemons(fd);
		if (ours && lock_from_keepers(fd))
			return fd;
		if (ours && tries == ENDING_TRIES)
			log_warn("waiting until the last changes of the daemon before are in %s", dir);
		nanosleep(&pause, NULL);
	}
	log_errorx("another xenstored uses %s", dir);
	close(fd);
	return -EBUSY;
}

/* An id that cannot be read must not pass for another boot: that would void the runtime part. */
static int read_boot_id(char *out, size_t room)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, room - 1);

	if (fd >= 0)
		close(fd);
	if (n <= 0) {
		log_error("cannot read which boot this is");
		return -EIO;
	}
	out[n] = '\0';
	return 0;
}

/*
 * The runtime environment lacks what the journal had last: without a journal of the same boot it
 * would be served as if nothing had happened since.
 */
static int check_journal(struct server *srv)
{
	char path[512];
	int ret = journal_probe(srv->cfg.run_dir, HALF_SIZE);

	snprintf(path, sizeof(path), "%s/runtime/data.mdb", srv->cfg.run_dir);
	if (ret == 0 || access(path, F_OK) < 0)
		return 0;
	log_errorx("%s/journal is %s: the last changes of the domains' part are lost; remove "
		   "%s/runtime to start without that part",
		   srv->cfg.run_dir, ret == -ENOENT ? "missing" : "damaged", srv->cfg.run_dir);
	return -EIO;
}

static int open_journal(struct server *srv, bool *fresh)
{
	char boot_id[64], path[512];

	if (check_journal(srv) < 0 || read_boot_id(boot_id, sizeof(boot_id)) < 0)
		return -EIO;
	srv->journal = journal_open(srv->cfg.run_dir, HALF_SIZE, boot_id, fresh);
	if (!srv->journal) {
		log_error("cannot make the journal in %s", srv->cfg.run_dir);
		return -EIO;
	}
	/* Nothing has come true yet: the last start did not get so far. */
	if (journal_next_seq(srv->journal) == 1)
		*fresh = true;
	snprintf(path, sizeof(path), "%s/rings", srv->cfg.run_dir);
	if (*fresh)
		unlink(path);
	srv->slots = ring_slots_open(path);
	if (!srv->slots) {
		log_error("cannot make %s", path);
		return -EIO;
	}
	return 0;
}

/* The last reply of each ring that the journal has: it may not have reached its slot. */
static int replay_half(struct server *srv, unsigned int half)
{
	struct journal_frame f;
	size_t at = 0;
	int ret;

	while ((ret = journal_frame_at(srv->journal, half, at, &f)) > 0) {
		struct journal_record r;
		size_t pos = 0;

		while (journal_record_at(&f, &pos, &r) > 0) {
			const struct reply_record *rec = r.value;
			enum record_kind kind;
			struct domain *d;
			uint64_t a, b;

			if (record_key_parse(r.key, r.key_len, &kind, &a, &b) < 0 ||
			    kind != RECORD_REPLY || r.value_len < sizeof(*rec) ||
			    (f.persistent && journal_frame_is_void(srv->journal, f.seq)))
				continue;
			d = domain_find(&srv->domains, (unsigned int)a);
			if (d && d->conn && rec->len == r.value_len - sizeof(*rec))
				conn_ring_replay(d->conn, rec->msg_seq, rec->bytes, rec->len);
		}
		at = f.next;
		journal_frame_done(&f);
	}
	return ret;
}

/* The nodes that the last daemon of this boot has left in memory. */
static int open_nodes(struct server *srv, bool fresh)
{
	char path[512];
	int ret;

	snprintf(path, sizeof(path), "%s/nodes", srv->cfg.run_dir);
	/* Without the file: whoever removed it wants to go on without them. */
	ret = tree_open(&srv->tree, srv->cfg.run_dir, fresh || access(path, F_OK) < 0,
			journal_seq(srv->journal));
	if (ret < 0) {
		log_errorx("%s or %s/undo cannot be used (%s): remove %s to start without the "
			   "domains' nodes",
			   path, srv->cfg.run_dir, ret == -EBADMSG ? "damaged" : strerror(-ret),
			   path);
		return ret;
	}
	if (srv->tree.root)
		return 0;
	return fresh ? server_root(srv) : server_root_node(srv);
}

static int load_all(struct server *srv, bool fresh)
{
	struct keeper_config cfg;
	struct load l;
	int ret = load_init(&l, srv, false);

	if (ret < 0)
		return ret;
	keeper_config(srv, &cfg, fresh);
	ret = keeper_start(srv, &cfg, load_record, &l);
	load_fini(&l);
	return ret;
}

/* A damaged persistent store is put aside and the last good snapshot takes its place. */
static int load_or_rebuild(struct server *srv, bool fresh)
{
	int ret;

	ret = open_nodes(srv, fresh);
	if (ret < 0)
		return ret;
	ret = load_all(srv, fresh);
	if (ret != -EBADMSG)
		return ret;
	if (srv->failed_env == JOURNAL_RUNTIME) {
		log_errorx("remove %s/runtime to start without the domains' part",
			   srv->cfg.run_dir);
		return ret;
	}
	ret = keeper_adopt_snapshot(srv->cfg.state_dir, AUTO_SNAPSHOT);
	if (ret < 0) {
		log_errorx("no good snapshot %s/" AUTO_SNAPSHOT ": restore one by hand, or move "
			   "%s/store away to start empty",
			   srv->cfg.state_dir, srv->cfg.state_dir);
		return ret;
	}
	log_errorx("the persistent store was damaged and has been put aside; going on with the "
		   "snapshot of %s/" AUTO_SNAPSHOT,
		   srv->cfg.state_dir);
	return load_all(srv, fresh);
}

int persist_lock(struct server *srv)
{
	srv->state_lock = lock_dir(srv->cfg.state_dir);
	if (srv->state_lock < 0)
		return srv->state_lock;
	srv->run_lock = lock_dir(srv->cfg.run_dir);
	return srv->run_lock < 0 ? srv->run_lock : 0;
}

int persist_up(struct server *srv)
{
	bool fresh = true;
	int ret = open_journal(srv, &fresh);

	if (ret < 0)
		return ret;
	ret = load_or_rebuild(srv, fresh);
	if (ret < 0)
		return ret;
	if (!fresh)
		change_recovered(srv);
	srv->persist_seq = srv->durable_seq;
	for (unsigned int half = 0; half < JOURNAL_HALVES; half++)
		replay_half(srv, half);
	for (unsigned int half = 0; half < JOURNAL_HALVES; half++)
		journal_give_back(srv->journal, half);
	srv->restarted = !fresh;
	return 0;
}

void persist_resume(struct server *srv)
{
	if (!srv->restarted)
		return;
	domains_check(srv);
	for (struct conn *c = srv->conns; c; c = c->next) {
		for (struct watch *w = c->watch_first; w; w = w->next)
			watch_fire_first(srv, w);
	}
	conns_flush(srv);
}

void persist_good(struct server *srv)
{
	if (!srv->keeper)
		return;
	srv->good_seq = srv->durable_seq;
	srv->good_ns = now_ns();
	keeper_snapshot(srv, AUTO_SNAPSHOT);
}

void persist_down(struct server *srv)
{
	if (!srv->journal)
		return;
	keeper_settle(srv);
	keeper_stop(srv);
	journal_close(srv->journal);
	srv->journal = NULL;
	close(srv->state_lock);
	close(srv->run_lock);
}

/* Takes the persistent nodes out of memory only: the disk has other ones. */
static void drop_persistent(struct server *srv)
{
	struct node *next;

	for (struct node *n = node_first(srv->tree.root); n; n = next) {
		next = node_sibling(n);
		if (n->flags & NODE_PERSISTENT)
			change_unloaded(srv, n);
	}
}

static int reload_persistent(struct server *srv)
{
	struct keeper_config cfg;
	struct load l;
	int ret;

	keeper_stop(srv);
	drop_persistent(srv);
	ret = load_init(&l, srv, true);
	if (ret < 0)
		return ret;
	keeper_config(srv, &cfg, false);
	ret = keeper_start(srv, &cfg, load_record, &l);
	load_fini(&l);
	for (unsigned int half = 0; ret == 0 && half < JOURNAL_HALVES; half++)
		journal_give_back(srv->journal, half);
	if (ret == 0)
		ret = keeper_listen(srv);
	watch_note(srv, "/config", 7, node_perms(srv->tree.root), NULL, false);
	watch_note(srv, "/history", 8, node_perms(srv->tree.root), NULL, false);
	feed_end_all(srv);
	watch_fire_collected(srv);
	return ret;
}

void persist_failed(struct server *srv, int err)
{
	log_errorx("the disk refuses persistent changes (%s): clients are told, %s/store is as "
		   "before; free some space there",
		   strerror(-err), srv->cfg.state_dir);
	conns_fail_held(srv, srv->durable_seq + 1, -err);
	keeper_stop(srv);
	if (doubts_undo(srv) == 0) {
		journal_publish_void(srv->journal, srv->durable_seq);
		tree_commit(&srv->tree);
	} else if (!srv->doubts) {
		journal_void(srv->journal, journal_next_seq(srv->journal) - 1);
	} else {
		log_errorx("no room in the journal to undo what the disk refused: giving up");
		exit(70);
	}
	if (reload_persistent(srv) < 0) {
		log_errorx("the persistent store cannot be read again: giving up");
		exit(70);
	}
	srv->persist_seq = srv->durable_seq;
	/* What has come back may name a domain that has ended meanwhile. */
	srv->ended_still_named = true;
	sessions_refused(srv, srv->durable_seq + 1);
	srv->degraded = true;
	srv->degraded_since_ns = now_ns();
	conns_release_held(srv, UINT64_MAX);
	doubts_settled(srv);
}

static int rename_in(const char *dir, const char *from, const char *to)
{
	char a[600], b[600];

	snprintf(a, sizeof(a), "%s/%s", dir, from);
	snprintf(b, sizeof(b), "%s/%s", dir, to);
	return rename(a, b) < 0 ? -errno : 0;
}

static int copy_file(const char *dir, const char *from, const char *to)
{
	char a[600], b[600], *block = malloc(65536);
	int in, out, ret = -EIO;
	ssize_t n = 0;

	snprintf(a, sizeof(a), "%s/%s", dir, from);
	snprintf(b, sizeof(b), "%s/%s", dir, to);
	in = open(a, O_RDONLY | O_CLOEXEC);
	out = in < 0 || !block ? -1 : open(b, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	while (out >= 0 && (n = read(in, block, 65536)) > 0) {
		if (write(out, block, (size_t)n) != n)
			break;
	}
	if (out >= 0 && n == 0 && fsync(out) == 0)
		ret = 0;
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	free(block);
	return ret;
}

/* A second name for the store's file: it is there, under its own name, until it is replaced. */
static int put_aside(const char *state_dir)
{
	char from[600], to[640];
	long long now = (long long)time(NULL);
	int n = 0;

	snprintf(from, sizeof(from), "%s/store/data.mdb", state_dir);
	do {
		snprintf(to, sizeof(to),
			 n ? "%s/store/aside-%lld-%d.mdb" : "%s/store/aside-%lld.mdb", state_dir,
			 now, n);
	} while (link(from, to) < 0 && errno == EEXIST && ++n < 100);
	return access(to, F_OK) == 0 || access(from, F_OK) < 0 ? 0 : -EIO;
}

int keeper_adopt_snapshot(const char *state_dir, const char *name)
{
	char path[600];
	int ret;

	snprintf(path, sizeof(path), "%s/%s", state_dir, name);
	if (access(path, R_OK) < 0)
		return -ENOENT;
	snprintf(path, sizeof(path), "%s/store", state_dir);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	if (copy_file(state_dir, name, "store/new.mdb") < 0)
		return -EIO;
	ret = put_aside(state_dir);
	if (ret < 0)
		return ret;
	snprintf(path, sizeof(path), "%s/store/lock.mdb", state_dir);
	unlink(path);
	ret = rename_in(state_dir, "store/new.mdb", "store/data.mdb");
	snprintf(path, sizeof(path), "%s/store", state_dir);
	return ret < 0 ? ret : store_sync_dir(path);
}

int persist_restore(struct server *srv, const char *name)
{
	int ret, err;

	if (!srv->journal)
		return -ENOSYS;
	if (strchr(name, '/') || name[0] == '.')
		return -EINVAL;
	keeper_settle(srv);
	/* What the journal still has of the persistent part is older than the restore. */
	journal_void(srv->journal, journal_next_seq(srv->journal) - 1);
	err = keeper_adopt_snapshot(srv->cfg.state_dir, name);
	/* Also when that failed: the old file may have lost its name by then. */
	ret = reload_persistent(srv);
	if (ret < 0)
		exit(70);
	srv->persist_seq = srv->durable_seq;
	srv->ended_still_named = true;
	return err;
}
