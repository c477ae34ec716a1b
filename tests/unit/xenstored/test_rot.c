/* SPDX-License-Identifier: MIT */
/*
 * test_rot.c - every byte of a small store's files flipped, every page zeroed: a plain file, a
 * fresh copy, one that was restored; at rest and while it is open. Claims: with one file damaged
 * nothing is lost; with more, what there is is a state that was, or each name that is not as it
 * was is in the list of what was lost. STOREVISOR_LONG: whole starts for more of the bytes.
 */
#include "disk_kit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files.h"
#include "storage/disk_env.h"
#include "storage/stored_node.h"

#define MAP (64u << 20)
#define PAGE 4096

/* Where LMDB's two pages with the roots have anything in them. */
#define ROOTS 256

/* A sanitized process takes twenty times as long to start. */
#ifdef __SANITIZE_ADDRESS__
#define SHARE 8
#else
#define SHARE 1
#endif

static bool is_long(void)
{
	return getenv("STOREVISOR_LONG") != NULL;
}

/* --- stores to be damaged --- */

/* A store as it was put away: its files, and what it holds. */
static struct kept {
	char dir[100];		/* a copy of STATE */
	char *nodes, *before;	/* in the last state, and behind the revision before */
} kept;

static void copy_tree(const char *from, const char *to)
{
	char command[300];

	snprintf(command, sizeof(command), "cp -a --sparse=always %s/. %s/", from, to);
	assert_int_equal(system(command), 0);
}

static void keep(struct kit *k)
{
	free(kept.nodes);
	kept.nodes = strdup(kit_nodes(k));
	kit_close(k, true);
	strcpy(kept.dir, "/dev/shm/xs-rot-XXXXXX");
	assert_non_null(mkdtemp(kept.dir));
	copy_tree(k->state, kept.dir);
	kit_fini(k);
}

static void drop_kept(void)
{
	files_remove(kept.dir);
}

static void fill(struct kit *k)
{
	char text[600];

	kit_init(k);
	kit_open(k);
	kit_rev(k, "+/config= +/config/domain= +/config/domain/a=1 +/config/domain/b=2");
	for (int i = 0; i < 12; i++) {
		snprintf(text, sizeof(text), "+/config/domain/d%d=%0*d +/config/domain/b=%d", i,
			 1 + i * 20, i, i);
		kit_rev(k, text);
	}
	kit_rev(k, "-/config/domain/d3 +/history=");
	kit_close(k, true);
	kit_open(k);
	kit_rev(k, "+/config/domain/a=5");
	kit_rev(k, "+/config/domain/e=6 -/config/domain/d4");
	kit_rev(k, "+/config/domain/d5=7");
}

static void plain_file(void)
{
	struct kit k;

	fill(&k);
	keep(&k);
}

static void fresh_copy(void)
{
	struct kit k;

	fill(&k);
	kit_close(&k, true);
	kit_open(&k);
	keep(&k);
}

static void restored_one(void)
{
	struct kit k;

	fill(&k);
	kit_rev(&k, "* +/config=1 +/config/domain=2 +/config/domain/b=3 +/config/x=4");
	keep(&k);
}

static const struct {
	const char *name;
	void (*make)(void);
} kinds[] = {
	{ "plain file", plain_file }, { "fresh copy", fresh_copy }, { "restored one", restored_one },
};

/* The store again, to be damaged. */
static void take(struct kit *k)
{
	kit_init(k);
	copy_tree(kept.dir, k->state);
}

/* --- damage --- */

static unsigned char get_byte(int fd, off_t at)
{
	unsigned char b;

	assert_int_equal(pread(fd, &b, 1, at), 1);
	return b;
}

static void flip(const char *path, off_t at, unsigned char mask)
{
	int fd = open(path, O_RDWR);
	unsigned char b;

	assert_true(fd >= 0);
	b = get_byte(fd, at) ^ mask;
	assert_int_equal(pwrite(fd, &b, 1, at), 1);
	close(fd);
}

