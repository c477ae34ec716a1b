/* SPDX-License-Identifier: MIT */
/*
 * test_room.c - room in the store: nothing a client asks for makes LMDB run out of pages in the
 * middle of it, and what is used is never more than was asked for (page_bound.h). A daemon that
 * had none left ends this test with status 70.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "durable_priv.h"
#include "files.h"
#include "harness.h"
#include "named.h"
#include "restore.h"
#include "store_priv.h"
#include "xs_past.h"

#define GUESTS	20u
#define NODES	950u

/* --- requests --- */

static struct conn *guests[GUESTS + 1];

/* A home whose nodes name five domains, as many as a guest may. */
static void make_home(struct server *srv, struct conn *dom0, unsigned int domid)
{
	char path[64], perms[64];

	guests[domid] = t_client(srv, domid);
	snprintf(path, sizeof(path), "/local/domain/%u", domid);
	snprintf(perms, sizeof(perms), "n%u r101 r102 r103 r104", domid);
	for (unsigned int i = 0; domid == 1 && i < 4; i++)
		t_client(srv, 101 + i);
	assert_int_equal(t_mkdir(dom0, 0, path), 0);
	assert_int_equal(t_setp(dom0, 0, path, perms), 0);
}

/* Their nodes are made in turns: those of one lie among those of all others in every table. */
static void test_removing_what_lies_scattered(void **state)
{
	struct server *srv = t_start();
	struct conn *dom0 = t_client(srv, 0);
	char path[64];

	for (unsigned int g = 1; g <= GUESTS; g++)
		make_home(srv, dom0, g);
	for (unsigned int i = 0; i < NODES; i++) {
		for (unsigned int g = 1; g <= GUESTS; g++) {
			snprintf(path, sizeof(path), "data/%03u", i * 389 % NODES);
			assert_int_equal(t_mkdir(guests[g], 0, path), 0);
		}
	}
	for (unsigned int g = 1; g <= GUESTS; g++)
		assert_int_equal(t_rm(guests[g], 0, "data"), 0);
	t_stop(srv);
}

/* Much at once into a store that has nothing, as a restore after a loss does. */
static void test_a_large_addition_to_a_small_store(void **state)
{
	struct server *srv = t_start();
	struct conn *dom0 = t_client(srv, 0);
	char path[64], value[1001];
	uint32_t t = t_begin(dom0);

	memset(value, 'v', 1000);
	value[1000] = '\0';
	for (unsigned int i = 0; i < 3000; i++) {
		snprintf(path, sizeof(path), "/tool/d%u/n%u", i % 7, i);
		assert_int_equal(t_write(dom0, t, path, value), 0);
	}
	assert_int_equal(t_end(dom0, t, true), 0);
	assert_int_equal(t_read(dom0, 0, "/tool/d0/n0", NULL), 0);
	/* Nor does the file become many times what is in it. */
	assert_in_range(srv->tree.store->size, 3u << 20, 32u << 20);
	t_stop(srv);
}

/* What is asked for has something to do with what is used: a large document fits, too. */
static void test_a_large_document_fits(void **state)
{
	struct server *srv = t_start();
	struct conn *dom0 = t_client(srv, 0);

	uint32_t t = t_begin(dom0);
	char path[64];

	for (unsigned int i = 0; i < 100000; i++) {
		snprintf(path, sizeof(path), "/tool/d%03u/k%02u", i / 100, i % 100);
		assert_int_equal(t_write(dom0, t, path, "a value"), 0);
	}
	assert_int_equal(t_end(dom0, t, true), 0);
	assert_int_equal(store_overdrawn(srv->tree.store), 0);
	assert_in_range(srv->tree.store->size, 8u << 20, 100u << 20);
	t_stop(srv);
}

/* Paths that are too long for a key come in no order, and their records repeat them. */
static void long_paths(unsigned int dirs, size_t dir_len)
{
	struct server *srv = t_start();
	struct conn *dom0 = t_client(srv, 0);
	uint32_t t = t_begin(dom0);
	char path[1024];

	for (unsigned int i = 0; i < dirs; i++) {
		memset(path, 'd', dir_len);
		memcpy(path, "/tool/", 6);
		snprintf(path + dir_len - 6, 16, "%06u/x", i);
		assert_int_equal(t_write(dom0, t, path, "v"), 0);
	}
	assert_int_equal(t_end(dom0, t, true), 0);
	assert_int_equal(store_overdrawn(srv->tree.store), 0);
	t_stop(srv);
}

