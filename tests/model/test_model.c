/* SPDX-License-Identifier: MIT */
/*
 * test_model.c - random operations of several clients, against refstore: every reply, every
 * event, and the whole tree must agree; all invariants and quota counts are recounted.
 *
 * STOREVISOR_SEED repeats one sequence; STOREVISOR_LONG=1 runs many more.
 */
#include <errno.h>
#include <stdlib.h>

#include "harness.h"
#include "refstore.h"

#define NR_CLIENTS 4

struct run {
	struct server *srv;
	struct conn *conn[NR_CLIENTS];
	struct ref ref;
	uint32_t tx_id[REF_TXNS];
	unsigned int seed, step;
	char what[200];
};

static unsigned int rnd(struct run *u, unsigned int n)
{
	u->seed = u->seed * 1103515245u + 12345u;
	return (u->seed >> 9) % n;
}

static void random_path(struct run *u, char *path)
{
	static const char *const names[] = { "a", "b", "c" };
	unsigned int depth = rnd(u, 12) == 0 ? 0 : 1 + rnd(u, 3);

	path[0] = '\0';
	for (unsigned int i = 0; i < depth; i++)
		strcat(strcat(path, "/"), names[rnd(u, 3)]);
	if (depth == 0)
		strcpy(path, "/");
}

static void random_perms(struct run *u, int domid, char *perms)
{
	static const char letters[] = "nrwb";
	unsigned int owner = rnd(u, 4) == 0 ? rnd(u, 3) : (unsigned int)domid;
	size_t len = (size_t)sprintf(perms, "%c%u", letters[rnd(u, 4)], owner);

	for (unsigned int i = rnd(u, 3); i > 0; i--)
		len += (size_t)sprintf(perms + len, " %c%u", letters[rnd(u, 4)], rnd(u, 3));
}

static void differ(struct run *u, const char *how, int got, int expected)
{
	fail_msg("step %u: %s: %s: daemon %d, reference %d", u->step, u->what, how, got, expected);
}

static int by_event(const void *a, const void *b)
{
	const struct ref_event *x = a, *y = b;

	if (x->client != y->client)
		return x->client - y->client;
	return strcmp(x->path, y->path) ? strcmp(x->path, y->path) : strcmp(x->token, y->token);
}

static void compare_events(struct run *u)
{
	static struct ref_event got[REF_EVENTS];
	int nr = 0;

	for (int c = 0; c < NR_CLIENTS; c++) {
		const struct t_msg *m;

		while ((m = t_next(u->conn[c]))) {
			assert_int_equal(m->type, XS_WATCH_EVENT);
			got[nr].client = c;
			strcpy(got[nr].path, m->data);
			strcpy(got[nr++].token, m->data + strlen(m->data) + 1);
		}
	}
	qsort(got, (size_t)nr, sizeof(got[0]), by_event);
	qsort(u->ref.event, (size_t)u->ref.nr_events, sizeof(got[0]), by_event);
	if (nr != u->ref.nr_events)
		differ(u, "events", nr, u->ref.nr_events);
	for (int i = 0; i < nr; i++) {
		if (by_event(&got[i], &u->ref.event[i]) != 0)
			fail_msg("step %u: %s: event %d %s %s, reference %d %s %s", u->step,
				 u->what, got[i].client, got[i].path, got[i].token,
				 u->ref.event[i].client, u->ref.event[i].path,
				 u->ref.event[i].token);
	}
}

static void compare(struct run *u, int got, int expected, const char *got_text,
		    const char *expected_text)
{
	if (got != expected)
		differ(u, "answer", got, expected);
	if (got == 0 && strcmp(got_text, expected_text) != 0)
		fail_msg("step %u: %s: daemon \"%s\", reference \"%s\"", u->step, u->what,
			 got_text, expected_text);
}

/* A transaction of client @c, or -1. */
static int pick_txn(struct run *u, int c)
{
	int t = (int)rnd(u, REF_TXNS * 2);

	return t < REF_TXNS && u->ref.txn[t].open && u->ref.txn[t].client == c ? t : -1;
}

static void node_op(struct run *u, int c, unsigned int op)
{
	/* Not on the stack, where each call would clear them as a whole. */
	static char got[8192], want[8192];
	char path[REF_PATH], arg[REF_PERMS] = "";
	int t = pick_txn(u, c), a = 0, b = 0;
	uint32_t id = t < 0 ? 0 : u->tx_id[t];

	got[0] = want[0] = '\0';
	random_path(u, path);
	if (op == 6)
		random_perms(u, u->ref.domid[c], arg);
	if (op == 1)
		sprintf(arg, "%u%s", rnd(u, 3), rnd(u, 4) ? "" : "-and-a-longer-value");
	snprintf(u->what, sizeof(u->what), "client %d txn %d op %u %s %s", c, t, op, path, arg);
	switch (op) {
	case 0:
		a = t_read(u->conn[c], id, path, got);
		b = ref_read(&u->ref, c, t, path, want);
		break;
	case 1:
		a = t_write(u->conn[c], id, path, arg);
		b = ref_write(&u->ref, c, t, path, arg);
		break;
	case 2:
		a = t_mkdir(u->conn[c], id, path);
		b = ref_mkdir(&u->ref, c, t, path);
		break;
	case 3:
		a = t_rm(u->conn[c], id, path);
		b = ref_rm(&u->ref, c, t, path);
		break;
	case 4:
		a = t_ls(u->conn[c], id, path, got);
		b = ref_ls(&u->ref, c, t, path, want);
		break;
	case 5:
		a = t_getp(u->conn[c], id, path, got);
		b = ref_getp(&u->ref, c, t, path, want);
		break;
	default:
		a = t_setp(u->conn[c], id, path, arg);
		b = ref_setp(&u->ref, c, t, path, arg);
		break;
	}
	compare(u, a, b, got, want);
}

