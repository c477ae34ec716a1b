/* SPDX-License-Identifier: MIT */
/*
 * test_takeover.c - a store that the release before has written is taken over: every node, value,
 * permission and the order of children, and the file is kept. samples/format2.mdb was made by that
 * release; format2.txt is what it told of it: path, value in hex, permissions, depth first.
 * samples/log003 is a log of that of format 3 whose logs had no id.
 *
 * argv[1]: the directory samples.
 */
#include "disk_kit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "storage/disk_copy.h"
#include "storage/disk_log.h"
#include "storage/packed_perms.h"
#include "storage/stored_node.h"

#define NODES_MAX 300

static const char *samples;

struct nodes {
	char *line[NODES_MAX];	/* as in the text */
	unsigned int nr;
};

static void read_expected(struct nodes *n)
{
	static char line[20000];
	char path[200];
	FILE *f;

	snprintf(path, sizeof(path), "%s/format2.txt", samples);
	f = fopen(path, "r");
	assert_non_null(f);
	n->nr = 0;
	while (fgets(line, sizeof(line), f))
		n->line[n->nr++] = strdup(line);
	fclose(f);
	assert_true(n->nr > 50);
}

static int add_node(void *arg, const struct stored_node *node)
{
	static char line[20000], perm[XS_PERM_TEXT_BUF];
	struct nodes *n = arg;
	int at = snprintf(line, sizeof(line), "%.*s ", node->path_len, node->path);

	for (unsigned int i = 0; i < node->value_len; i++)
		at += snprintf(line + at, sizeof(line) - (size_t)at, "%02x",
			       (unsigned char)node->value[i]);
	at += snprintf(line + at, sizeof(line) - (size_t)at, "%s", node->value_len ? "" : "-");
	for (unsigned int i = 0; i < node->nr_perms; i++) {
		struct xs_perm p = packed_perm_get(node->perms, i);

		xs_perm_format(&p, perm);
		at += snprintf(line + at, sizeof(line) - (size_t)at, " %s", perm);
	}
	snprintf(line + at, sizeof(line) - (size_t)at, "\n");
	assert_true(n->nr < NODES_MAX);
	n->line[n->nr++] = strdup(line);
	return 0;
}

static bool is_parent(const char *a, const char *b)
{
	size_t len = strcspn(a, " "), below = strcspn(b, " ");

	return below > len + 1 && memcmp(a, b, len) == 0 && b[len] == '/' &&
	       !memchr(b + len + 1, '/', below - len - 1);
}

/* Node @i of @from and all below it, children in the order of the list, depth first. */
static void append(const struct nodes *from, unsigned int i, struct nodes *to)
{
	to->line[to->nr++] = from->line[i];
	for (unsigned int j = 0; j < from->nr; j++) {
		if (is_parent(from->line[i], from->line[j]))
			append(from, j, to);
	}
}

static void assert_sample(struct kit *k)
{
	static struct nodes found, depth_first, expected;

	found.nr = 0;
	depth_first.nr = 0;
	read_expected(&expected);
	assert_int_equal(disk_nodes(k->d, add_node, &found), 0);
	for (unsigned int i = 0; i < found.nr; i++) {
		if (strchr(found.line[i] + 1, '/') == NULL ||
		    strcspn(found.line[i] + 1, "/") > strcspn(found.line[i] + 1, " "))
			append(&found, i, &depth_first);
	}
	assert_int_equal(depth_first.nr, expected.nr);
	for (unsigned int i = 0; i < expected.nr; i++)
		assert_string_equal(depth_first.line[i], expected.line[i]);
	for (unsigned int i = 0; i < expected.nr; i++) {
		free(expected.line[i]);
		free(found.line[i]);
	}
}

static void copy_file(const char *from, const char *to, off_t flip)
{
	static unsigned char bytes[1 << 20];
	int fd;
	ssize_t n;

	fd = open(from, O_RDONLY);
	n = read(fd, bytes, sizeof(bytes));
	assert_true(n > 0 && n < (ssize_t)sizeof(bytes));
	close(fd);
	if (flip >= 0)
		bytes[flip] ^= 0x20;
	fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(write(fd, bytes, (size_t)n), n);
	close(fd);
}

static void copy_sample(const char *to, off_t flip)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/format2.mdb", samples);
	copy_file(path, to, flip);
}

static void with_sample(struct kit *k)
{
	char path[200];

	kit_init(k);
	snprintf(path, sizeof(path), "%s/store", k->state);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/store/data.mdb", k->state);
	copy_sample(path, -1);
}