static void test_long_paths(void **state)
{
	long_paths(3000, 490);
	long_paths(3000, 520);
	long_paths(3000, 700);
}

/* Each domain that is named has the directory's path. */
static void many_rights(unsigned int dirs, size_t dir_len, unsigned int rights)
{
	struct server *srv = t_start();
	struct conn *dom0 = t_client(srv, 0);
	char path[1024], perms[256] = "n0";
	uint32_t t = t_begin(dom0);

	for (unsigned int i = 0; i < rights; i++) {
		t_client(srv, 101 + i);
		snprintf(perms + strlen(perms), 8, " r%u", 101 + i);
	}
	for (unsigned int i = 0; i < dirs; i++) {
		memset(path, 'd', dir_len);
		memcpy(path, "/tool/", 6);
		snprintf(path + dir_len - 6, 16, "%06u/x", i);
		assert_int_equal(t_write(dom0, t, path, "v"), 0);
		assert_int_equal(t_setp(dom0, t, path, perms), 0);
	}
	assert_int_equal(t_end(dom0, t, true), 0);
	assert_int_equal(store_overdrawn(srv->tree.store), 0);
	t_stop(srv);
}

static void test_many_rights_in_directories_with_long_paths(void **state)
{
	many_rights(3000, 250, 10);
	many_rights(1000, 400, 20);
	many_rights(500, 900, 20);
}

/* --- a restore --- */

static void past_add(struct buf *answer, const char *path, const char *value, size_t value_len)
{
	struct xs_past head = {
		.kind = XS_PAST_NODE, .path_len = (uint16_t)strlen(path),
		.value_len = (uint32_t)value_len, .perms_len = 3, .rev = 1,
	};

	head.len = (uint32_t)(sizeof(head) + head.path_len + value_len + head.perms_len);
	assert_int_equal(buf_append(answer, &head, sizeof(head)), 0);
	assert_int_equal(buf_append(answer, path, head.path_len), 0);
	assert_int_equal(buf_append(answer, value, value_len), 0);
	assert_int_equal(buf_append(answer, "n0", 3), 0);
}

/* A snapshot has its nodes by age: in any order. */
static void restored(size_t value_len, bool scattered)
{
	struct server *srv = t_start();
	struct conn *dom0 = t_client(srv, 0);
	struct buf answer = { 0 };
	char path[64], value[2048];

	memset(value, 'v', sizeof(value));
	srv->durable.off = false;
	srv->durable.room.free_bytes = UINT64_MAX / 2;
	past_add(&answer, "/config", "", 0);
	for (unsigned int i = 0; i < 4000; i++) {
		snprintf(path, sizeof(path), "/config/k%06u", scattered ? i * 1577 % 4000 : 3999 - i);
		past_add(&answer, path, value, value_len);
	}
	assert_int_equal(restore_nodes(srv, &answer), 0);
	assert_int_equal(t_read(dom0, 0, "/config/k000000", NULL), 0);
	store_commit(srv->tree.store);
	assert_int_equal(store_overdrawn(srv->tree.store), 0);
	srv->durable.off = true;
	buf_fini(&answer);
	t_stop(srv);
}

static void test_a_restore_of_what_was_made_in_another_order(void **state)
{
	for (size_t len = 1190; len <= 1310; len += 30) {
		restored(len, false);
		restored(len, true);
	}
}

