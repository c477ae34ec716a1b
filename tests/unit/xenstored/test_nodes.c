/* SPDX-License-Identifier: MIT */
/*
 * test_nodes.c - the nodes' memory: what a start makes of it after a kill between any two
 * instructions, and after damage to any byte.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "files.h"
#include "journal.h"
#include "tree.h"

#define HALF 16384
/* A start is looked at after so many instructions, a change after each. */
#define START_STEP 16
/* Of the file "undo", mostly empty. */
#define UNDO_LEN (384 << 10)

static char dir[64], copy[80];

static int setup(void **state)
{
	snprintf(dir, sizeof(dir), "/dev/shm/xs-nodes-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(copy, sizeof(copy), "%s/copy", dir);
	return mkdir(copy, 0700);
}

static int teardown(void **state)
{
	return files_remove(dir);
}

/* --- a store of a journal and nodes --- */

struct mem {
	struct journal *j;
	struct tree t;
};

static int mem_open(struct mem *m, const char *where, bool fresh)
{
	bool replaced;

	m->j = journal_open(where, HALF, "boot", &replaced);
	if (!m->j || tree_init(&m->t) < 0)
		abort();
	return tree_open(&m->t, where, fresh, journal_seq(m->j));
}

static void mem_close(struct mem *m)
{
	tree_fini(&m->t);
	journal_close(m->j);
}

static struct node *find(struct mem *m, const char *path)
{
	return tree_find(&m->t, path, strlen(path));
}

static struct perms *perms_of(struct mem *m, uint16_t owner, uint16_t reader)
{
	const struct xs_perm e[2] = { { owner, 0 }, { reader, XS_PERM_BIT_READ } };

	return perms_get(&m->t.perms, e, reader ? 2 : 1);
}

static struct node *make(struct mem *m, const char *parent, const char *name, size_t len)
{
	struct perms *p = perms_of(m, (uint16_t)(len % 3), 0);
	char value[4096];
	struct node *n;

	memset(value, 'v', len);
	tree_reserve(&m->t, 1, false);
	n = node_alloc(&m->t, name, strlen(name), p, value, len);
	perms_put(&m->t.perms, p);
	tree_link(&m->t, parent ? find(m, parent) : NULL, n, 0);
	return n;
}

static void set(struct mem *m, const char *path, char byte, size_t len)
{
	char value[4096];

	memset(value, byte, len);
	tree_reserve(&m->t, 1, false);
	node_set_value(&m->t, find(m, path), value, len);
}

static void allow(struct mem *m, const char *path, uint16_t owner, uint16_t reader)
{
	tree_reserve(&m->t, 1, false);
	node_set_perms(&m->t, find(m, path), perms_of(m, owner, reader));
}

static void drop(struct mem *m, const char *path)
{
	struct node *top = find(m, path), *next;

	for (struct node *n = node_deepest(top); n; n = next) {
		tree_reserve(&m->t, 1, true);
		next = node_next_up(n, top);
		tree_unlink(&m->t, n);
		node_free(&m->t, n);
	}
}

static void publish(struct mem *m, bool with_record)
{
	bool persistent;

	if (with_record) {
		journal_reserve(m->j, 64, false);
		memset(journal_put(m->j, JOURNAL_RUNTIME, "key", 3, 8), 'r', 8);
	}
	if (arena_dirty(&m->t.arena))
		journal_touch(m->j);
	journal_publish(m->j, &persistent);
	tree_commit(&m->t);
}

#define CHANGES 9

/* One change of each kind, some of several nodes: each is there as a whole or not at all. */
static void change(struct mem *m, int which)
{
	switch (which) {
	case 0:
		make(m, NULL, "", 0);
		make(m, "/", "a", 3);
		make(m, "/a", "b", 5);
		break;
	case 1:
		set(m, "/a/b", 'x', 5);
		set(m, "/a", 'y', 1);
		break;
	case 2:
		set(m, "/a/b", 'L', 300);
		break;
	case 3:
		set(m, "/a/b", 'M', 310);
		make(m, "/a/b", "c", 0);
		break;
	case 4:
		allow(m, "/a/b", 4, 7);
		set(m, "/a/b", 's', 2);
		set(m, "/a/b", 't', 290);
		break;
	case 5:
		drop(m, "/a/b");
		make(m, "/a", "b", 4);
		break;
	case 6:
		allow(m, "/a", 4, 7);
		drop(m, "/a/b");
		break;
	case 7:
		make(m, "/a", "d", 300);
		allow(m, "/a", 1, 0);
		break;
	default:
		drop(m, "/a/d");
		make(m, NULL, "@releaseDomain", 0);
	}
	publish(m, which % 3 == 2);
}

static uint64_t mix(uint64_t h, const void *p, size_t len)
{
	const unsigned char *c = p;

	while (len--)
		h = (h ^ *c++) * 0x100000001b3ull;
	return h;
}

/* Everything a client could see, and the numbers of the nodes. */
static uint64_t digest(struct mem *m)
{
	uint64_t h = m->t.nr_nodes;

	h = h * 2 + (find(m, "@releaseDomain") != NULL);
	for (struct node *n = m->t.root; n; n = node_next(n, m->t.root)) {
		const struct perms *p = node_perms(n);
		char path[XS_PATH_BUF];
		size_t len = node_path(n, path);

		if (tree_find(&m->t, path, len) != n || !node_is_intact(n))
			return 0;
		h = mix(h, path, len);
		h = mix(h, &n->id, sizeof(n->id));
		h = mix(h, node_value(n), n->value_len);
		for (unsigned int i = 0; i < p->nr; i++)
			h = mix(h, (uint16_t[]){ p->e[i].domid, p->e[i].access }, 4);
	}
	return h;
}

/* --- the files, as they are between two instructions --- */

static const char *const names[3] = { "nodes", "undo", "journal" };

/* The files of @dir as the process under test has them, and a copy of them. */
struct image {
	size_t len[3];
	char *live[3], *bytes[3];
};

/* The undo file is looked at as far as it is ever used here. */
static void image_open(struct image *im)
{
	for (int i = 0; i < 3; i++) {
		struct stat st;
		char path[128];
		int fd;

		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		assert_true(fd >= 0 && fstat(fd, &st) == 0);
		im->len[i] = i == 1 ? 8192 : (size_t)st.st_size;
		im->live[i] = mmap(NULL, im->len[i], PROT_READ, MAP_SHARED, fd, 0);
		im->bytes[i] = malloc(im->len[i]);
		assert_true(im->live[i] != MAP_FAILED && im->bytes[i]);
		close(fd);
	}
}

static void image_close(struct image *im)
{
	for (int i = 0; i < 3; i++) {
		munmap(im->live[i], im->len[i]);
		free(im->bytes[i]);
	}
}

/* False: nothing has changed since the last time. */
static bool image_take(struct image *im)
{
	bool changed = false;

	for (int i = 0; i < 3; i++) {
		if (memcmp(im->bytes[i], im->live[i], im->len[i]) == 0)
			continue;
		memcpy(im->bytes[i], im->live[i], im->len[i]);
		changed = true;
	}
	return changed;
}

static void put(const struct image *im)
{
	char path[128];

	for (int i = 0; i < 3; i++) {
		int fd;

		snprintf(path, sizeof(path), "%s/%s", copy, names[i]);
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		assert_int_equal(pwrite(fd, im->bytes[i], im->len[i], 0), im->len[i]);
		assert_int_equal(ftruncate(fd, i == 1 ? UNDO_LEN : (off_t)im->len[i]), 0);
		close(fd);
	}
}

static void child(void)
{
	struct mem m;

	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	if (mem_open(&m, dir, false) < 0)
		_exit(1);
	raise(SIGSTOP);
	for (int i = 1; i < CHANGES; i++)
		change(&m, i);
	_exit(0);
}

/* One instruction. The signal that it stopped by; 0: it has ended. */
static int step(pid_t pid)
{
	int status;

	if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) < 0 || waitpid(pid, &status, 0) < 0)
		return 0;
	if (WIFEXITED(status))
		assert_int_equal(WEXITSTATUS(status), 0);
	return WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
}

