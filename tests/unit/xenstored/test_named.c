/* SPDX-License-Identifier: MIT */
/*
 * test_named.c - the index of who is named where. Claims: whatever is done, and over starts and the
 * file's shrinking, it is what a look at every node's permissions finds; a domain that ends is
 * named nowhere afterwards; the work for that does not depend on what others have in the same
 * directories; an environment of the release before is taken over, a start that is killed meanwhile
 * goes on.
 *
 * argv[1]: the directory samples. STOREVISOR_SEED, STOREVISOR_LONG.
 */
#include <fcntl.h>
#include <lmdb.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bytes.h"
#include "checked.h"
#include "files.h"
#include "harness.h"
#include "live.h"
#include "mend_kit.h"
#include "named.h"
#include "store_priv.h"

#define GUESTS 9u
#define NAMES_MAX 60000u

static const char *samples;
static struct server *srv;
static struct conn *dom0, *guest[GUESTS + 1];

/* --- what is named, found in two ways: "DOMID PATH", in order --- */

struct names {
	char *line[NAMES_MAX];
	unsigned int nr;
};

static void add(struct names *n, unsigned int domid, const char *path, size_t len)
{
	assert_true(n->nr < NAMES_MAX);
	n->line[n->nr] = malloc(len + 8);
	snprintf(n->line[n->nr++], len + 8, "%u %.*s", domid, (int)len, path);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort(struct names *n)
{
	qsort(n->line, n->nr, sizeof(n->line[0]), by_text);
}

static void add_node(struct names *n, const struct node *node, const char *path, size_t len)
{
	const struct perms *p = node->perms;

	for (unsigned int i = 0; i < p->nr; i++) {
		bool before = p->e[i].domid == 0;

		for (unsigned int k = 0; k < i; k++)
			before |= p->e[k].domid == p->e[i].domid;
		if (!before)
			add(n, p->e[i].domid, path, len);
	}
}

/* By each node's permissions. */
static void scan(struct names *n)
{
	struct tree *t = &srv->tree;
	struct store_bytes key, rec;
	struct walk w;

	n->nr = 0;
	for (bool more = walk_begin(&w, t, "/", 1); more; more = walk_next(&w, UINT32_MAX))
		add_node(n, &w.node, w.path, w.len);
	for (bool more = store_seek(t->store, STORE_NODE, "@", 1, &key, &rec); more;
	     more = store_next(t->store, STORE_NODE, &key, &rec)) {
		struct node node;

		if (tree_find(t, key.data, key.len, &node))
			add_node(n, &node, key.data, key.len);
	}
	sort(n);
}

/* By the index. */
static void look_up(struct names *n)
{
	struct named at;

	n->nr = 0;
	for (unsigned int domid = 0; named_domid_next(&srv->tree, &domid); domid++) {
		for (bool more = named_first(&srv->tree, domid, &at); more; more = named_next(&srv->tree, &at))
			add(n, domid, at.path.text, at.path.len);
	}
	sort(n);
}

static void names_free(struct names *n)
{
	for (unsigned int i = 0; i < n->nr; i++)
		free(n->line[i]);
	n->nr = 0;
}

static void assert_same(const struct names *found, const struct names *wanted)
{
	for (unsigned int i = 0; i < found->nr && i < wanted->nr; i++)
		assert_string_equal(found->line[i], wanted->line[i]);
	assert_int_equal(found->nr, wanted->nr);
}

static unsigned int assert_index(void)
{
	static struct names found, wanted;
	unsigned int nr;

	scan(&wanted);
	look_up(&found);
	assert_same(&found, &wanted);
	nr = found.nr;
	names_free(&found);
	names_free(&wanted);
	return nr;
}

static bool is_named(unsigned int domid)
{
	unsigned int named = domid;

	return named_domid_next(&srv->tree, &named) && named == domid;
}

/* --- a server on a file --- */

static void begin(void)
{
	srv = mend_open();
	assert_non_null(srv);
	dom0 = t_client(srv, 0);
	memset(guest, 0, sizeof(guest));
}

static void end(void)
{
	struct buf text = { 0 };

	if (check_all(srv, &text))
		fail_msg("%.*s", (int)buf_len(&text), buf_front(&text));
	buf_fini(&text);
	assert_int_equal(store_overdrawn(srv->tree.store), 0);
	conns_flush(srv);
	mend_close(srv);
}

static void make_run(void)
{
	char name[100];

	strcpy(mk.run, "/dev/shm/xs-named-XXXXXX");
	assert_non_null(mkdtemp(mk.run));
	snprintf(name, sizeof(name), "%s/fake", mk.run);
	mk.hv = fake_hv_open(name);
}

static int setup(void **state)
{
	make_run();
	begin();
	return 0;
}

static int teardown(void **state)
{
	return mend_teardown(state);
}

static void start_again(void)
{
	end();
	begin();
}

static void end_domain(unsigned int domid)
{
	fake_domain(srv->hv, domid, 0);
	domains_check(srv);
	conns_reap(srv);
	guest[domid] = NULL;
	assert_false(is_named(domid));
}

static struct conn *client(unsigned int domid)
{
	if (domid == 0)
		return dom0;
	if (!guest[domid])
		guest[domid] = t_client(srv, domid);
	return guest[domid];
}

/* --- anything --- */

/* A directory whose path is longer than what several nodes share a record of. */
static const char *long_dir(void)
{
	static char path[1300];

	if (!path[0]) {
		strcpy(path, "/long");
		for (unsigned int i = 0; i < 5; i++) {
			size_t at = strlen(path);

			path[at] = '/';
			memset(path + at + 1, 'a' + (int)i, 240);
		}
	}
	return path;
}

/* Somewhere: many in one directory, some deep, some with long paths, some that are special. */
static void somewhere(char *path)
{
	static const char *const tops[] = { "/a", "/a/b", "/c", "/local/domain/3", "" };
	unsigned int kind = live_rnd(16);

	if (kind == 0)
		sprintf(path, "@releaseDomain/%u", 1 + live_rnd(GUESTS));
	else if (kind == 1)
		sprintf(path, "%s/%u", long_dir(), live_rnd(6));
	else if (kind == 2)
		sprintf(path, "%.700s/%u/%u", long_dir(), live_rnd(4), live_rnd(4));
	else if (kind < 8)
		sprintf(path, "/many/%u", live_rnd(300));
	else if (kind < 12)
		sprintf(path, "/local/domain/%u/d%u/k%u", 1 + live_rnd(GUESTS), live_rnd(3), live_rnd(5));
	else
		sprintf(path, "%s/%c/%c", tops[live_rnd(5)], 'x' + (int)live_rnd(3), 'p' + (int)live_rnd(4));
	if (live_rnd(6) == 0 && path[0] == '/' && strrchr(path, '/') != path)
		*strrchr(path, '/') = '\0';
	if (live_rnd(60) == 0)
		strcpy(path, "/");
}

/* Of up to five, some twice; most of them alike, as a domain's are. */
static void some_perms(char *perms)
{
	unsigned int nr = live_rnd(3) ? 1 : 1 + live_rnd(5), at = 0;

	for (unsigned int i = 0; i < nr; i++)
		at += (unsigned int)sprintf(perms + at, "%s%c%u", i ? " " : "", "nrwb"[live_rnd(4)],
					    live_rnd(GUESTS + 1));
	/* Who is named has to be there. */
	for (unsigned int d = 1; d <= GUESTS; d++)
		client(d);
}

/* One request by somebody, in a transaction or not; what comes of it is the tree's. */
static void request(struct conn *c, uint32_t t)
{
	char path[1400], perms[64];

	somewhere(path);
	switch (live_rnd(8)) {
	case 0:
		/* Not all of it. */
		if (strchr(path + 1, '/') || live_rnd(40) == 0)
			t_rm(c, t, path);
		break;
	case 1:
	case 2:
	case 3:
		some_perms(perms);
		/* Nobody can take away the whole store that a domain was given. */
		if (path[1] || perms[1] == '0')
			t_setp(c, t, path, perms);
		break;
	case 4:
		t_mkdir(c, t, path);
		break;
	default:
		t_write(c, t, path, live_rnd(2) ? "value" : "");
	}
}

/* Several together, half of them new nodes of one directory with the same permissions. */
static void transaction(struct conn *c)
{
	unsigned int nr = 1 + live_rnd(20), at = live_rnd(1000);
	bool device = live_rnd(2);
	uint32_t t = t_begin(c);
	char path[64], perms[64];

	sprintf(path, "/local/domain/%u/new%u", 1 + live_rnd(GUESTS), at);
	if (device && t_mkdir(c, t, path) == 0) {
		some_perms(perms);
		t_setp(c, t, path, perms);
		for (unsigned int i = 0; i < nr; i++) {
			sprintf(path + strlen(path), "/k%u", i);
			t_write(c, t, path, "v");
			*strrchr(path, '/') = '\0';
		}
	}
	for (unsigned int i = 0; i < nr; i++)
		request(c, t);
	t_end(c, t, live_rnd(5) != 0);
}

static void anything(void)
{
	struct conn *c = client(live_rnd(3) ? 0 : 1 + live_rnd(GUESTS));
	unsigned int what = live_rnd(400);

	if (what < 4)
		end_domain(1 + live_rnd(GUESTS));
	else if (what == 4)
		start_again();
	else if (what == 5)
		store_shrink(srv->tree.store, 0);
	else if (what < 60)
		transaction(c);
	else
		request(c, 0);
	conns_flush(srv);
}

static void test_the_index_is_what_every_node_says(void **state)
{
	unsigned int nr = live_count(12000, 1000000), most = 0;

	for (unsigned int i = 0; i < nr; i++) {
		unsigned int named;

		anything();
		if (i % 40)
			continue;
		named = assert_index();
		most = named > most ? named : most;
	}
	print_message("%u requests, at most %u names\n", nr, most);
	assert_true(most > 100);
	for (unsigned int d = 1; d <= GUESTS; d++) {
		client(d);
		end_domain(d);
	}
	assert_int_equal(assert_index(), 0);
	end();
}

/* --- an environment of the release before --- */

#define BEFORE_KEY 10u

/* What it has of each name. */
struct before {
	unsigned int domid;
	uint64_t id;
	size_t len;
	char path[XS_PATH_BUF];
};

/* Names in the index now, as that release kept them. */
static unsigned int names_before(struct before **out)
{
	unsigned int nr = 0;
	struct named at;

	*out = calloc(NAMES_MAX, sizeof(**out));
	for (unsigned int domid = 0; named_domid_next(&srv->tree, &domid); domid++) {
		for (bool more = named_first(&srv->tree, domid, &at); more; more = named_next(&srv->tree, &at)) {
			struct before *b = &(*out)[nr++];

			assert_true(nr < NAMES_MAX);
			b->domid = domid;
			b->id = at.id;
			b->len = at.path.len;
			memcpy(b->path, at.path.text, at.path.len);
		}
	}
	return nr;
}

static void put_before(MDB_txn *txn, MDB_dbi dbi, const struct before *b)
{
	unsigned char key[BEFORE_KEY], rec[STORE_HEAD + XS_PATH_BUF];
	MDB_val k = { sizeof(key), key }, v = { STORE_HEAD + b->len, rec };

	be16_put(key, b->domid);
	put_be64(key + 2, b->id);
	memcpy(rec + STORE_HEAD, b->path, b->len);
	checked_seal('P', key, sizeof(key), rec, v.mv_size);
	assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
}

static MDB_env *env_open(MDB_txn **txn)
{
	char name[120];
	MDB_env *env;

	/* Which commit is the last one nobody is told. */
	snprintf(name, sizeof(name), "%s/live/commit", mk.run);
	unlink(name);
	snprintf(name, sizeof(name), "%s/live", mk.run);
	assert_int_equal(mdb_env_create(&env) || mdb_env_set_maxdbs(env, 32), 0);
	assert_int_equal(mdb_env_set_mapsize(env, 64u << 20), 0);
	assert_int_equal(mdb_env_open(env, name, MDB_NOLOCK, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, txn), 0);
	return env;
}

static void env_close(MDB_env *env, MDB_txn *txn)
{
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
}

/* Ends the server, and leaves its environment as that release would have. */
static void go_back(void)
{
	struct before *b;
	unsigned int nr = names_before(&b);
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;

	end();
	env = env_open(&txn);
	assert_int_equal(mdb_dbi_open(txn, "names", 0, &dbi) || mdb_drop(txn, dbi, 1), 0);
	assert_int_equal(mdb_dbi_open(txn, "named", MDB_CREATE, &dbi), 0);
	for (unsigned int i = 0; i < nr; i++)
		put_before(txn, dbi, &b[i]);
	env_close(env, txn);
	free(b);
}

/* Homes of different make, enough that they are not taken over in one commit. */
static void make_homes(unsigned int nodes)
{
	char path[1400], perms[64];

	for (unsigned int i = 0; i < nodes; i++) {
		unsigned int d = 1 + i % GUESTS;

		client(d);
		sprintf(path, i % 20 ? "/local/domain/%u/data/%u" : "/local/domain/%u/%u", d, i);
		if (i % 50 == 7)
			sprintf(path, "%.*s/%u", i % 100 == 7 ? 1300 : 600, long_dir(), i);
		sprintf(perms, i % 3 ? "n%u" : "n0 r%u r1 b2", d);
		client(1);
		client(2);
		assert_int_equal(t_write(dom0, 0, path, "v"), 0);
		assert_int_equal(t_setp(dom0, 0, path, perms), 0);
	}
	assert_int_equal(t_setp(dom0, 0, "@releaseDomain/2", "n0 r3"), 0);
	assert_int_equal(t_setp(dom0, 0, "/", "n0 r4"), 0);
	conns_flush(srv);
}

static bool has_table(const char *name)
{
	MDB_txn *txn;
	MDB_env *env = env_open(&txn);
	MDB_dbi dbi;
	int rc = mdb_dbi_open(txn, name, 0, &dbi);

	mdb_txn_abort(txn);
	mdb_env_close(env);
	return rc == 0;
}

static void test_the_release_before_is_taken_over(void **state)
{
	unsigned int nr;

	make_homes(3000);
	nr = assert_index();
	go_back();
	assert_true(has_table("named"));
	begin();
	assert_int_equal(assert_index(), nr);
	for (unsigned int d = 1; d <= GUESTS; d++) {
		client(d);
		end_domain(d);
	}
	end();
	assert_false(has_table("named"));
}

/* It has served in between, with its own index, and left ours as it was. */
static void test_it_was_gone_back_to_for_a_while(void **state)
{
	struct before *b;
	unsigned int nr;
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;

	make_homes(300);
	nr = names_before(&b);
	end();
	begin();
	for (unsigned int i = 0; i < 100; i++) {
		char path[64];

		sprintf(path, "/new/%u", i);
		assert_int_equal(t_write(dom0, 0, path, "v"), 0);
	}
	assert_int_equal(t_rm(dom0, 0, "/local/domain/3/data"), 0);
	end();
	env = env_open(&txn);
	assert_int_equal(mdb_dbi_open(txn, "names", 0, &dbi) || mdb_drop(txn, dbi, 0), 0);
	for (unsigned int i = 0; i < nr; i += 2) {
		unsigned char key[18] = { 0 }, rec[STORE_HEAD + XS_PATH_BUF];
		MDB_val k = { sizeof(key), key }, v = { STORE_HEAD + b[i].len, rec };

		be16_put(key, b[i].domid);
		put_be64(key + 10, b[i].id);
		memcpy(rec + STORE_HEAD, b[i].path, b[i].len);
		checked_seal('P', key, sizeof(key), rec, v.mv_size);
		assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
	}
	assert_int_equal(mdb_dbi_open(txn, "named", MDB_CREATE, &dbi), 0);
	put_before(txn, dbi, &b[0]);
	env_close(env, txn);
	free(b);
	begin();
	assert_index();
	end();
}

/* Commits that a start may still make; -1: as many as it likes. */
static int commits_left = -1;

int __real_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn);

