/* SPDX-License-Identifier: MIT */
/*
 * test_disk_faults.c - the durable side when the power goes, when it is killed at each file
 * operation, when each one fails. Claims: what was acknowledged is there, nothing that was not
 * asked for is, a commit is there as a whole or not at all; and it goes on.
 *
 * argv[1]: disk_traced; argv[2]: the daemon built with the fake machine, which is started on some
 * of what a loss of power leaves. STOREVISOR_SEED, STOREVISOR_LONG.
 */
#include "disk_kit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "disk_script.h"
#include "files.h"
#include "live.h"
#include "platter.h"
#include "storage/disk_env.h"
#include "storage/disk_priv.h"
#include "storage/stored_node.h"

#define MAP (16u << 20)
#define REVS_MAX 4000

/* A sanitized process takes twenty times as long to start. */
#ifdef __SANITIZE_ADDRESS__
#define SHARE 10u
#else
#define SHARE 1u
#endif

static const char *traced;
static unsigned int seed;

/* The digest of the nodes behind each revision. */
static uint64_t digest[REVS_MAX];

static char dir[64], trace[100], acked[100];

static unsigned int rnd(unsigned int n)
{
	static uint64_t count;

	return script_rnd(seed, 77, count++, n);
}

static void make_model(uint64_t last)
{
	struct kit k;

	assert_true(last < REVS_MAX);
	kit_init(&k);
	kit_open(&k);
	digest[0] = k.d->env.kept.digest[DISK_NODE];
	for (uint64_t rev = 1; rev <= last; rev++) {
		assert_int_equal(script_commit(k.d, seed, rev, rev), 0);
		digest[rev] = k.d->env.kept.digest[DISK_NODE];
	}
	kit_fini(&k);
}

/* @recorded: on a disk, where iotrace.h writes down what happens; else in memory. */
static void new_dirs(bool recorded)
{
	char path[100];

	strcpy(dir, recorded ? "/tmp/xs-live-XXXXXX" : "/dev/shm/xs-live-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/state", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/run", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(trace, sizeof(trace), "%s/trace", dir);
	snprintf(acked, sizeof(acked), "%s/acked", dir);
}

/* Runs the program; its wait status. */
static int run(unsigned int rounds)
{
	char state_dir[100], run_dir[100], seed_text[20], rounds_text[20];
	int status;
	pid_t pid;

	snprintf(state_dir, sizeof(state_dir), "%s/state", dir);
	snprintf(run_dir, sizeof(run_dir), "%s/run", dir);
	snprintf(seed_text, sizeof(seed_text), "%u", seed);
	snprintf(rounds_text, sizeof(rounds_text), "%u", rounds);
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		if (!getenv("STOREVISOR_TALK"))
			dup2(null, 2);
		execl(traced, traced, state_dir, run_dir, seed_text, rounds_text, acked, NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	return status;
}

static uint64_t last_acked(void)
{
	uint64_t number = 0;
	int fd = open(acked, O_RDONLY);

	if (fd >= 0 && read(fd, &number, sizeof(number)) != sizeof(number))
		number = 0;
	if (fd >= 0)
		close(fd);
	return number;
}

/* --- loss of power --- */

static struct found {
	unsigned int states, starts, boots;
	char fault[200];
} *found;

/* The file alone: LMDB's own commits are what counts after a loss of power. */
static int look(const char *image, uint64_t *applied, uint64_t *nodes)
{
	struct disk_env e;
	char path[200];
	int ret;

	snprintf(path, sizeof(path), "%s/store/data.mdb", image);
	ret = disk_env_open(&e, path, MAP, DISK_READ);
	if (ret == 0)
		ret = disk_env_check(&e, NULL);
	*applied = e.kept.applied;
	*nodes = e.kept.digest[DISK_NODE];
	disk_env_close(&e);
	return ret;
}

/* A whole start, three commits more, and another one. */
static int start(const char *image, uint64_t *applied, uint64_t *nodes, bool *degraded)
{
	struct disk_config cfg = { .state_dir = image, .run_dir = dir, .map_size = MAP };
	struct disk_found f;
	struct disk *d;
	uint64_t last;
	int ret = disk_open(&cfg, &d, &f);

	if (ret < 0)
		return ret;
	*applied = f.applied;
	*nodes = d->env.kept.digest[DISK_NODE];
	*degraded = f.degraded;
	last = f.applied;
	for (int i = 1; i <= 3 && ret == 0; i++)
		ret = script_commit(d, seed, last + (unsigned int)i, last + (unsigned int)i);
	disk_close(d, false);
	if (ret == 0)
		ret = disk_open(&cfg, &d, &f);
	if (ret == 0 && f.applied != last + 3)
		ret = -EILSEQ;
	if (ret == 0)
		disk_close(d, false);
	return ret;
}

/* --- the daemon's view of what is left --- */

/* Nodes with their values, in any order. Every start forgets domains that nobody has: no rights. */
struct content {
	unsigned int nr;
	uint64_t sum;
};

static void content_add(struct content *c, const char *path, size_t path_len, const char *value,
			size_t len)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < path_len; i++)
		h = (h ^ (unsigned char)path[i]) * 0x100000001b3ull;
	h = (h ^ '\n') * 0x100000001b3ull;
	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)value[i]) * 0x100000001b3ull;
	c->nr++;
	c->sum += h;
}