/* There is only room for some of it at a time: what an ended domain had goes nevertheless. */
static void test_an_ended_domain_is_forgotten_in_parts(void **state)
{
	struct server *srv = t_start();
	struct conn *dom0 = t_client(srv, 0);
	unsigned int named = 1;
	char path[64];
	int err = 0;

	for (unsigned int g = 1; g <= GUESTS; g++)
		make_home(srv, dom0, g);
	srv->tree.store->limit = 8u << 20;
	for (unsigned int i = 0; i < NODES && !err; i++) {
		for (unsigned int g = 1; g <= GUESTS && !err; g++) {
			snprintf(path, sizeof(path), "data/%03u", i * 389 % NODES);
			err = t_mkdir(guests[g], 0, path);
		}
	}
	assert_int_equal(err, ENOSPC);
	/* More than is kept for removals. */
	assert_int_equal(t_rm(guests[1], 0, "data"), ENOSPC);
	assert_int_equal(t_mkdir(guests[1], 0, "data/000"), 0);
	fake_domain(srv->hv, 1, 0);
	domains_check(srv);
	conns_reap(srv);
	assert_true(!named_domid_next(&srv->tree, &named) || named != 1);
	t_stop(srv);
}

/* What the disk has leaves the queue also where there is no room for much at a time. */
static void test_the_queue_is_emptied_in_a_full_store(void **state)
{
	struct server *srv = t_start();
	struct conn *dom0 = t_client(srv, 0);
	char path[64], value[401];
	int err = 0;

	memset(value, 'v', 400);
	value[400] = '\0';
	srv->durable.off = false;
	srv->durable.room.free_bytes = UINT64_MAX / 2;
	srv->tree.store->limit = 8u << 20;
	for (unsigned int i = 0; i < 100000 && !err; i++) {
		snprintf(path, sizeof(path), "/config/n%u", i * 389 % 7919);
		err = t_write(dom0, 0, path, value);
		value[0] = (char)('a' + i % 20);
	}
	assert_int_equal(err, ENOSPC);
	assert_int_equal(store_room(srv->tree.store, 256, 0, true), -ENOSPC);
	srv->durable.trim = srv->durable.last;
	for (int i = 0; i < 10000 && srv->durable.trim; i++)
		durable_turn(srv);
	assert_int_equal(store_count(srv->tree.store, STORE_QUEUE), 0);
	srv->durable.off = true;
	t_stop(srv);
}

/*
 * A request that was refused because the worker did not read is over: nobody parks what is left of
 * it.
 */
static void test_what_was_refused_is_not_parked(void **state)
{
	struct server *srv = t_start();
	struct conn *dom0 = t_client(srv, 0);
	char packet[4096] = { 0 };
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	while (send(pair[0], packet, sizeof(packet), MSG_DONTWAIT) > 0)
		;
	srv->durable.io.fd = pair[0];
	dom0->room_lacked = 1;
	assert_false(durable_await_room(dom0));
	while (recv(pair[1], packet, sizeof(packet), MSG_DONTWAIT) > 0)
		;
	assert_false(durable_await_room(dom0));
	/* The next one may. */
	dom0->room_lacked = 1;
	assert_true(durable_await_room(dom0));
	conns_resume(srv, CONN_WAIT_ROOM);
	srv->durable.io.fd = -1;
	close(pair[0]);
	close(pair[1]);
	t_stop(srv);
}