int __wrap_mdb_txn_commit(MDB_txn *txn)
{
	int rc = __real_mdb_txn_commit(txn);

	if (commits_left >= 0 && commits_left-- == 0)
		_exit(7);
	return rc;
}

/* A start that is killed behind its @nr-th commit. False: it came to its end. */
static bool cut_off_behind(int nr)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		commits_left = nr;
		begin();
		store_commit(srv->tree.store);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == 7 || WEXITSTATUS(status) == 0));
	return WEXITSTATUS(status) == 7;
}

static void test_a_start_that_takes_it_over_is_killed(void **state)
{
	unsigned int nr, cuts = 0;

	make_homes(1200);
	nr = assert_index();
	go_back();
	/* Each goes on from what the one before has left. */
	while (cut_off_behind((int)cuts))
		cuts++;
	begin();
	assert_int_equal(assert_index(), nr);
	print_message("%u starts were killed\n", cuts);
	assert_true(cuts >= 3);
	end();
}

/* --- the committed sample --- */

static void copy_sample(void)
{
	char from[300], to[120];
	static char bytes[1 << 21];
	FILE *f;
	size_t n;

	snprintf(from, sizeof(from), "%s/live3.mdb", samples);
	f = fopen(from, "r");
	assert_non_null(f);
	n = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	snprintf(to, sizeof(to), "%s/live", mk.run);
	assert_int_equal(mkdir(to, 0700), 0);
	snprintf(to, sizeof(to), "%s/live/data.mdb", mk.run);
	f = fopen(to, "w");
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	fclose(f);
}