static void watch_op(struct run *u, int c)
{
	char path[REF_PATH], token[16], depth[8];
	int d = (int)rnd(u, 4) - 1, a, b;

	random_path(u, path);
	sprintf(token, "t%u", rnd(u, 2));
	snprintf(u->what, sizeof(u->what), "client %d watch %s %s %d", c, path, token, d);
	if (rnd(u, 2)) {
		a = t_unwatch(u->conn[c], path, token);
		b = ref_unwatch(&u->ref, c, path, token);
	} else if (u->conn[c]->nr_watches >= 9) {
		t_req(u->conn[c], XS_RESET_WATCHES, 0, "", 1);
		ref_reset(&u->ref, c);
		a = b = 0;
	} else {
		sprintf(depth, "%d", d);
		a = d < 0 ? t_watch(u->conn[c], path, token) :
			    t_call(u->conn[c], XS_WATCH, NULL, path, token, depth, NULL);
		b = ref_watch_add(&u->ref, c, path, token, d);
	}
	compare(u, a, b, "", "");
}

static void txn_op(struct run *u, int c)
{
	int t = pick_txn(u, c);
	bool commit = rnd(u, 5) != 0;

	if (t < 0) {
		t = ref_begin(&u->ref, c);
		if (t >= 0)
			u->tx_id[t] = t_begin(u->conn[c]);
		return;
	}
	snprintf(u->what, sizeof(u->what), "client %d ends txn %d %d", c, t, commit);
	compare(u, t_end(u->conn[c], u->tx_id[t], commit), ref_end(&u->ref, t, commit), "", "");
}

/* Bytes that mean nothing: whatever the answer is, nothing may change. */
static void junk_op(struct run *u, int c)
{
	char junk[64];
	unsigned int len = rnd(u, sizeof(junk));
	uint32_t type = rnd(u, 30);

	for (unsigned int i = 0; i < len; i++)
		junk[i] = (char)(rnd(u, 3) ? 'A' + rnd(u, 60) : 0);
	if (len)
		junk[0] = '!';
	if (type == XS_RESET_WATCHES || type == XS_TRANSACTION_START || type == XS_CONTROL)
		return;
	snprintf(u->what, sizeof(u->what), "client %d junk type %u", c, type);
	t_req(u->conn[c], type, rnd(u, 2) ? 0 : 4000000000u, junk, len);
}

static void one_step(struct run *u)
{
	int c = (int)rnd(u, NR_CLIENTS);
	unsigned int op = rnd(u, 20);

	u->ref.nr_events = 0;
	if (op < 14)
		node_op(u, c, op % 7);
	else if (op < 16)
		watch_op(u, c);
	else if (op < 19)
		txn_op(u, c);
	else
		junk_op(u, c);
	compare_events(u);
}

static void compare_trees(struct run *u)
{
	unsigned int nr = 0;
	struct walk w;
	bool more;

	for (int i = 0; i < u->ref.nr; i++) {
		const struct ref_node *n = &u->ref.node[i];
		struct node m;

		if (!tree_find(&u->srv->tree, n->path, strlen(n->path), &m) ||
		    m.value_len != strlen(n->value) || memcmp(m.value, n->value, m.value_len) != 0)
			fail_msg("step %u: %s differs in the tree", u->step, n->path);
	}
	for (more = walk_begin(&w, &u->srv->tree, "/", 1); more; more = walk_next(&w, UINT32_MAX))
		nr++;
	assert_int_equal(nr, u->ref.nr);
}

static void one_sequence(unsigned int seed, unsigned int steps)
{
	static struct run u;
	static const char *const standard[] = { "/tool", "/local", "/config", "/history" };

	memset(&u, 0, sizeof(u));
	u.seed = seed;
	u.srv = t_start();
	ref_init(&u.ref);
	for (int c = 0; c < NR_CLIENTS; c++) {
		u.ref.domid[c] = c < 2 ? 0 : c - 1;
		u.conn[c] = t_client(u.srv, (unsigned int)u.ref.domid[c]);
	}
	for (int i = 0; i < 4; i++)
		assert_int_equal(t_rm(u.conn[0], 0, standard[i]), 0);
	u.ref.node[0].children = ++u.ref.version;
	for (u.step = 0; u.step < steps; u.step++) {
		one_step(&u);
		if (u.step % 100 == 99)
			compare_trees(&u);
	}
	compare_trees(&u);
	t_stop(u.srv);
}

static void test_daemon_agrees_with_the_reference(void **state)
{
	unsigned int first = getenv("STOREVISOR_SEED") ?
				     (unsigned int)atoi(getenv("STOREVISOR_SEED")) :
				     1;
	unsigned int nr = getenv("STOREVISOR_LONG") ? 200000 : getenv("STOREVISOR_SEED") ? 1 : 2000;

	for (unsigned int seed = first; seed < first + nr; seed++) {
		if (seed % 500 == 1)
			print_message("seed %u (STOREVISOR_SEED)\n", seed);
		one_sequence(seed, 500);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_daemon_agrees_with_the_reference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