/* A guest that was refused while the disk was full is not refused when it has room again. */
static void test_room_that_has_come_is_found(void **state)
{
	struct server *srv = t_start();
	struct conn *dom0 = t_client(srv, 0), *guest = t_client(srv, 1);
	struct worker_msg msg;
	int pair[2];

	assert_int_equal(t_mkdir(dom0, 0, "/config/guest"), 0);
	assert_int_equal(t_setp(dom0, 0, "/config/guest", "n1"), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	srv->durable.off = false;
	srv->durable.io.fd = pair[0];
	srv->durable.room.free_bytes = 0;
	durable_tick(srv);
	assert_int_equal(recv(pair[1], &msg, sizeof(msg), 0), -1);
	assert_int_equal(t_write(guest, 0, "/config/guest/a", "1"), ENOSPC);
	durable_tick(srv);
	assert_int_equal(recv(pair[1], &msg, sizeof(msg), 0), sizeof(msg));
	assert_int_equal(msg.op, WORKER_ROOM);
	/* Once is enough. */
	durable_tick(srv);
	assert_int_equal(recv(pair[1], &msg, sizeof(msg), 0), -1);
	msg = (struct worker_msg){ .op = WORKER_ROOM, .room.free_bytes = 1u << 20 };
	durable_take(srv, &msg, NULL, 0);
	assert_int_equal(srv->durable.room_answered, srv->durable.room_asked);
	assert_int_equal(t_write(guest, 0, "/config/guest/a", "1"), 0);
	srv->durable.io.fd = -1;
	srv->durable.off = true;
	close(pair[0]);
	close(pair[1]);
	t_stop(srv);
}

/* --- records --- */

#define KEYS 4000u

/* What a model knows: the length of each record, 0: there is none. */
struct model {
	struct store *l;
	uint16_t len[STORE_TABLES][KEYS];
	unsigned int long_keys;		/* bytes that keys are filled up to */
	unsigned int long_values;	/* most bytes of a value */
	bool downwards;			/* new keys are mostly below the last ones */
	unsigned int at;
	bool together;			/* what follows is in the same commit */
	unsigned long done, refused, asked, used;
};

static size_t key_of(const struct model *m, unsigned int i, char key[STORE_KEY_MAX + 1])
{
	int len = snprintf(key, STORE_KEY_MAX, "k%06u", i);
	size_t fill = i * 2654435761u % (m->long_keys + 1);

	memset(key + len, 'x', fill);
	return (size_t)len + fill;
}

static void put(struct model *m, enum store_table t, unsigned int i, unsigned int len)
{
	static char rec[16384];
	char key[STORE_KEY_MAX + 1];
	size_t key_len = key_of(m, i, key);

	store_put(m->l, t, key, key_len, rec, STORE_HEAD + len);
	m->len[t][i] = (uint16_t)len;
}

static void del(struct model *m, enum store_table t, unsigned int i)
{
	char key[STORE_KEY_MAX + 1];
	size_t key_len = key_of(m, i, key);

	store_del(m->l, t, key, key_len);
	m->len[t][i] = 0;
}

static unsigned int pick(struct model *m)
{
	if (!m->downwards || rand() % 8 == 0)
		return m->at = (unsigned int)rand() % KEYS;
	return m->at = m->at ? m->at - 1 : KEYS - 1;
}

/* One request: what it is going to do is asked for exactly. */
static void request(struct model *m, unsigned int most, bool removing)
{
	struct { enum store_table t; unsigned int i, len; } what[512];
	unsigned int nr = 1 + (unsigned int)rand() % most;
	struct store_need need = { .frees = removing };

	for (unsigned int k = 0; k < nr; k++) {
		what[k].t = (enum store_table)(1 + rand() % (STORE_TABLES - 1));
		what[k].i = pick(m);
		what[k].len = 0;
		if (removing) {
			/* one that is there, if any is near */
			for (unsigned int n = 0; n < 64 && !m->len[what[k].t][what[k].i]; n++)
				what[k].i = (what[k].i + 1) % KEYS;
			need.deletes++;
			continue;
		}
		if (m->len[what[k].t][what[k].i] && rand() % 4 == 0) {
			/* within a request another one may have changed it by then */
			what[k].len = m->len[what[k].t][what[k].i];
			need.rewrites++;
			need.inserts++;
		} else {
			what[k].len = 1 + (unsigned int)rand() % (rand() % 8 ? 60 : m->long_values);
			need.inserts++;
		}
		need.bytes += what[k].len;
		if (what[k].len > need.longest)
			need.longest = what[k].len;
	}
	if (store_room_for(m->l, &need) < 0) {
		m->refused++;
		return;
	}
	for (unsigned int k = 0; k < nr; k++) {
		if (what[k].len)
			put(m, what[k].t, what[k].i, what[k].len);
		else
			del(m, what[k].t, what[k].i);
	}
	m->done++;
	if (!m->together && rand() % 3 == 0)
		store_commit(m->l);
}

/* Every record is as long as it should be. */
static void check(struct model *m)
{
	char key[STORE_KEY_MAX + 1];
	struct store_bytes rec;

	for (int t = 1; t < STORE_TABLES; t++) {
		for (unsigned int i = 0; i < KEYS; i++) {
			bool there = store_get(m->l, (enum store_table)t, key, key_of(m, i, key), &rec);

			assert_int_equal(there ? rec.len : 0, m->len[t][i]);
		}
	}
	assert_int_equal(store_overdrawn(m->l), 0);
}

/* Fills a store of @mib that cannot grow until most is refused, empties it, and so on. */
static void churn(unsigned int seed, unsigned int mib, unsigned int most, bool downwards)
{
	struct model *m = calloc(1, sizeof(*m));

	srand(seed);
	m->l = store_open_private();
	assert_non_null(m->l);
	m->l->limit = (uint64_t)mib << 20;
	m->long_keys = seed % 3 ? 8 : 400;
	m->long_values = seed % 2 ? 500 : 12000;
	m->downwards = downwards;
	for (unsigned int round = 0; round < 6; round++) {
		bool removing = round % 2;
		unsigned long refused = m->refused;

		for (unsigned int i = 0; i < 40000 / most && m->refused < refused + 60; i++)
			request(m, most, removing);
	}
	check(m);
	assert_true(m->done > 20);
	store_close(m->l);
	free(m);
}

static void test_a_store_that_cannot_grow_is_never_used_up(void **state)
{
	for (unsigned int seed = 1; seed <= 6; seed++) {
		churn(seed, 1 + seed % 3, seed % 2 ? 12 : 200, seed % 4 == 0);
		churn(seed + 100, 8, seed % 2 ? 40 : 500, seed % 2);
	}
}

static void test_a_store_that_grows_keeps_the_bound(void **state)
{
	for (unsigned int seed = 21; seed <= 24; seed++)
		churn(seed, 512, seed % 2 ? 12 : 500, seed % 4 == 0);
}

/* Puts records @from to @to, each @step-th of them: in a row, or between those with an @end. */
static void fill(struct store *l, unsigned int from, unsigned int to, unsigned int step, const char *end)
{
	unsigned int nr = (to - from) / step;
	struct store_need need = {
		.inserts = nr, .bytes = 48ul * nr, .longest = 48, .trusted = true,
	};
	char rec[STORE_HEAD + 40] = { 0 }, key[32];

	assert_int_equal(store_room_for(l, &need), 0);
	for (unsigned int i = from; i < to; i += step) {
		int len = snprintf(key, sizeof(key), "k%06u%s", i, end);

		store_put(l, STORE_NODE, key, (size_t)len, rec, sizeof(rec));
	}
	store_commit(l);
	assert_int_equal(store_overdrawn(l), 0);
}

/* Pages that were put in a row are full: each is divided by the first record that comes between. */
static void test_a_little_on_each_page_of_a_full_store(void **state)
{
	struct store *l = store_open_private();

	assert_non_null(l);
	for (unsigned int i = 0; i < 400000; i += 50000)
		fill(l, i, i + 50000, 1, "");
	/* What that was given is long given back. */
	l->borrowed_ns = 1;
	fill(l, 0, 1, 1, "y");
	assert_in_range(l->size, 24u << 20, 48u << 20);
	fill(l, 0, 400000, 32, "x");
	store_close(l);
}

/* Of @len bytes, as they are counted; what is put has up to 15 more with LMDB's part. */
static void of_one_length(unsigned int len, bool backwards)
{
	const unsigned int nr = 2000;
	struct store *l = store_open_private();
	struct store_need need = {
		.inserts = nr, .bytes = (size_t)nr * len, .longest = len, .trusted = true,
		.backwards = backwards ? nr - 1 : 0,
	};
	char rec[2048] = { 0 }, key[32];

	assert_non_null(l);
	assert_int_equal(store_room_for(l, &need), 0);
	for (unsigned int i = 0; i < nr; i++) {
		int key_len = snprintf(key, sizeof(key), "k%06u", backwards ? nr - i : i);

		store_put(l, STORE_NODE, key, (size_t)key_len, rec, len + 15 - 8 - (size_t)key_len);
	}
	store_commit(l);
	assert_int_equal(store_overdrawn(l), 0);
	store_close(l);
}

static void test_records_of_which_a_page_has_three_or_two(void **state)
{
	for (unsigned int len = 1240; len <= 1440; len += 10) {
		of_one_length(len, false);
		of_one_length(len, true);
	}
}

/* --- how full pages are --- */

/*
 * Puts row @row's records, or checks them, in the order of their keys; between the first and last.
 */
static void row(struct store *l, unsigned int row, bool put, size_t *bytes)
{
	char rec[STORE_HEAD + 90], key[32];
	struct store_bytes found;

	for (unsigned int i = 0; i < 400; i++) {
		int len = snprintf(key, sizeof(key), "k%03u/%03u", row, i);
		size_t size = STORE_HEAD + 20 + (row * 7 + i * 13) % 70;

		if (!put) {
			assert_true(store_get(l, STORE_NODE, key, (size_t)len, &found));
			assert_int_equal(found.len, size - STORE_HEAD);
			assert_int_equal(*(const char *)found.data, 'a' + row % 20);
			continue;
		}
		memset(rec, (int)('a' + row % 20), sizeof(rec));
		assert_int_equal(store_room(l, 1, size, false), 0);
		store_put(l, STORE_NODE, key, (size_t)len, rec, size);
		*bytes += (size_t)len + size;
		if (i % 7 == row % 7)
			store_commit(l);
	}
}

static void test_rows_between_others_fill_their_pages(void **state)
{
	struct store *l = store_open_private();
	size_t bytes = 0;
	MDB_stat st;

	assert_non_null(l);
	for (unsigned int i = 0; i < 50; i++)
		row(l, i % 2 ? 999 - i : i, true, &bytes);
	for (unsigned int i = 0; i < 50; i++)
		row(l, i % 2 ? 999 - i : i, false, NULL);
	assert_int_equal(mdb_stat(l->txn, l->dbi[STORE_NODE], &st), 0);
	assert_int_equal(st.ms_entries, 50 * 400);
	/* Ten bytes are LMDB's; divided in the middle they would be half full. */
	assert_true((bytes + 10 * st.ms_entries) * 100 / (st.ms_leaf_pages * STORE_PAGE) > 75);
	assert_int_equal(store_overdrawn(l), 0);
	store_close(l);
}

/* --- with a reader that stands still: what was given back since is not used again --- */

static struct {
	char dir[32];
	int go[2];
	pid_t pid;
} reader;

static int read_until_told(const char *live, int ready)
{
	MDB_env *env;
	MDB_txn *txn;
	char c;
	int rc = mdb_env_create(&env);

	rc = rc ? rc : mdb_env_set_maxdbs(env, 32);
	rc = rc ? rc : mdb_env_open(env, live, MDB_RDONLY | MDB_NOTLS, 0600);
	rc = rc ? rc : mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);
	close(reader.go[1]);
	return write(ready, rc ? "n" : "y", 1) != 1 || read(reader.go[0], &c, 1) != 0;
}