/* The two roots: what counts is what is below them. */
static bool is_root(const char *path, size_t len)
{
	return memchr(path + 1, '/', len - 1) == NULL;
}

static int add_stored(void *arg, const struct stored_node *n)
{
	if (!is_root(n->path, n->path_len))
		content_add(arg, n->path, n->path_len, n->value, n->value_len);
	return 0;
}

static void add_served(int fd, const char *path, struct content *c)
{
	char out[XENSTORE_PAYLOAD_MAX + 1], child[200];
	uint32_t len, path_len = (uint32_t)strlen(path);
	int err;

	if (!is_root(path, path_len)) {
		assert_true(live_send(fd, XS_READ, 0, path, path_len + 1));
		assert_int_equal(live_await_len(fd, out, &len), 0);
		content_add(c, path, path_len, out, len);
	}
	assert_true(live_send(fd, XS_DIRECTORY, 0, path, path_len + 1));
	err = live_await_len(fd, out, &len);
	if (err == ENOENT && is_root(path, path_len))
		return;
	assert_int_equal(err, 0);
	for (uint32_t at = 0; at < len; at += (uint32_t)strlen(out + at) + 1) {
		snprintf(child, sizeof(child), "%s/%s", path, out + at);
		add_served(fd, child, c);
	}
}

/* What the daemon serves when it is started on @image, which is gone then. */
static void boot(const char *image, struct content *c)
{
	int fd;

	*c = (struct content){ 0 };
	assert_int_equal(live_make(), 0);
	files_remove(live.state_dir);
	assert_int_equal(rename(image, live.state_dir), 0);
	live_start();
	fd = live_open();
	add_served(fd, "/config", c);
	add_served(fd, "/history", c);
	close(fd);
	live_remove();
}

/* 0, -EXDEV: it serves something else than is there, or what disk_open() says. */
static int boots_with_what_is_there(const char *image)
{
	struct disk_config cfg = { .state_dir = image, .run_dir = dir, .map_size = MAP };
	struct content stored = { 0 }, served;
	struct disk_found f;
	struct disk *d;
	int ret = disk_open(&cfg, &d, &f);

	if (ret < 0)
		return ret;
	ret = disk_nodes(d, add_stored, &stored);
	disk_close(d, false);
	if (ret < 0)
		return ret;
	found->boots++;
	boot(image, &served);
	return served.nr == stored.nr && served.sum == stored.sum ? 0 : -EXDEV;
}

static void make_image(const struct platter *p, const char *image, size_t sector)
{
	files_remove(image);
	mkdir(image, 0700);
	platter_image(p, image, (enum platter_tear)rnd(4), sector, rnd);
	found->states++;
}