static void zero_page(const char *path, off_t page)
{
	static const char zeros[PAGE];
	int fd = open(path, O_RDWR);

	assert_int_equal(pwrite(fd, zeros, PAGE, page * PAGE), PAGE);
	close(fd);
}

static off_t file_size(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_size : 0;
}

/* Bytes of data.mdb that LMDB has given out; behind them is room that was allocated. */
static off_t used_bytes(const char *path)
{
	struct disk_env e;
	MDB_envinfo info;

	assert_int_equal(disk_env_open(&e, path, MAP, DISK_READ), 0);
	mdb_env_info(e.env, &info);
	disk_env_close(&e);
	return (off_t)(info.me_last_pgno + 1) * PAGE;
}

static void assert_whole(struct kit *k, const char *what, off_t at)
{
	kit_open(k);
	if (strcmp(kit_nodes(k), kept.nodes) != 0 || strcmp(kit_lost(k), "") != 0)
		fail_msg("%s at %lld: lost \"%s\", nodes %s", what, (long long)at, kit_lost(k),
			 kit_nodes(k));
	kit_close(k, true);
}

/* A process that is to die of what it reads as any other would: the test's library goes on. */
static pid_t mortal(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		signal(SIGABRT, SIG_DFL);
	}
	return pid;
}

/* --- every byte: is it noticed, or did it not matter? --- */

struct seen {
	off_t at;		/* the byte under test */
	unsigned int whole, noticed, back, died;
	bool wrong;
};

/* What is read of the file with a byte flipped; in a process that may die of it. */
static void look(const char *path, struct seen *s, uint64_t digest, uint64_t applied)
{
	struct disk_env e;
	int ret = disk_env_open(&e, path, MAP, DISK_READ);

	if (ret == 0)
		ret = disk_env_check(&e, NULL);
	if (ret < 0)
		s->noticed++;
	else if (e.kept.applied != applied)
		s->back++;
	else if (e.kept.digest[DISK_NODE] != digest)
		s->wrong = true;
	else
		s->whole++;
	disk_env_close(&e);
}

static void look_at_every_byte(const char *path, unsigned char mask, struct seen *s)
{
	off_t end = used_bytes(path);
	struct disk_env e;

	assert_int_equal(disk_env_open(&e, path, MAP, DISK_READ), 0);
	disk_env_close(&e);
	while (s->at < end) {
		off_t began = s->at;
		int status;
		pid_t pid = mortal();

		if (pid == 0) {
			for (; s->at < end && !s->wrong; s->at += SHARE) {
				flip(path, s->at, mask);
				look(path, s, e.kept.digest[DISK_NODE], e.kept.applied);
				flip(path, s->at, mask);
			}
			_exit(0);
		}
		waitpid(pid, &status, 0);
		if (s->wrong)
			fail_msg("byte %lld: other nodes, and nobody notices", (long long)s->at);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			break;
		/* It died of this one, which is as good as noticing it. */
		flip(path, s->at, mask);
		s->died++;
		s->at++;
		assert_true(s->at > began);
	}
}

static void test_no_flipped_byte_goes_unnoticed(void **state)
{
	struct seen *s = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct kit k;

		kinds[i].make();
		take(&k);
		*s = (struct seen){ 0 };
		look_at_every_byte(kit_file(&k, "data.mdb"), (unsigned char)(1u << 3 * i), s);
		print_message("%s: %u bytes did not matter, %u noticed, %u died of, %u one commit "
			      "back\n", kinds[i].name, s->whole, s->noticed, s->died, s->back);
		assert_true(s->noticed + s->died > 1000 / SHARE);
		kit_fini(&k);
		drop_kept();
	}
	munmap(s, PAGE);
}

/* --- whole starts --- */

static bool is_tried(off_t at)
{
	/* All of the roots; of the rest a part that is another one in each page. */
	return at % PAGE < ROOTS && at < 2 * PAGE ? at % (7 * SHARE) == 0 || is_long() :
						    at % (is_long() ? 17 : 1013 * SHARE) == 0;
}