static void reader_starts(void)
{
	char live[64], c = 'n';
	int ready[2];

	snprintf(live, sizeof(live), "%s/live", reader.dir);
	assert_int_equal(pipe(reader.go) | pipe(ready), 0);
	reader.pid = fork();
	if (reader.pid == 0)
		_exit(read_until_told(live, ready[1]));
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(c, 'y');
	close(ready[0]);
	close(ready[1]);
	close(reader.go[0]);
}

static void reader_ends(struct store *l)
{
	close(reader.go[1]);
	assert_int_equal(waitpid(reader.pid, NULL, 0), reader.pid);
	store_reader_died(l);
}

/* A store in a directory, and a model of it. */
static struct model *model_in_dir(void)
{
	struct model *m = calloc(1, sizeof(*m));
	enum store_found found;

	strcpy(reader.dir, "/dev/shm/xs-room-XXXXXX");
	assert_non_null(mkdtemp(reader.dir));
	assert_int_equal(store_open(reader.dir, &m->l, &found), 0);
	m->long_keys = 8;
	m->long_values = 3000;
	return m;
}

static void model_end(struct model *m)
{
	check(m);
	store_close(m->l);
	free(m);
	assert_int_equal(files_remove(reader.dir), 0);
}

/* The worker may be stopped in the middle: that is no reason to die of. */
static void test_a_reader_that_stands_still(void **state)
{
	struct model *m = model_in_dir();

	m->l->limit = 6u << 20;
	for (unsigned int i = 0; i < 300; i++)
		request(m, 12, false);
	store_commit(m->l);
	reader_starts();
	for (unsigned int i = 0; i < 3000; i++)
		request(m, 12, i % 3 == 2);
	assert_true(m->refused > 0);
	reader_ends(m->l);
	m->refused = 0;
	for (unsigned int i = 0; i < 200; i++)
		request(m, 12, true);
	assert_int_equal(m->refused, 0);
	model_end(m);
}