static void check_state(const struct platter *p, const char *image, size_t sector)
{
	uint64_t applied = 0, nodes = 0;
	bool degraded = false, whole = found->states % 10 == 0 || sector < 512;
	int ret;

	make_image(p, image, sector);
	ret = whole ? -ENOENT : look(image, &applied, &nodes);
	if (ret == -ENOENT) {
		found->starts++;
		ret = start(image, &applied, &nodes, &degraded);
	}
	/* Sectors are written whole by any disk; should one not, it is said. */
	if (ret == 0 && degraded && sector < 512)
		return;
	if (ret == 0 && sector == 512 && found->states % 500 == 0)
		ret = boots_with_what_is_there(image);
	if (ret == -EXDEV)
		snprintf(found->fault, sizeof(found->fault), "the daemon serves something else");
	else if (ret < 0)
		snprintf(found->fault, sizeof(found->fault), "it does not open or go on: %s",
			 strerror(-ret));
	else if (degraded)
		snprintf(found->fault, sizeof(found->fault), "something is lost");
	else if (applied != platter_acked(p) && applied != platter_sent(p))
		snprintf(found->fault, sizeof(found->fault), "it is at revision %llu",
			 (unsigned long long)applied);
	else if (nodes != digest[applied])
		snprintf(found->fault, sizeof(found->fault), "other nodes at revision %llu",
			 (unsigned long long)applied);
}

static void check_point(const struct platter *p, unsigned int event, unsigned int nr,
			size_t sector)
{
	char image[100];
	int status;
	pid_t pid;

	snprintf(image, sizeof(image), "/dev/shm/%s-image", strrchr(dir, '/') + 1);
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		if (!getenv("STOREVISOR_TALK"))
			dup2(null, 2);
		/* A claim that fails ends this process. */
		setenv("CMOCKA_TEST_ABORT", "1", 1);
		prctl(PR_SET_CHILD_SUBREAPER, 1);
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		seed += event << 8;
		rnd(2);
		seed -= event << 8;
		for (unsigned int i = 0; i < event % 97; i++)
			rnd(2);
		for (unsigned int i = 0; i < nr && !found->fault[0]; i++)
			check_state(p, image, sector);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (status)
		snprintf(found->fault, sizeof(found->fault), "the reader ended by %x",
			 (unsigned int)status);
	if (found->fault[0])
		fail_msg("power cut behind event %u (acknowledged %llu, asked %llu): %s", event,
			 (unsigned long long)platter_acked(p), (unsigned long long)platter_sent(p),
			 found->fault);
	files_remove(image);
}

static void cut_everywhere(unsigned int states, size_t sector)
{
	char root[100];
	struct platter *p;
	unsigned int events = 0, event = 0, done = 0;

	snprintf(root, sizeof(root), "%s/state", dir);
	p = platter_open(trace, root);
	while (platter_step(p))
		events++;
	platter_close(p);
	p = platter_open(trace, root);
	*found = (struct found){ 0 };
	while (platter_step(p)) {
		unsigned int due = (unsigned int)((uint64_t)++event * states / events);

		if (due > done)
			check_point(p, event, due - done, sector);
		done = due;
	}
	platter_close(p);
	print_message("%u states behind %u events of %llu revisions, %u of them started whole, "
		      "%u served by the daemon\n",
		      found->states, events, (unsigned long long)last_acked(), found->starts,
		      found->boots);
	assert_int_equal(found->boots, sector == 512 ? states / 500 : 0);
}

static void record_run(unsigned int rounds)
{
	new_dirs(true);
	setenv("XS_IO_TRACE", trace, 1);
	assert_int_equal(run(rounds), 0);
	unsetenv("XS_IO_TRACE");
	make_model(last_acked() + 10);
}

static void test_no_loss_of_power_costs_what_was_acknowledged(void **state)
{
	(void)state;
	record_run(12);
	cut_everywhere(getenv("STOREVISOR_LONG") ? 200000 : 20000 / SHARE, 512);
	files_remove(dir);
}

