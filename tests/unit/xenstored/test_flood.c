/* SPDX-License-Identifier: MIT */
/*
 * test_flood.c - hostile domains at full speed: each case is one kind of abuse, done by eight
 * domains at once. Claims: every domain stays within its memory, the daemon's heap stays small,
 * and domain 0 and a bystander are served all the while, for at most five times the work of an
 * idle daemon. Work is counted in basic blocks of the daemon's code (meson.build), so the result
 * does not depend on the machine or on what else it does.
 *
 * Abuse that ends the service of its own connection (impossible indices, lengths above the limit)
 * is in test_ring.c and test_ops.c; descriptors run out in test_limits.c.
 */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

#include "harness.h"
#include "txn.h"

#define HOSTILE 8
#define BYSTANDER 20
/* What all the hostile domains together may make the heap grow by. */
#define HEAP_MAX ((size_t)HOSTILE * 5 * 1024 * 1024)

struct attack {
	const char *name;
	/* One request of hostile domain @c, the @i-th; false: it has nothing left to try. */
	void (*one)(struct conn *c, unsigned int i);
	/* Takes its replies and events: never, all, or (above 1) one message in so many rounds. */
	unsigned int reads;
};

/* Basic blocks of the daemon that were executed. */
static unsigned long work;

void __sanitizer_cov_trace_pc(void);

void __sanitizer_cov_trace_pc(void)
{
	work++;
}

static char big[XENSTORE_PAYLOAD_MAX];

static void name_of(char *out, unsigned int i)
{
	sprintf(out, "data/%u", i);
}

static void nodes_flat(struct conn *c, unsigned int i)
{
	char path[64];

	name_of(path, i);
	t_write(c, 0, path, "x");
}

static void nodes_deep(struct conn *c, unsigned int i)
{
	char path[2200] = "d";

	for (unsigned int k = 0; k < i % 1000; k++)
		strcat(path, "/d");
	t_mkdir(c, 0, path);
}

static void nodes_large(struct conn *c, unsigned int i)
{
	char data[2100];
	int len = sprintf(data, "data/%u", i % 1500) + 1;

	memset(data + len, 'x', sizeof(data) - (size_t)len);
	t_req(c, XS_WRITE, 0, data, (size_t)len + 1900);
}

static void values_grow_and_shrink(struct conn *c, unsigned int i)
{
	char data[2100];

	memset(data, 'x', sizeof(data));
	memcpy(data, "data/v", 7);
	t_req(c, XS_WRITE, 0, data, 8 + i * 37 % 1900);
}

static void long_paths(struct conn *c, unsigned int i)
{
	char path[2049];

	memset(path, 'a' + (int)(i % 26), sizeof(path));
	path[2040] = '\0';
	path[i % 2000 + 1] = 'b';
	t_mkdir(c, 0, path);
}

static void write_and_remove(struct conn *c, unsigned int i)
{
	t_write(c, 0, "data/a/b/c/d/e/f", "x");
	t_rm(c, 0, "data");
}

static void watches_many(struct conn *c, unsigned int i)
{
	char path[64];

	name_of(path, i);
	t_watch(c, path, "tok");
}

static void watches_long_token(struct conn *c, unsigned int i)
{
	char data[4000];
	int len = sprintf(data, "data/%u", i) + 1;

	memset(data + len, 't', 3000);
	data[len + 3000] = '\0';
	t_req(c, XS_WATCH, 0, data, (size_t)len + 3001);
}

static void watch_and_unwatch(struct conn *c, unsigned int i)
{
	t_watch(c, "data", "tok");
	t_unwatch(c, "data", "tok");
}

static void watch_special(struct conn *c, unsigned int i)
{
	char path[64];

	sprintf(path, "@releaseDomain/%u", i);
	t_watch(c, path, "tok");
}

static void reset_loop(struct conn *c, unsigned int i)
{
	t_watch(c, "data", "tok");
	t_req(c, XS_TRANSACTION_START, 0, "", 1);
	t_req(c, XS_RESET_WATCHES, 0, "", 1);
}

static void events_unread(struct conn *c, unsigned int i)
{
	char path[64];

	if (i % 100 == 0)
		t_watch(c, "data", "tok");
	name_of(path, i % 900);
	t_write(c, 0, path, "x");
	t_rm(c, 0, path);
}

static void watches_times_removals(struct conn *c, unsigned int i)
{
	char path[64];

	sprintf(path, "data/w%u", i % 120);
	t_watch(c, path, "tok");
	t_write(c, 0, path, "x");
	if (i % 120 == 119)
		t_rm(c, 0, "data");
}

