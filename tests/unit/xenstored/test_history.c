/* SPDX-License-Identifier: MIT */
/*
 * test_history.c - the past of the persistent part: every path at every revision is what a model
 * says, as long as it is known; the log names each change; what is given up is said to be.
 */
#include "disk_kit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "storage/disk_priv.h"
#include "storage/history.h"
#include "storage/packed_perms.h"

#define REVS 60
#define SEED_MAX 12

/* What the nodes were behind each revision, as text in the order of paths. */
static char *then[REVS + 1];

static unsigned int seed;

static unsigned int rnd(unsigned int n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 16) % n;
}

struct list {
	char line[200][80];
	unsigned int nr;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static const char *sorted(struct list *l)
{
	static char text[20000];

	qsort(l->line, l->nr, sizeof(l->line[0]), by_text);
	text[0] = '\0';
	for (unsigned int i = 0; i < l->nr; i++) {
		strcat(text, l->line[i]);
		strcat(text, " ");
	}
	return text;
}

static int add_was(void *arg, const struct history_state *s)
{
	struct list *l = arg;

	if (s->was)
		snprintf(l->line[l->nr++], 80, "%.*s=%.*s", s->path_len, s->path,
			 (int)s->then.value_len, s->then.value);
	return 0;
}

static const char *tree_at(struct kit *k, uint64_t rev, const char *path)
{
	static struct list l;
	int ret;

	l.nr = 0;
	assert_int_equal(disk_env_begin(&k->d->env, false), 0);
	ret = history_walk(&k->d->env, rev, path, strlen(path), add_was, &l);
	disk_env_abort(&k->d->env);
	if (ret < 0)
		return strerror(-ret);
	return sorted(&l);
}

/* What kit_nodes() says, by path. */
static const char *nodes_sorted(struct kit *k)
{
	static struct list l;
	char *text = strdup(kit_nodes(k)), *rest = text, *word;
	const char *out;

	l.nr = 0;
	while ((word = strtok_r(rest, " ", &rest)))
		snprintf(l.line[l.nr++], 80, "%s", word);
	out = sorted(&l);
	free(text);
	return out;
}

static void random_words(char *out, size_t room)
{
	static const char *const names[] = { "/a", "/a/b", "/a/b/c", "/a-b", "/a/c", "/a/b-c", "/d" };
	size_t at = 0;

	for (unsigned int i = 1 + rnd(4); i > 0; i--) {
		const char *name = names[rnd(7)];

		if (rnd(3) == 0)
			at += (size_t)snprintf(out + at, room - at, " -%s", name);
		else
			at += (size_t)snprintf(out + at, room - at, " +%s=%u", name, rnd(1000));
	}
}

static void record(struct kit *k, const char *words, unsigned int i)
{
	kit_rev(k, words);
	free(then[i]);
	then[i] = strdup(nodes_sorted(k));
}

static void test_every_state_is_known_as_it_was(void **state)
{
	struct kit k;

	(void)state;
	for (seed = 1; seed <= SEED_MAX; seed++) {
		unsigned int keep = seed;
		char words[300];

		kit_init(&k);
		kit_open(&k);
		for (unsigned int i = 1; i <= REVS; i++) {
			if (rnd(20) == 0)
				snprintf(words, sizeof(words), "* +/a=1 +/a/c=2");
			else
				random_words(words, sizeof(words));
			record(&k, words, i);
			if (rnd(25) == 0) {
				kit_close(&k, rnd(2));
				kit_open(&k);
			}
		}
		assert_string_equal(tree_at(&k, 0, "/"), "");
		for (unsigned int i = 1; i <= REVS; i++) {
			/* Behind the revision, and till the next one. */
			for (unsigned int more = 0; more < 3; more++)
				assert_string_equal(tree_at(&k, 3 * i + more, "/"), then[i]);
		}
		kit_fini(&k);
		seed = keep;
	}
}

static void test_a_subtree_is_itself_and_what_is_below_it(void **state)
{
	struct kit k;
	uint64_t rev;

	(void)state;
	kit_init(&k);
	kit_open(&k);
	rev = kit_rev(&k, "+/a=1 +/a-b=2 +/a/x=3 +/a/x/y=4 +/ab=5");
	kit_rev(&k, "-/a -/ab");
	assert_string_equal(tree_at(&k, rev, "/a"), "/a/x/y=4 /a/x=3 /a=1 ");
	assert_string_equal(tree_at(&k, rev, "/a/x"), "/a/x/y=4 /a/x=3 ");
	assert_string_equal(tree_at(&k, rev + 3, "/a"), "");
	kit_fini(&k);
}

static char log_text[4000];

static int add_change(void *arg, const struct history_change *c)
{
	size_t at = strlen(log_text);

	(void)arg;
	snprintf(log_text + at, sizeof(log_text) - at, "%llu%c%.*s=%.*s/%u/%s ",
		 (unsigned long long)c->rev, c->state.is ? '+' : '-', c->state.path_len,
		 c->state.path, c->state.is ? (int)c->state.now.value_len : 0,
		 c->state.is ? c->state.now.value : "", c->record.who.uid, c->record.who.program);
	return 0;
}

static const char *log_before(struct kit *k, const char *path, const struct history_place *before)
{
	struct xs_path p;

	log_text[0] = '\0';
	assert_int_equal(xs_path_canonical(path, strlen(path), 0, 0, &p), 0);
	assert_int_equal(disk_env_begin(&k->d->env, false), 0);
	assert_int_equal(history_log(&k->d->env, before, &p, add_change, NULL), 0);
	disk_env_abort(&k->d->env);
	return log_text;
}

static const char *log_of(struct kit *k, const char *path)
{
	return log_before(k, path, NULL);
}

static void test_the_log_names_each_change_and_who_made_it(void **state)
{
	struct kit k;

	(void)state;
	kit_init(&k);
	kit_open(&k);
	kit_rev(&k, "+/a=1 +/a/x=2 +/b=3");
	kit_rev(&k, "+/a/x=4");
	kit_rev(&k, "-/a");
	assert_string_equal(log_of(&k, "/a/x"),
			    "9-/a/x=/1000/kit 6+/a/x=4/1000/kit 3+/a/x=2/1000/kit ");
	assert_string_equal(log_of(&k, "/a"),
			    "9-/a/x=/1000/kit 9-/a=/1000/kit 6+/a/x=4/1000/kit "
			    "3+/a/x=2/1000/kit 3+/a=1/1000/kit ");
	assert_string_equal(log_of(&k, "/q"), "");
	kit_fini(&k);
}

static void test_the_log_can_be_asked_for_from_any_change_on(void **state)
{
	struct kit k;

	(void)state;
	kit_init(&k);
	kit_open(&k);
	kit_rev(&k, "+/a=1 +/a/x=2 +/b=3");
	kit_rev(&k, "+/a/x=4");
	assert_string_equal(log_before(&k, "/", &(struct history_place){ 7, 0 }),
			    log_of(&k, "/"));
	assert_string_equal(log_before(&k, "/", &(struct history_place){ 6, 0 }),
			    "3+/b=3/1000/kit 3+/a/x=2/1000/kit 3+/a=1/1000/kit ");
	assert_string_equal(log_before(&k, "/", &(struct history_place){ 3, 1 }),
			    "3+/a=1/1000/kit ");
	assert_string_equal(log_before(&k, "/", &(struct history_place){ 3, 0 }), "");
	assert_string_equal(log_before(&k, "/", &(struct history_place){ 0, 0 }), "");
	kit_fini(&k);
}

/* A restore replaces everything; only what became different is in the log. */
static void test_the_log_leaves_out_what_a_reset_left_as_it_was(void **state)
{
	struct kit k;

	(void)state;
	kit_init(&k);
	kit_open(&k);
	kit_rev(&k, "+/a=1 +/b=2 +/c=3");
	kit_rev(&k, "* +/a=1 +/b=4 +/d=5");
	assert_string_equal(log_of(&k, "/"),
			    "6+/d=5/1000/kit 6-/c=/1000/kit 6+/b=4/1000/kit "
			    "3+/c=3/1000/kit 3+/b=2/1000/kit 3+/a=1/1000/kit ");
	kit_fini(&k);
}

static void test_what_is_given_up_is_said_to_be_unknown(void **state)
{
	struct kit k;

	(void)state;
	kit_init(&k);
	kit_open(&k);
	for (unsigned int i = 1; i <= REVS; i++) {
		char words[100];

		snprintf(words, sizeof(words), "+/a=%u +/b/n%u=%u", i, i % 7, i);
		record(&k, words, i);
	}
	assert_int_equal(disk_begin(k.d), 0);
	assert_int_equal(disk_prune(&k.d->env, k.d->env.head.history_bytes / 2, 0, 1000), 0);
	assert_int_equal(disk_commit(k.d), 0);
	assert_true(k.d->env.kept.horizon > 60 && k.d->env.kept.horizon < 120);
	for (unsigned int i = 1; i <= REVS; i++) {
		bool known = 3 * i >= k.d->env.kept.horizon;

		assert_string_equal(tree_at(&k, 3 * i, "/"), known ? then[i] : strerror(ESTALE));
	}
	kit_fini(&k);
}

/*
 * Of a change before a revision that nobody kept anything of, only who made it is known, not what.
 */
static void test_the_log_says_nothing_of_what_is_unknown(void **state)
{
	struct kit k;

	(void)state;
	kit_init(&k);
	kit_open(&k);
	kit_rev(&k, "+/a=1 +/b=2");
	assert_int_equal(kit_try_lean(&k, 6, 3, "+/a=3 -/b"), 0);
	assert_int_equal(kit_try_rev(&k, 9, 6, "+/a=4"), 0);
	assert_string_equal(log_of(&k, "/"), "9+/a=4/1000/kit ");
	kit_fini(&k);
}

/* A file that somebody has made: such a key would lead the walk back to where it comes from. */
static void test_a_walk_ends_whatever_the_keys_are(void **state)
{
	static const char key[] = "/a\1\1\1\1\1\1\1\1";
	unsigned char value[128], perms[PACKED_PERM] = { 0 };
	const struct stored_node n = {
		.path = "/a", .path_len = 2, .perms = perms, .nr_perms = 1, .value = "",
	};
	struct kit k;
	MDB_val key_val = { sizeof(key) - 1, (void *)key }, v = { stored_node_len(&n), value };

	(void)state;
	kit_init(&k);
	kit_open(&k);
	kit_rev(&k, "+/a=1 +/b=2");
	stored_node_write(&n, disk_db_letter[DISK_PAST], key, sizeof(key) - 1, value);
	assert_int_equal(disk_begin(k.d), 0);
	assert_int_equal(disk_env_put(&k.d->env, DISK_PAST, &key_val, &v, false), 0);
	assert_int_equal(disk_commit(k.d), 0);
	/* It would be for ever. */
	alarm(60);
	assert_string_equal(tree_at(&k, 3, "/"), strerror(EBADMSG));
	alarm(0);
	kit_fini(&k);
}

static void test_history_is_bounded_by_size_and_age(void **state)
{
	static char words[5000];
	uint64_t most = 0;
	struct kit k;

	(void)state;
	kit_init(&k);
	kit_open(&k);
	k.d->cfg.history_bytes = 50000;
	k.d->cfg.history_ns = UINT64_MAX;
	strcpy(words, "+/a=");
	memset(words + 4, 'x', 900);
	for (unsigned int i = 0; i < 300; i++) {
		kit_rev(&k, words);
		most = k.d->env.kept.history_bytes > most ? k.d->env.kept.history_bytes : most;
	}
	assert_true(most >= 49000 && most <= 52000);
	k.d->cfg.history_ns = 1;
	for (unsigned int i = 0; i < 10; i++)
		kit_rev(&k, "+/b=1");
	assert_true(k.d->env.kept.history_bytes < 1000);
	kit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_state_is_known_as_it_was),
		cmocka_unit_test(test_a_subtree_is_itself_and_what_is_below_it),
		cmocka_unit_test(test_the_log_names_each_change_and_who_made_it),
		cmocka_unit_test(test_the_log_can_be_asked_for_from_any_change_on),
		cmocka_unit_test(test_the_log_leaves_out_what_a_reset_left_as_it_was),
		cmocka_unit_test(test_what_is_given_up_is_said_to_be_unknown),
		cmocka_unit_test(test_the_log_says_nothing_of_what_is_unknown),
		cmocka_unit_test(test_a_walk_ends_whatever_the_keys_are),
		cmocka_unit_test(test_history_is_bounded_by_size_and_age),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
