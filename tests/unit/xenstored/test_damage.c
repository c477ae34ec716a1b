/* SPDX-License-Identifier: MIT */
/*
 * test_damage.c - the persistent store's file with damage of many kinds in it. Claim, of each: it
 * opens with all that the last commit left, or says that it does not (an error; a commit taken
 * back; a signal in the process that reads it, which is the keeper and nothing else) - never
 * something else in silence.
 *
 * STOREVISOR_SEED=N: case N alone; STOREVISOR_LONG: many more.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crc32c.h"
#include "files.h"
#include "harness.h"
#include "store.h"

/* To start a process with a sanitizer in it takes twenty times as long. */
#ifdef __SANITIZE_ADDRESS__
#define CASES 300
#else
#define CASES 3000
#endif

#define RECORDS 2000
#define MAP_SIZE (8u << 20)
#define PAGE 4096
#define ROOTS_LEN 160		/* of the two pages with the roots, what LMDB reads */

static char dir[64], data_path[100], lock_path[100];

/* The file without damage, and what its last two commits hold. */
static unsigned char *good, *bad;
static size_t good_len;
static uint32_t last, before_last;

static unsigned int seed;

static unsigned int rnd(size_t n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 8) % (unsigned int)n;
}

static int digest_one(void *arg, const void *key, size_t key_len, const void *value, size_t len)
{
	*(uint32_t *)arg = crc32c(crc32c(*(uint32_t *)arg, key, key_len), value, len);
	return 0;
}

static uint32_t commit(struct store *s, unsigned int first, const char *word)
{
	char key[16], value[100];
	uint32_t digest = 0;

	assert_int_equal(store_begin(s), 0);
	for (unsigned int i = first; i < RECORDS; i++) {
		snprintf(key, sizeof(key), "k%06u", i);
		snprintf(value, sizeof(value), "%s of %u, long enough to fill pages", word, i);
		assert_int_equal(store_put(s, key, 7, value, strlen(value)), 0);
	}
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(store_walk(s, digest_one, &digest), 0);
	return digest;
}