static void transactions_open(struct conn *c, unsigned int i)
{
	t_req(c, XS_TRANSACTION_START, 0, "", 1);
}

static void transactions_start_and_end(struct conn *c, unsigned int i)
{
	const struct t_msg *m = t_req(c, XS_TRANSACTION_START, 0, "", 1);

	if (m && m->type != XS_ERROR)
		t_end(c, (uint32_t)atoi(m->data), i % 2);
}

/* As many nodes as possible in as many transactions as possible. */
static void transactions_full(struct conn *c, unsigned int i)
{
	char path[64];

	if (c->nr_txns < 10)
		t_req(c, XS_TRANSACTION_START, 0, "", 1);
	name_of(path, i);
	if (c->txns)
		t_write(c, 1 + i % 10, path, "x");
}

static void transactions_large_values(struct conn *c, unsigned int i)
{
	char data[2100];
	int len = sprintf(data, "data/%u", i) + 1;

	if (c->nr_txns < 10)
		t_req(c, XS_TRANSACTION_START, 0, "", 1);
	memset(data + len, 'x', 1900);
	t_req(c, XS_WRITE, 1 + i % 10, data, (size_t)len + 1900);
}

static void transactions_read_everything(struct conn *c, unsigned int i)
{
	char path[64], out[8192];

	if (c->nr_txns < 10)
		t_req(c, XS_TRANSACTION_START, 0, "", 1);
	sprintf(path, "none/%u", i);
	t_read(c, 1 + i % 10, path, out);
}

static void transaction_rm_and_make(struct conn *c, unsigned int i)
{
	if (c->nr_txns == 0)
		t_req(c, XS_TRANSACTION_START, 0, "", 1);
	if (c->txns) {
		t_write(c, c->txns->id, "data/a/b/c", "x");
		t_rm(c, c->txns->id, "data");
	}
}

static void transactions_conflict(struct conn *c, unsigned int i)
{
	const struct t_msg *m = t_req(c, XS_TRANSACTION_START, 0, "", 1);
	char out[8192];
	uint32_t t;

	if (!m || m->type == XS_ERROR)
		return;
	t = (uint32_t)atoi(m->data);
	t_read(c, t, "data/k", out);
	t_write(c, 0, "data/k", i % 2 ? "a" : "b");
	t_write(c, t, "data/k", "c");
	t_end(c, t, true);
}

static void permissions_long(struct conn *c, unsigned int i)
{
	char data[4096];
	size_t len = 7;

	memcpy(data, "data/p", 7);
	t_write(c, 0, "data/p", "x");
	for (unsigned int k = 0; len < 3900; k++)
		len += (size_t)sprintf(data + len, "n%u", c->domid) + 1;
	t_req(c, XS_SET_PERMS, 0, data, len);
}

static void permissions_different(struct conn *c, unsigned int i)
{
	char perms[64];

	t_write(c, 0, "data/p", "x");
	sprintf(perms, "%c%u r%u w%u", "nrwb"[i % 4], c->domid, 1 + i % 8, 1 + i / 8 % 8);
	t_setp(c, 0, "data/p", perms);
}

static void permissions_of_unknown_domains(struct conn *c, unsigned int i)
{
	char perms[64];

	t_write(c, 0, "data/p", "x");
	sprintf(perms, "n%u r%u", c->domid, 100 + i % 30000);
	t_setp(c, 0, "data/p", perms);
}

static void unknown_types(struct conn *c, unsigned int i)
{
	t_req(c, 27 + i * 2654435761u % 100000, 0, big, i % 4096);
}

static void largest_messages(struct conn *c, unsigned int i)
{
	t_req(c, i % 27, i % 3, big, sizeof(big));
}

static void empty_messages(struct conn *c, unsigned int i)
{
	t_req(c, i % 27, 0, "", 0);
}

static void control_and_introduce(struct conn *c, unsigned int i)
{
	t_call(c, XS_CONTROL, NULL, "print", NULL);
	t_call(c, XS_INTRODUCE, NULL, "9", "1", "1", NULL);
	t_call(c, XS_RELEASE, NULL, "20", NULL);
}

static void other_homes(struct conn *c, unsigned int i)
{
	char out[8192];

	t_write(c, 0, "/local/domain/20/data", "x");
	t_rm(c, 0, "/local/domain/20");
	t_read(c, 0, "/local/domain/20/name", out);
	t_ls(c, 0, "/", out);
}

static void list_own_large_directory(struct conn *c, unsigned int i)
{
	char path[64], out[8192];

	name_of(path, i % 800);
	t_write(c, 0, path, "x");
	t_ls(c, 0, "data", out);
	t_req(c, XS_DIRECTORY_PART, 0, "data\0" "0", 7);
}