/* It is of the boot in which the sample was made. */
static void make_ours(void)
{
	unsigned char rec[STORE_HEAD + 64];
	MDB_val k = { 4, "boot" }, v = { 0, rec };
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "r");
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;

	v.mv_size = STORE_HEAD + fread(rec + STORE_HEAD, 1, 64, f);
	fclose(f);
	checked_seal('M', "boot", 4, rec, v.mv_size);
	env = env_open(&txn);
	assert_int_equal(mdb_dbi_open(txn, "meta", 0, &dbi), 0);
	assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
	env_close(env, txn);
}

static void read_sample(struct names *n)
{
	static char line[XS_PATH_BUF + 16];
	char path[300];
	FILE *f;

	snprintf(path, sizeof(path), "%s/live3.txt", samples);
	f = fopen(path, "r");
	assert_non_null(f);
	n->nr = 0;
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		n->line[n->nr++] = strdup(line);
	}
	fclose(f);
	sort(n);
}

static int setup_sample(void **state)
{
	make_run();
	copy_sample();
	make_ours();
	return 0;
}

static void test_the_sample_is_taken_over(void **state)
{
	static struct names found, wanted;

	assert_true(has_table("named"));
	begin();
	look_up(&found);
	read_sample(&wanted);
	assert_true(wanted.nr > 100);
	assert_same(&found, &wanted);
	assert_int_equal(assert_index(), wanted.nr);
	names_free(&found);
	names_free(&wanted);
	for (unsigned int d = 1; d <= GUESTS; d++) {
		client(d);
		end_domain(d);
	}
	end();
	assert_false(has_table("named"));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_the_index_is_what_every_node_says, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_release_before_is_taken_over, setup, teardown),
		cmocka_unit_test_setup_teardown(test_it_was_gone_back_to_for_a_while, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_start_that_takes_it_over_is_killed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_sample_is_taken_over, setup_sample, teardown),
	};
	const char *seed = getenv("STOREVISOR_SEED");

	if (argc < 2)
		return 2;
	samples = argv[1];
	live.seed = seed ? (unsigned int)atoi(seed) : (unsigned int)getpid();
	print_message("seed %u (STOREVISOR_SEED)\n", live.seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