static void test_kill_between_any_two_instructions_leaves_all_of_a_change_or_nothing(void **state)
{
	uint64_t expected[CHANGES + 2] = { 0 }, seq = 2;
	unsigned int states = 0, steps = 0, every = START_STEP;
	struct image im;
	struct mem m;
	int status, sig;
	pid_t pid;

	/* What is right after each change. */
	assert_int_equal(mem_open(&m, dir, true), 0);
	for (int i = 0; i < CHANGES; i++) {
		change(&m, i);
		expected[journal_next_seq(m.j)] = digest(&m);
		assert_true(expected[i + 2] != 0 && expected[i + 2] != expected[i + 1]);
	}
	mem_close(&m);
	teardown(state);
	assert_int_equal(mkdir(dir, 0700) | mkdir(copy, 0700), 0);
	assert_int_equal(mem_open(&m, dir, true), 0);
	change(&m, 0);
	/* The child's start has to undo this first. */
	set(&m, "/a/b", 'n', 400);
	make(&m, "/a/b", "never", 1);
	drop(&m, "/a/b");
	mem_close(&m);

	image_open(&im);
	pid = fork();
	if (pid == 0)
		child();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFSTOPPED(status)) {
		print_message("no ptrace here\n");
		skip();
	}
	while ((sig = step(pid)) != 0) {
		/* Its start is over. */
		if (sig == SIGSTOP)
			every = 1;
		if (++steps % every || !image_take(&im))
			continue;
		states++;
		put(&im);
		assert_int_equal(mem_open(&m, copy, false), 0);
		/* What has come true stays so; and nothing else is there. */
		assert_in_range(journal_next_seq(m.j), seq, CHANGES + 1);
		seq = journal_next_seq(m.j);
		if (digest(&m) != expected[seq])
			fail_msg("step %u: neither before nor after change %d", steps,
				 (int)seq - 1);
		mem_close(&m);
	}
	assert_int_equal(seq, CHANGES + 1);
	assert_true(states > 500);
	image_close(&im);
	print_message("%u instructions, %u states of the memory\n", steps, states);
}