static void replies_unread(struct conn *c, unsigned int i)
{
	struct xsd_sockmsg hdr = { XS_READ, 1, 0, 5 };
	char msg[XS_WIRE_HDR_LEN + 5];

	if (i == 0)
		t_write(c, 0, "data", "a value that is not read");
	memcpy(msg, &hdr, sizeof(hdr));
	memcpy(msg + sizeof(hdr), "data", 5);
	conn_input(c, msg, sizeof(msg), 1);
}

static const struct attack attacks[] = {
	{ "nodes, flat", nodes_flat, 1 },
	{ "nodes, deep", nodes_deep, 1 },
	{ "nodes, large", nodes_large, 1 },
	{ "values that grow and shrink", values_grow_and_shrink, 1 },
	{ "long paths", long_paths, 1 },
	{ "write and remove", write_and_remove, 1 },
	{ "many watches", watches_many, 1 },
	{ "many watches, events unread", watches_many, 0 },
	{ "watches with long tokens", watches_long_token, 1 },
	{ "watches with long tokens, events unread", watches_long_token, 0 },
	{ "watch and unwatch", watch_and_unwatch, 1 },
	{ "watch and unwatch, events unread", watch_and_unwatch, 0 },
	{ "special watches", watch_special, 1 },
	{ "RESET_WATCHES", reset_loop, 1 },
	{ "events unread", events_unread, 0 },
	{ "watches times removals", watches_times_removals, 1 },
	{ "watches times removals, events unread", watches_times_removals, 0 },
	{ "open transactions", transactions_open, 1 },
	{ "START and END", transactions_start_and_end, 1 },
	{ "most nodes in most transactions", transactions_full, 1 },
	{ "large values in transactions", transactions_large_values, 1 },
	{ "reads in transactions", transactions_read_everything, 1 },
	{ "make and remove in a transaction", transaction_rm_and_make, 1 },
	{ "conflicting transactions", transactions_conflict, 1 },
	{ "long permissions", permissions_long, 1 },
	{ "different permissions", permissions_different, 1 },
	{ "permissions of unknown domains", permissions_of_unknown_domains, 1 },
	{ "unknown types", unknown_types, 1 },
	{ "largest messages", largest_messages, 1 },
	{ "largest messages, replies unread", largest_messages, 0 },
	{ "empty messages", empty_messages, 1 },
	{ "privileged operations", control_and_introduce, 1 },
	{ "other domains' homes", other_homes, 1 },
	{ "large directories", list_own_large_directory, 1 },
	{ "large directories, replies unread", list_own_large_directory, 0 },
	{ "replies unread", replies_unread, 0 },
	{ "write and remove, replies unread", write_and_remove, 0 },
	{ "START and END, replies unread", transactions_start_and_end, 0 },
	{ "values, replies unread", values_grow_and_shrink, 0 },
	{ "other homes, replies unread", other_homes, 0 },
	{ "events read slowly", events_unread, 64 },
	{ "large directories, read slowly", list_own_large_directory, 64 },
};

#define NR_ATTACKS (sizeof(attacks) / sizeof(attacks[0]))

static size_t heap(void)
{
	struct mallinfo2 mi = mallinfo2();

	return mi.uordblks + mi.hblkhd;
}

static void home(struct conn *dom0, unsigned int domid)
{
	char path[64], perms[16];

	sprintf(path, "/local/domain/%u", domid);
	sprintf(perms, "n%u", domid);
	assert_int_equal(t_mkdir(dom0, 0, path), 0);
	assert_int_equal(t_setp(dom0, 0, path, perms), 0);
}

static void serve_bystanders(struct conn *dom0, struct conn *by, unsigned int i)
{
	char value[16], out[8192];

	sprintf(value, "%u", i);
	assert_int_equal(t_write(dom0, 0, "/well/being", value), 0);
	assert_int_equal(t_write(by, 0, "data/x", value), 0);
	assert_int_equal(t_read(by, 0, "data/x", out), 0);
	assert_string_equal(out, value);
}

#define ROUNDS_A_LOOK 16

#ifdef __SANITIZE_ADDRESS__
#define ROUNDS 800
#else
#define ROUNDS 2500
#endif

static int compare(const void *a, const void *b)
{
	unsigned long x = *(const unsigned long *)a, y = *(const unsigned long *)b;

	return (x > y) - (x < y);
}