/* Nobody gets a large file from the store by asking for more than any request may have. */
static void test_what_can_never_fit_makes_no_file_larger(void **state)
{
	struct model *m = model_in_dir();
	uint64_t size = m->l->size;

	m->l->limit = 64u << 20;
	assert_int_equal(store_room(m->l, 200000, 1u << 20, false), -ENOSPC);
	assert_int_equal(store_room(m->l, 200000, 1u << 20, true), -ENOSPC);
	assert_int_equal(m->l->size, size);
	/* One that could, but for the limit. */
	assert_int_equal(store_room(m->l, 30000, 1u << 20, false), -ENOSPC);
	assert_true(m->l->size > size);
	model_end(m);
}

/* What a commit itself may need here: roots, and the list of free pages with its growth. */
#define COMMIT_MOST 5u

/* One request a commit, and each page is a new one: so the file's end says how many were used. */
static void count_one(struct model *m, unsigned int most, bool removing)
{
	uint64_t before, asked, used;
	unsigned long done = m->done;

	store_commit(m->l);
	before = m->l->next_page;
	m->together = true;
	request(m, most, removing);
	m->together = false;
	assert_int_equal(m->done, done + 1);
	asked = m->l->began.pages - m->l->budget.pages;
	store_commit(m->l);
	used = m->l->next_page - before;
	if (used > asked + COMMIT_MOST + used / 100)
		fail_msg("%u records: %u pages asked for, %u used", most, (unsigned int)asked,
			 (unsigned int)used);
	m->asked += asked;
	m->used += used;
}