/* Sectors are written whole by any disk; should one not, what there is is right, or it is said. */
static void test_torn_sectors_are_right_or_noticed(void **state)
{
	(void)state;
	record_run(6);
	cut_everywhere(getenv("STOREVISOR_LONG") ? 20000 : 2000 / SHARE, 8);
	files_remove(dir);
}

/* --- killed, or refused, at each file operation --- */

static uint64_t operations(void)
{
	char count[100];
	uint64_t n = 0;
	int fd;

	new_dirs(false);
	snprintf(count, sizeof(count), "%s/count", dir);
	setenv("XS_IO_COUNT", count, 1);
	assert_int_equal(run(3), 0);
	unsetenv("XS_IO_COUNT");
	fd = open(count, O_RDONLY);
	assert_int_equal(read(fd, &n, sizeof(n)), sizeof(n));
	close(fd);
	files_remove(dir);
	return n;
}

/* Behind a run that came to grief: the same again, without any, finds all that was acknowledged. */
static void goes_on(const char *what, uint64_t n)
{
	struct kit k = { .told = last_acked() };
	int status = run(1);

	if (status)
		fail_msg("behind operation %llu, %s: the next run ended by %x",
			 (unsigned long long)n, what, (unsigned int)status);
	snprintf(k.state, sizeof(k.state), "%s/state", dir);
	snprintf(k.run, sizeof(k.run), "%s/run", dir);
	k.told = last_acked();
	kit_open(&k);
	if (disk_applied(k.d) != k.told || k.found.degraded ||
	    k.d->env.kept.digest[DISK_NODE] != digest[k.told])
		fail_msg("behind operation %llu, %s: other nodes at revision %llu, told %llu",
			 (unsigned long long)n, what, (unsigned long long)disk_applied(k.d),
			 (unsigned long long)k.told);
	kit_close(&k, true);
	files_remove(dir);
}

#define FEW 20u

static void at_each_operation(const char *kind, unsigned int step)
{
	uint64_t last = operations();
	unsigned int ended = 0, nr = 0;

	for (uint64_t n = 1 + rnd(step); n <= last; n += step, nr++) {
		char fail[40];
		int status;

		new_dirs(false);
		snprintf(fail, sizeof(fail), "%llu:%s", (unsigned long long)n, kind);
		setenv("XS_IO_FAIL", fail, 1);
		status = run(3);
		unsetenv("XS_IO_FAIL");
		/* It has refused or been killed; never found to have lost anything. */
		if (status && status != 3 << 8 && status != SIGKILL)
			fail_msg("operation %llu, %s: it ended by %x", (unsigned long long)n, kind,
				 (unsigned int)status);
		ended += status != 0;
		goes_on(kind, n);
	}
	print_message("%s: %u of %llu operations; the run ended at %u of them\n", kind, nr,
		      (unsigned long long)last, ended);
	/* Of few, each may be one that it does without. */
	assert_true(ended > 0 || nr < FEW);
}

static void test_killed_at_each_operation_it_goes_on(void **state)
{
	(void)state;
	make_model(300);
	at_each_operation("-9", getenv("STOREVISOR_LONG") ? 1 : 5 * SHARE);
}

static void test_each_operation_may_fail(void **state)
{
	unsigned int step = getenv("STOREVISOR_LONG") ? 1 : 11 * SHARE;

	(void)state;
	make_model(300);
	at_each_operation("5", step);
	at_each_operation("28", step);
	at_each_operation("0", step);
	at_each_operation("5:all", step);
	at_each_operation("28:all", step);
	at_each_operation("30:all", step);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_torn_sectors_are_right_or_noticed),
		cmocka_unit_test(test_killed_at_each_operation_it_goes_on),
		cmocka_unit_test(test_each_operation_may_fail),
		cmocka_unit_test(test_no_loss_of_power_costs_what_was_acknowledged),
	};

	if (argc < 3 || live_init(argc - 1, argv + 1))
		return 1;
	traced = argv[1];
	live_quiet = live_fast = true;
	seed = getenv("STOREVISOR_SEED") ? (unsigned int)atoi(getenv("STOREVISOR_SEED")) : 1;
	found = mmap(NULL, sizeof(*found), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