/* The 99th of 100, so that what happens once in a while (a table that doubles) is not meant. */
static unsigned long p99(unsigned long *spent, unsigned int nr)
{
	qsort(spent, nr, sizeof(*spent), compare);
	return spent[nr - 1 - nr / 100];
}

static void attack_once(const struct attack *a, struct conn *c, unsigned int i)
{
	a->one(c, i);
	if (a->reads == 1) {
		while (t_next(c))
			;
	} else if (a->reads && i % a->reads == 0) {
		t_next(c);
	}
}

/* One attack, or (NULL) an idle daemon. Returns the work of serving others, of 100 the 99th. */
static unsigned long one_attack(const struct attack *a, unsigned int rounds)
{
	struct server *srv = t_start();
	struct conn *dom0 = t_client(srv, 0), *by = t_client(srv, BYSTANDER), *c[HOSTILE];
	unsigned long *spent = calloc(rounds, sizeof(*spent)), slow;
	unsigned int looks = 0;
	size_t before;

	assert_non_null(spent);
	home(dom0, BYSTANDER);
	for (unsigned int d = 0; d < HOSTILE; d++) {
		c[d] = t_client(srv, d + 1);
		home(dom0, d + 1);
	}
	before = heap();
	for (unsigned int i = 0; i < rounds; i++) {
		for (unsigned int d = 0; a && d < HOSTILE; d++)
			attack_once(a, c[d], i);
		if (i % ROUNDS_A_LOOK)
			continue;
		work = 0;
		serve_bystanders(dom0, by, i);
		spent[looks++] = work;
		if (heap() > before + HEAP_MAX)
			fail_msg("%s: the heap grew by %zu", a->name, heap() - before);
	}
	for (unsigned int d = 0; d < HOSTILE; d++) {
		const struct domain *dom = domain_find(&srv->domains, d + 1);

		/* One request may end a little above the limit that it was checked against. */
		if (dom->used[QUOTA_MEMORY] > 2560 * 1024 + 8192)
			fail_msg("%s: domain %u holds %llu bytes", a->name, d + 1,
				 (unsigned long long)dom->used[QUOTA_MEMORY]);
	}
	slow = p99(spent, looks);
	free(spent);
	t_stop(srv);
	return slow;
}

static void test_hostile_domains_cost_only_themselves(void **state)
{
	unsigned int rounds = getenv("STOREVISOR_LONG") ? 100000 : ROUNDS;
	unsigned long idle, most = 0;

	memset(big, 'A', sizeof(big));
	big[100] = '\0';
	idle = one_attack(NULL, rounds);
	assert_true(idle > 100);
	for (size_t i = 0; i < NR_ATTACKS; i++) {
		unsigned long slow = one_attack(&attacks[i], rounds);

		if (slow > 5 * idle)
			fail_msg("%s: serving others took %lu blocks, idle %lu", attacks[i].name,
				 slow, idle);
		if (slow > most)
			most = slow;
	}
	print_message("%zu kinds of abuse, %u rounds of %d domains; p99 of others at most %.2f "
		      "times idle\n", NR_ATTACKS, rounds, HOSTILE, (double)most / (double)idle);
}

static void test_life_and_death_of_domains_leaves_nothing(void **state)
{
	unsigned int rounds = getenv("STOREVISOR_LONG") ? 50000 : 1000;
	struct server *srv = t_start();
	struct conn *dom0 = t_client(srv, 0);
	size_t nodes, before = 0;

	nodes = srv->tree.nr_nodes;
	for (unsigned int i = 0; i < rounds; i++) {
		unsigned int domid = 1 + i % 50;
		struct conn *c = t_client(srv, domid);
		char path[64];

		home(dom0, domid);
		sprintf(path, "/svc/%u", domid);
		t_write(dom0, 0, path, "x");
		sprintf(path + strlen(path) + 1, "n0 r%u", domid);
		t_setp(dom0, 0, path, path + strlen(path) + 1);
		t_watch(c, "data", "tok");
		t_write(c, t_begin(c), "data/x", "1");
		t_write(c, 0, "data/y", "1");
		assert_int_equal(c->privileged, false);
		fake_domain(srv->hv, domid, 0);
		domains_check(srv);
		conns_reap(srv);
		t_rm(dom0, 0, "/svc");
		if (i == rounds / 2)
			before = heap();
	}
	t_rm(dom0, 0, "/svc");
	assert_int_equal(srv->tree.nr_nodes, nodes);
	assert_int_equal(srv->domains.nr, 1);
	assert_true(heap() < before + 64 * 1024);
	t_stop(srv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostile_domains_cost_only_themselves),
		cmocka_unit_test(test_life_and_death_of_domains_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
