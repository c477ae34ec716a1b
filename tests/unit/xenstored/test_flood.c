/* SPDX-License-Identifier: MIT */
/*
 * test_flood.c - hostile domains at full speed: each case is one kind of abuse, done by eight
 * domains at once. Claims: every domain stays within its memory, the daemon's heap stays small,
 * and domain 0 and a bystander are served all the while.
 */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <time.h>

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
	bool reads;		/* takes its replies and events */
};

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
	{ "nodes, flat", nodes_flat, true },
	{ "nodes, deep", nodes_deep, true },
	{ "nodes, large", nodes_large, true },
	{ "values that grow and shrink", values_grow_and_shrink, true },
	{ "long paths", long_paths, true },
	{ "write and remove", write_and_remove, true },
	{ "many watches", watches_many, true },
	{ "many watches, events unread", watches_many, false },
	{ "watches with long tokens", watches_long_token, true },
	{ "watches with long tokens, events unread", watches_long_token, false },
	{ "watch and unwatch", watch_and_unwatch, true },
	{ "watch and unwatch, events unread", watch_and_unwatch, false },
	{ "special watches", watch_special, true },
	{ "RESET_WATCHES", reset_loop, true },
	{ "events unread", events_unread, false },
	{ "watches times removals", watches_times_removals, true },
	{ "watches times removals, events unread", watches_times_removals, false },
	{ "open transactions", transactions_open, true },
	{ "START and END", transactions_start_and_end, true },
	{ "most nodes in most transactions", transactions_full, true },
	{ "large values in transactions", transactions_large_values, true },
	{ "reads in transactions", transactions_read_everything, true },
	{ "make and remove in a transaction", transaction_rm_and_make, true },
	{ "conflicting transactions", transactions_conflict, true },
	{ "long permissions", permissions_long, true },
	{ "different permissions", permissions_different, true },
	{ "permissions of unknown domains", permissions_of_unknown_domains, true },
	{ "unknown types", unknown_types, true },
	{ "largest messages", largest_messages, true },
	{ "largest messages, replies unread", largest_messages, false },
	{ "empty messages", empty_messages, true },
	{ "privileged operations", control_and_introduce, true },
	{ "other domains' homes", other_homes, true },
	{ "large directories", list_own_large_directory, true },
	{ "large directories, replies unread", list_own_large_directory, false },
	{ "replies unread", replies_unread, false },
	{ "write and remove, replies unread", write_and_remove, false },
	{ "START and END, replies unread", transactions_start_and_end, false },
	{ "values, replies unread", values_grow_and_shrink, false },
	{ "other homes, replies unread", other_homes, false },
};

#define NR_ATTACKS (sizeof(attacks) / sizeof(attacks[0]))

static double cpu(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

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

static void one_attack(const struct attack *a, unsigned int rounds)
{
	struct server *srv = t_start();
	struct conn *dom0 = t_client(srv, 0), *by = t_client(srv, BYSTANDER), *c[HOSTILE];
	size_t before;
	double spent = 0;

	home(dom0, BYSTANDER);
	for (unsigned int d = 0; d < HOSTILE; d++) {
		c[d] = t_client(srv, d + 1);
		home(dom0, d + 1);
	}
	before = heap();
	for (unsigned int i = 0; i < rounds; i++) {
		double began;

		for (unsigned int d = 0; d < HOSTILE; d++) {
			a->one(c[d], i);
			while (a->reads && t_next(c[d]))
				;
		}
		if (i % 16)
			continue;
		began = cpu();
		serve_bystanders(dom0, by, i);
		spent += cpu() - began;
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
	/* Three requests, under sanitizers and on a busy machine: a millisecond is ample. */
	if (spent / (rounds / 16 + 1) > 0.001)
		fail_msg("%s: serving others took %.0f us", a->name,
			 spent / (rounds / 16 + 1) * 1e6);
	t_stop(srv);
}

static void test_hostile_domains_cost_only_themselves(void **state)
{
	unsigned int rounds = getenv("STOREVISOR_LONG") ? 100000 : 2500;

	memset(big, 'A', sizeof(big));
	big[100] = '\0';
	for (size_t i = 0; i < NR_ATTACKS; i++)
		one_attack(&attacks[i], rounds);
	print_message("%zu kinds of abuse, %u rounds of %d domains\n", NR_ATTACKS, rounds,
		      HOSTILE);
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