static void test_with_one_file_damaged_nothing_is_lost(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		unsigned int nr = 0;
		struct kit k;
		off_t end;

		kinds[i].make();
		take(&k);
		end = used_bytes(kit_file(&k, "data.mdb"));
		kit_fini(&k);
		for (off_t at = 0; at < end; at++) {
			if (!is_tried(at))
				continue;
			take(&k);
			flip(kit_file(&k, "data.mdb"), at, 0x20);
			assert_whole(&k, kinds[i].name, at);
			kit_fini(&k);
			nr++;
		}
		for (off_t page = 0; page < end / PAGE; page += SHARE, nr++) {
			take(&k);
			zero_page(kit_file(&k, "data.mdb"), page);
			assert_whole(&k, kinds[i].name, -page);
			kit_fini(&k);
		}
		print_message("%s: %u starts\n", kinds[i].name, nr);
		drop_kept();
	}
}

/* The second copies do not matter as long as the first one is whole. */
static void test_damaged_generations_and_logs_cost_nothing(void **state)
{
	struct kit k;

	(void)state;
	plain_file();
	for (int i = 0; i < 12; i++) {
		struct stat st;
		const char *path;

		take(&k);
		path = kit_file(&k, i % 2 ? "log-*" : "generations/*.mdb");
		assert_int_equal(stat(path, &st), 0);
		flip(path, i * 7919 % st.st_size, 0x40);
		assert_whole(&k, path, i);
		kit_fini(&k);
	}
	drop_kept();
}

/* --- while it is open --- */

/* Rot under the writer's hands: at the next start everything is there, what it wrote as well. */
static void test_rot_while_it_is_open_loses_nothing(void **state)
{
	unsigned int died = 0, nr = 0;

	(void)state;
	plain_file();
	for (off_t at = 100; at < 14 * PAGE; at += is_long() ? 97 : 1499 * SHARE, nr++) {
		uint64_t last, *told = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
					    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		struct kit k;
		pid_t pid;
		int status;

		take(&k);
		pid = mortal();
		if (pid == 0) {
			if (kit_try(&k) < 0)
				_exit(2);
			*told = disk_applied(k.d);
			if (at >= file_size(kit_file(&k, "data.mdb")))
				_exit(0);
			flip(kit_file(&k, "data.mdb"), at, 0x10);
			for (int i = 0; i < 3; i++) {
				last = disk_applied(k.d);
				if (kit_try_rev(&k, last + 1, last, i == 1 ? "+/config/w=1" :
								     "+/config/domain/b=9") < 0)
					_exit(3);
				*told = last + 1;
			}
			_exit(0);
		}
		waitpid(pid, &status, 0);
		died += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
		k.told = *told;
		kit_open(&k);
		if (k.found.degraded || disk_applied(k.d) < *told)
			fail_msg("byte %lld: lost \"%s\"", (long long)at, kit_lost(&k));
		kit_fini(&k);
		munmap(told, PAGE);
	}
	print_message("%u bytes; the writer ended of %u of them\n", nr, died);
	drop_kept();
}

/* --- two kinds of copies at once --- */

static bool is_named(const char *lost, const char *path, size_t len)
{
	for (const char *p = lost; (p = strchr(p, '?')); p++) {
		const char *name = p;

		while (name > lost && name[-1] != ' ')
			name--;
		if ((size_t)(p - name) == len && memcmp(name, path, len) == 0)
			return true;
	}
	return false;
}

/* Each node that is not there as it was has its name in the list, or all are in doubt. */
static void assert_named(const char *nodes, const char *lost, off_t at)
{
	char *text = strdup(kept.nodes), *rest = text, *word;

	while ((word = strtok_r(rest, " ", &rest))) {
		char line[1000];

		snprintf(line, sizeof(line), "%s ", word);
		if (!strstr(nodes, line) && !is_named(lost, word, strcspn(word, "=")) &&
		    !is_named(lost, "/", 1))
			fail_msg("byte %lld: %s is gone, and in no list: %s", (long long)at, word,
				 lost);
	}
	free(text);
}