/* --- damage --- */

/* Opens a copy with the byte at @at of the nodes turned over; @right is what it should be. */
static void damage(struct image *im, size_t at, uint64_t right, unsigned int *noticed)
{
	struct mem m;
	int ret;

	im->bytes[0][at] = (char)~im->bytes[0][at];
	put(im);
	ret = mem_open(&m, copy, false);
	if (ret < 0) {
		assert_int_equal(ret, -EBADMSG);
		++*noticed;
	} else if (digest(&m) != right) {
		fail_msg("byte %zu: damage that nobody noticed", at);
	}
	mem_close(&m);
	im->bytes[0][at] = (char)~im->bytes[0][at];
}

static void test_damage_to_any_byte_that_counts_is_noticed(void **state)
{
	unsigned int noticed = 0, tried = 0;
	struct image im;
	uint64_t right;
	struct mem m;

	assert_int_equal(mem_open(&m, dir, true), 0);
	for (int i = 0; i < 5; i++)
		change(&m, i);
	right = digest(&m);
	image_open(&im);
	image_take(&im);
	for (size_t at = 0; at < 16; at++, tried++)
		damage(&im, at, right, &noticed);
	for (struct cell *c = arena_next(&m.t.arena, NULL); c; c = arena_next(&m.t.arena, c)) {
		size_t at = (size_t)((char *)c - m.t.arena.base);

		for (size_t i = 0; c->kind && i < arena_size(&m.t.arena, c); i++, tried++)
			damage(&im, at + i, right, &noticed);
	}
	/* Half of a node is links and numbers that are made anew. */
	assert_true(noticed > tried / 4);
	print_message("%u of %u bytes count\n", noticed, tried);
	mem_close(&m);
	image_close(&im);
}

static void test_file_of_another_kind_or_length_is_refused(void **state)
{
	char path[128];
	struct mem m;

	assert_int_equal(mem_open(&m, dir, true), 0);
	for (int i = 0; i < 5; i++)
		change(&m, i);
	mem_close(&m);
	snprintf(path, sizeof(path), "%s/nodes", dir);
	assert_int_equal(truncate(path, 20000), 0);
	assert_int_equal(mem_open(&m, dir, false), -EBADMSG);
	mem_close(&m);
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(mem_open(&m, dir, false), -EBADMSG);
	mem_close(&m);
	assert_int_equal(mem_open(&m, dir, true), 0);
	assert_null(m.t.root);
	mem_close(&m);
}

/* --- memory --- */

static size_t blocks(void)
{
	struct stat st;
	char path[128];

	snprintf(path, sizeof(path), "%s/nodes", dir);
	assert_int_equal(stat(path, &st), 0);
	return (size_t)st.st_blocks * 512;
}

static void test_memory_of_nodes_that_go_is_given_back_and_used_again(void **state)
{
	size_t full, empty;
	char name[32];
	struct mem m;

	assert_int_equal(mem_open(&m, dir, true), 0);
	change(&m, 0);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 20000; i++) {
			snprintf(name, sizeof(name), "n%d", i);
			make(&m, "/a/b", name, (size_t)(i % 200));
			if (i % 100 == 99)
				publish(&m, false);
		}
		if (round == 0)
			full = blocks();
		assert_in_range(blocks(), full / 2, full + (1 << 20));
		drop(&m, "/a/b");
		publish(&m, false);
		empty = blocks();
		assert_true(empty < full / 4);
		make(&m, "/a", "b", 0);
	}
	publish(&m, false);
	mem_close(&m);
	assert_int_equal(mem_open(&m, dir, false), 0);
	assert_int_equal(m.t.nr_nodes, 3);
	mem_close(&m);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_kill_between_any_two_instructions_leaves_all_of_a_change_or_nothing),
		T(test_damage_to_any_byte_that_counts_is_noticed),
		T(test_file_of_another_kind_or_length_is_refused),
		T(test_memory_of_nodes_that_go_is_given_back_and_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