static int setup(void **state)
{
	struct store *s;
	struct stat st;
	int fd;

	snprintf(dir, sizeof(dir), "/dev/shm/xs-damage-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(data_path, sizeof(data_path), "%s/data.mdb", dir);
	snprintf(lock_path, sizeof(lock_path), "%s/lock.mdb", dir);
	assert_int_equal(store_open(dir, MAP_SIZE, true, &s), 0);
	/* The first commit of a copy has another one's number: only those behind it are compared. */
	commit(s, 0, "first value");
	commit(s, RECORDS / 2, "second value");
	before_last = commit(s, RECORDS / 3, "third value");
	last = commit(s, RECORDS - 100, "fourth value");
	store_close(s);
	fd = open(data_path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	good_len = (size_t)st.st_size;
	good = malloc(good_len);
	bad = malloc(good_len);
	assert_int_equal(read(fd, good, good_len), good_len);
	close(fd);
	return 0;
}

static int teardown(void **state)
{
	free(good);
	free(bad);
	return files_remove(dir);
}

/* --- kinds of damage: to @d, which has the file's @len bytes; the new length --- */

static size_t turn_a_bit(unsigned char *d, size_t len)
{
	d[rnd(len)] ^= (unsigned char)(1u << rnd(8));
	return len;
}

static size_t cut(unsigned char *d, size_t len)
{
	return rnd(len);
}

static size_t noise(unsigned char *d, size_t len)
{
	size_t at = rnd(len / PAGE) * PAGE;

	for (size_t i = 0; i < PAGE; i++)
		d[at + i] = (unsigned char)rnd(256);
	return len;
}

static size_t zeroes(unsigned char *d, size_t len)
{
	size_t at = rnd(len), n = 1 + rnd(2 * PAGE);

	memset(d + at, 0, n < len - at ? n : len - at);
	return len;
}

/* A write that went to the wrong place. */
static size_t misplaced(unsigned char *d, size_t len)
{
	size_t from = rnd(len / PAGE), to = rnd(len / PAGE);

	memcpy(d + to * PAGE, d + from * PAGE, PAGE);
	return len;
}

/* Magic, version, sizes, roots, number of the commit. */
static size_t roots(unsigned char *d, size_t len)
{
	size_t at = rnd(2) * PAGE + rnd(ROOTS_LEN);

	for (unsigned int n = 1 + rnd(4); n > 0; n--)
		d[at++] = (unsigned char)(rnd(2) ? rnd(256) : rnd(3));
	return len;
}

/* What is in front of a page's records: its number, kind, and where they are. */
static size_t page_head(unsigned char *d, size_t len)
{
	d[rnd(len / PAGE) * PAGE + rnd(64)] = (unsigned char)rnd(256);
	return len;
}

/* Not the store's file, but the one beside it. */
static size_t foreign_lock(unsigned char *d, size_t len)
{
	unsigned char bytes[8192];
	int fd = open(lock_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	size_t n = rnd(sizeof(bytes));

	for (size_t i = 0; i < n; i++)
		bytes[i] = (unsigned char)rnd(256);
	assert_int_equal(write(fd, bytes, n), n);
	close(fd);
	return len;
}

static const struct kind {
	const char *name;
	size_t (*damage)(unsigned char *d, size_t len);
	bool harmless;		/* must be the same in any case */
} kinds[] = {
	{ "a bit turned", turn_a_bit, false },
	{ "cut", cut, false },
	{ "a page of noise", noise, false },
	{ "zeroes", zeroes, false },
	{ "a page in another's place", misplaced, false },
	{ "roots", roots, false },
	{ "head of a page", page_head, false },
	{ "foreign lock file", foreign_lock, true },
};

#define NR_KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* --- the verdict --- */

enum verdict { SAME, TAKEN_BACK, REFUSED, SIGNAL, WRONG };

/* As the keeper does it. */
static enum verdict look(void)
{
	bool taken_back = false;
	struct store *s = NULL;
	uint32_t digest = 0;
	int ret = store_open_whole(dir, MAP_SIZE, &s, &taken_back);

	if (ret == 0)
		ret = store_walk(s, digest_one, &digest);
	if (ret < 0)
		return REFUSED;
	if (digest == last && !taken_back)
		return SAME;
	return taken_back && (digest == before_last || digest == last) ? TAKEN_BACK : WRONG;
}

static enum verdict look_in_a_child(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		/* The sanitizer's handlers would make a report of what is a normal outcome here. */
		signal(SIGBUS, SIG_DFL);
		signal(SIGSEGV, SIG_DFL);
		signal(SIGABRT, SIG_DFL);
		signal(SIGFPE, SIG_DFL);
		if (!freopen("/dev/null", "w", stderr))
			_exit(99);
		_exit((int)look());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? SIGNAL : (enum verdict)WEXITSTATUS(status);
}

static void put_file(const unsigned char *bytes, size_t len)
{
	int fd = open(data_path, O_WRONLY | O_CLOEXEC);

	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(ftruncate(fd, (off_t)len), 0);
	close(fd);
}

static enum verdict one_case(unsigned int nr)
{
	const struct kind *kind = &kinds[nr % NR_KINDS];
	enum verdict v;

	seed = nr * 2654435761u;
	memcpy(bad, good, good_len);
	put_file(bad, kind->damage(bad, good_len));
	v = look_in_a_child();
	if (v > SIGNAL || (kind->harmless && v != SAME))
		fail_msg("case %u (STOREVISOR_SEED): %s: verdict %u", nr, kind->name, v);
	return v;
}

static void test_damage_is_never_silently_wrong(void **state)
{
	const char *only = getenv("STOREVISOR_SEED");
	unsigned int first = only ? (unsigned int)atoi(only) : 0;
	unsigned int nr = only ? 1 : getenv("STOREVISOR_LONG") ? 100000 : CASES;
	unsigned int found[WRONG] = { 0 };

	for (unsigned int i = first; i < first + nr; i++)
		found[one_case(i)]++;
	print_message("%u cases: %u as before, in %u a commit taken back, %u refused, %u ended "
		      "by a signal\n", nr, found[SAME], found[TAKEN_BACK], found[REFUSED],
		      found[SIGNAL]);
}

/* The claim above would notice: each verdict is one that this file can give. */
static void test_verdicts_tell_the_commits_apart(void **state)
{
	put_file(good, good_len);
	assert_int_equal(look_in_a_child(), SAME);
	last ^= 1;
	assert_int_equal(look_in_a_child(), WRONG);
	last ^= 1;
	put_file(good, 100);
	assert_int_equal(look_in_a_child(), REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts_tell_the_commits_apart),
		cmocka_unit_test(test_damage_is_never_silently_wrong),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