static void test_what_no_copy_has_is_named(void **state)
{
	unsigned int nr = 0, whole = 0, exact = 0;
	struct kit k;
	off_t end;

	(void)state;
	plain_file();
	take(&k);
	end = used_bytes(kit_file(&k, "data.mdb"));
	kit_fini(&k);
	for (off_t at = 0; at < end; at += is_long() ? 37 : 997 * SHARE, nr++) {
		take(&k);
		flip(kit_file(&k, "data.mdb"), at, 0x08);
		while (kit_count(&k, "log-*"))
			unlink(kit_file(&k, "log-*"));
		kit_open(&k);
		assert_named(kit_nodes(&k), kit_lost(&k), at);
		whole += strcmp(kit_nodes(&k), kept.nodes) == 0;
		exact += !is_named(kit_lost(&k), "/", 1);
		kit_fini(&k);
	}
	print_message("%u bytes: all nodes there in %u cases, what is lost known in %u\n", nr, whole,
		      exact);
	assert_true(whole > nr / 2 && exact > nr / 2);
	drop_kept();
}

/* One value has rotted, and there is no log: this one comes back, the others stay as they were. */
static void test_a_rotten_value_costs_that_value(void **state)
{
	static char bytes[1 << 20];
	struct kit k;
	char *at;
	int fd;

	(void)state;
	kit_init(&k);
	kit_open(&k);
	kit_rev(&k, "+/config= +/config/a=old +/config/b=old +/config/c=old");
	kit_close(&k, true);
	kit_open(&k);
	kit_rev(&k, "+/config/a=new +/config/b=rotten-value +/config/d=new -/config/c");
	kit_close(&k, true);
	fd = open(kit_file(&k, "data.mdb"), O_RDONLY);
	at = memmem(bytes, (size_t)read(fd, bytes, sizeof(bytes)), "rotten-value", 12);
	assert_non_null(at);
	flip(kit_file(&k, "data.mdb"), at - bytes, 1);
	while (kit_count(&k, "log-*"))
		unlink(kit_file(&k, "log-*"));
	kit_open(&k);
	assert_string_equal(kit_nodes(&k), "/config= /config/a=new /config/b=old /config/d=new ");
	assert_string_equal(kit_lost(&k), "/config/b?2@3 ");
	close(fd);
	kit_fini(&k);
}

/* Without the first copy, a damaged log ends where it is damaged: no state that never was. */
static void test_a_damaged_log_makes_no_state_that_never_was(void **state)
{
	unsigned int ended = 0, nr = 0;
	struct stat st;
	struct kit k;

	(void)state;
	kit_init(&k);
	kit_open(&k);
	kit_rev(&k, "+/config=1 +/config/a=1");
	kit_rev(&k, "+/config=2 +/config/a=2");
	kit_rev(&k, "+/config=3 +/config/a=3");
	keep(&k);
	take(&k);
	assert_int_equal(stat(kit_file(&k, "log-*"), &st), 0);
	kit_fini(&k);
	for (off_t at = 0; at < st.st_size; at += is_long() ? 1 : 11 * SHARE, nr++) {
		char line[60], now;

		take(&k);
		unlink(kit_file(&k, "data.mdb"));
		flip(kit_file(&k, "log-*"), at, 0x04);
		kit_open(&k);
		now = kit_nodes(&k)[0] ? kit_nodes(&k)[8] : '0';
		snprintf(line, sizeof(line), "/config=%c /config/a=%c ", now, now);
		assert_string_equal(kit_nodes(&k), now == '0' ? "" : line);
		if (now != '3') {
			assert_true(is_named(kit_lost(&k), "/", 1));
			ended++;
		}
		kit_fini(&k);
	}
	assert_true(ended > nr / 2);
	drop_kept();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_flipped_byte_goes_unnoticed),
		cmocka_unit_test(test_with_one_file_damaged_nothing_is_lost),
		cmocka_unit_test(test_damaged_generations_and_logs_cost_nothing),
		cmocka_unit_test(test_rot_while_it_is_open_loses_nothing),
		cmocka_unit_test(test_what_no_copy_has_is_named),
		cmocka_unit_test(test_a_rotten_value_costs_that_value),
		cmocka_unit_test(test_a_damaged_log_makes_no_state_that_never_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