static void test_nothing_is_lost(void **state)
{
	struct stat before, after;
	struct kit k;

	(void)state;
	with_sample(&k);
	assert_int_equal(stat(kit_file(&k, "data.mdb"), &before), 0);
	kit_open(&k);
	assert_true(k.found.taken_over);
	assert_false(k.found.damaged || k.found.degraded || k.found.made_new);
	assert_sample(&k);
	/* The file itself is there still, as it was. */
	assert_int_equal(stat(kit_file(&k, "format2-*.mdb"), &after), 0);
	assert_true(before.st_ino == after.st_ino && before.st_size == after.st_size);
	kit_rev(&k, "+/config/more=1");
	kit_rev(&k, "-/config/more");
	kit_close(&k, true);
	kit_open(&k);
	assert_false(k.found.taken_over);
	assert_sample(&k);
	kit_fini(&k);
}

/* Killed anywhere in it: the next start takes it over, or has. */
static void test_it_can_be_repeated(void **state)
{
	struct kit k;
	char junk[200];

	(void)state;
	with_sample(&k);
	snprintf(junk, sizeof(junk), "%s/store/new.mdb", k.state);
	copy_sample(junk, 5000);
	kit_open(&k);
	assert_true(k.found.taken_over);
	assert_sample(&k);
	kit_fini(&k);
}

/*
 * A byte of it has rotted: the release before's last good copy is taken, and it is said; without
 * one, whatever is there is not thrown away.
 */
static void test_a_damaged_one_is_noticed(void **state)
{
	unsigned int noticed = 0;
	char path[200];
	struct stat st;

	(void)state;
	snprintf(path, sizeof(path), "%s/format2.mdb", samples);
	assert_int_equal(stat(path, &st), 0);
	for (off_t at = 0; at < st.st_size; at += 199) {
		struct kit k;

		with_sample(&k);
		copy_sample(kit_file(&k, "data.mdb"), at);
		snprintf(path, sizeof(path), "%s/last-good.mdb", k.state);
		copy_sample(path, -1);
		kit_open(&k);
		assert_true(k.found.taken_over);
		assert_int_equal(k.found.damaged, k.found.degraded);
		noticed += k.found.damaged;
		assert_sample(&k);
		assert_int_equal(kit_count(&k, "format2-*.mdb"), 1);
		kit_fini(&k);
	}
	assert_true(noticed > 20);
}

static void test_without_a_good_copy_what_there_is_is_put_aside(void **state)
{
	struct kit k;

	(void)state;
	with_sample(&k);
	assert_int_equal(truncate(kit_file(&k, "data.mdb"), 20000), 0);
	kit_open(&k);
	assert_true(k.found.damaged && k.found.degraded);
	assert_string_equal(kit_lost(&k), "/?3@0 ");
	assert_int_equal(kit_count(&k, "damaged-*.mdb"), 1);
	kit_fini(&k);
}

/*
 * The logs of the release before do not say which store they are of: samples/log003 is one, whole.
 */
static void test_a_log_that_says_no_store_is_read(void **state)
{
	unsigned char id[DISK_ID];
	struct disk_facts facts;
	char from[200], to[200];
	struct kit k;

	(void)state;
	kit_init(&k);
	snprintf(to, sizeof(to), "%s/store", k.state);
	assert_int_equal(mkdir(to, 0700), 0);
	snprintf(to, sizeof(to), "%s/store/log-%020u", k.state, 0);
	snprintf(from, sizeof(from), "%s/log003", samples);
	copy_file(from, to, -1);
	assert_false(disk_log_id(to, id));
	kit_open(&k);
	assert_string_equal(kit_nodes(&k), "/config= /config/domain= /config/domain/web=on "
					   "/config/domain/web/memory=512 ");
	assert_false(k.found.degraded);
	kit_rev(&k, "+/config/more=1");
	/* The next one does. */
	assert_true(disk_log_id(kit_file(&k, "log-*"), id));
	assert_int_equal(disk_look(kit_file(&k, "data.mdb"), 64u << 20, &facts), 0);
	assert_memory_equal(facts.id, id, DISK_ID);
	kit_close(&k, true);
	assert_int_equal(unlink(kit_file(&k, "data.mdb")), 0);
	kit_open(&k);
	assert_non_null(strstr(kit_nodes(&k), "/config/domain/web/memory=512 /config/more=1 "));
	assert_false(k.found.degraded);
	kit_fini(&k);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_lost),
		cmocka_unit_test(test_it_can_be_repeated),
		cmocka_unit_test(test_a_damaged_one_is_noticed),
		cmocka_unit_test(test_a_log_that_says_no_store_is_read),
		cmocka_unit_test(test_without_a_good_copy_what_there_is_is_put_aside),
	};

	if (argc < 2)
		return 1;
	samples = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