static void count(unsigned int seed, unsigned int most, unsigned int nr, unsigned int before)
{
	struct model *m = model_in_dir();

	srand(seed);
	m->long_keys = seed % 2 ? 8 : 400;
	m->long_values = seed % 3 ? 500 : 8000;
	m->downwards = seed % 4 == 1;
	for (unsigned int i = 0; i < before; i++)
		request(m, most, false);
	store_commit(m->l);
	reader_starts();
	for (unsigned int i = 0; i < nr; i++)
		count_one(m, most, i % 4 >= 2);
	/* Nor is it so much that nothing would fit any more. */
	assert_true(nr == 1 || m->asked < 12 * m->used);
	reader_ends(m->l);
	model_end(m);
}

static void test_no_request_uses_more_than_it_asked_for(void **state)
{
	for (unsigned int seed = 1; seed <= 12; seed++)
		count(seed, seed % 3 ? 1 + seed : 100, seed % 3 ? 100 : 16, seed % 3 ? 400 : 64);
	/* Much into nothing: all pages are new ones. */
	for (unsigned int seed = 1; seed <= 12; seed++)
		count(seed, 400, 1, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_removing_what_lies_scattered),
		cmocka_unit_test(test_a_large_addition_to_a_small_store),
		cmocka_unit_test(test_a_large_document_fits),
		cmocka_unit_test(test_long_paths),
		cmocka_unit_test(test_many_rights_in_directories_with_long_paths),
		cmocka_unit_test(test_a_restore_of_what_was_made_in_another_order),
		cmocka_unit_test(test_records_of_which_a_page_has_three_or_two),
		cmocka_unit_test(test_an_ended_domain_is_forgotten_in_parts),
		cmocka_unit_test(test_the_queue_is_emptied_in_a_full_store),
		cmocka_unit_test(test_what_was_refused_is_not_parked),
		cmocka_unit_test(test_room_that_has_come_is_found),
		cmocka_unit_test(test_a_store_that_cannot_grow_is_never_used_up),
		cmocka_unit_test(test_a_store_that_grows_keeps_the_bound),
		cmocka_unit_test(test_a_little_on_each_page_of_a_full_store),
		cmocka_unit_test(test_rows_between_others_fill_their_pages),
		cmocka_unit_test(test_a_reader_that_stands_still),
		cmocka_unit_test(test_what_can_never_fit_makes_no_file_larger),
		cmocka_unit_test(test_no_request_uses_more_than_it_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
