/* SPDX-License-Identifier: MIT */
/*
 * test_powercut.c - the disk after a loss of power at any point of a random run: with restarts,
 * snapshots and restores in it. Claims, for each state the disk may be left in: the store opens,
 * every acknowledged change is there, nothing that was not asked for is, no transaction is there
 * by half, and it takes further changes. With sectors torn smaller than any disk does it: the
 * same, or the damage is noticed.
 *
 * argv[1]: the daemon that records its file operations. STOREVISOR_SEED, STOREVISOR_LONG.
 */
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

#include "platter.h"
#include "files.h"
#include "harness.h"
#include "iotrace.h"
#include "live.h"
#include "load.h"
#include "journal.h"
#include "store.h"
#include "workload.h"

#define CHANGES_MAX 4000

/* The recorded run: what the store looked like after change number i, and the model of it. */
static struct run {
	uint64_t digest[CHANGES_MAX];
	uint64_t nr;			/* number of the last change */
	struct change *history[CHANGES_MAX];	/* those that make up the present state */
	unsigned int depth;
	struct server *model;
	struct conn *dom0;
	uint64_t acked;
	unsigned int saved_depth;	/* the snapshot's */
} run;

static char trace[100];

static void mark(enum io_op op, uint64_t number)
{
	const struct io_event e = { .op = op, .offset = number };
	int fd = open(trace, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, &e, sizeof(e)), sizeof(e));
	close(fd);
	if (op == IO_ACKED)
		run.acked = number;
}

static void model_new(void)
{
	if (run.model)
		t_stop(run.model);
	run.model = t_start();
	run.dom0 = t_client(run.model, 0);
}

/* Goes back to the state after the first @depth changes of the history. */
static void model_rewind(unsigned int depth)
{
	model_new();
	run.depth = depth;
	for (unsigned int i = 0; i < depth; i++)
		change_model(run.dom0, run.history[i]);
}

static void number_state(void)
{
	assert_true(++run.nr < CHANGES_MAX);
	run.digest[run.nr] = digest_of_tree(run.model);
}

/* --- the recorded run --- */

static void send_change(int fd, const struct change *c)
{
	char id[XENSTORE_PAYLOAD_MAX + 1];
	uint32_t tx = 0;

	if (c->nr > 1) {
		assert_int_equal(live_request(fd, XS_TRANSACTION_START, "", 1, id), 0);
		tx = (uint32_t)strtoul(id, NULL, 10);
		for (unsigned int i = 0; i < c->nr; i++) {
			live_send(fd, c->req[i].type, tx, c->req[i].data, c->req[i].len);
			assert_true(live_await(fd, NULL) >= 0);
		}
	}
	change_model(run.dom0, c);
	/* A rewind leaves what came behind in place. */
	free(run.history[run.depth]);
	run.history[run.depth++] = memcpy(malloc(sizeof(*c)), c, sizeof(*c));
	number_state();
	mark(IO_SENT, run.nr);
	if (c->nr > 1)
		live_send(fd, XS_TRANSACTION_END, tx, "T", 2);
	else
		live_send(fd, c->req[0].type, 0, c->req[0].data, c->req[0].len);
}

/* Up to eight plain changes in flight; a transaction waits for those before it. */
static void some_changes(int fd, unsigned int nr)
{
	static struct change c;
	unsigned int window = 1 + live_rnd(8);

	while (nr-- > 0) {
		change_make(&c, live_rnd);
		while (run.acked < run.nr && (run.nr - run.acked >= window || c.nr > 1)) {
			assert_true(live_await(fd, NULL) >= 0);
			mark(IO_ACKED, run.acked + 1);
		}
		send_change(fd, &c);
	}
}

static void all_acked(int fd)
{
	while (run.acked < run.nr) {
		assert_true(live_await(fd, NULL) >= 0);
		mark(IO_ACKED, run.acked + 1);
	}
}

/* kill -9 with changes in flight: whatever is there then is where the run goes on. */
static int killed_and_restarted(int fd)
{
	uint64_t lost, now, first = run.acked;

	live_kill(SIGKILL);
	close(fd);
	live_start();
	fd = live_open();
	now = digest_of_daemon(fd);
	for (lost = 0; lost <= run.nr - first; lost++) {
		if (run.digest[run.nr - lost] == now)
			break;
	}
	if (lost > run.nr - first)
		fail_msg("after a kill the store is as it never was");
	model_rewind(run.depth - (unsigned int)lost);
	number_state();
	mark(IO_SENT, run.nr);
	mark(IO_ACKED, run.nr);
	return fd;
}

static void snapshot(int fd)
{
	char path[100];
	struct stat st;

	snprintf(path, sizeof(path), "%s/snap.mdb", live.state_dir);
	unlink(path);
	assert_int_equal(live_request(fd, XS_CONTROL, "snapshot\0snap.mdb", 18, NULL), 0);
	while (stat(path, &st) < 0)
		usleep(1000);
	run.saved_depth = run.depth;
}

static void restore(int fd)
{
	struct stat st;
	char path[100];

	snprintf(path, sizeof(path), "%s/snap.mdb", live.state_dir);
	if (stat(path, &st) < 0)
		return;
	model_rewind(run.saved_depth);
	number_state();
	mark(IO_SENT, run.nr);
	assert_int_equal(live_request(fd, XS_CONTROL, "restore\0snap.mdb", 17, NULL), 0);
	mark(IO_ACKED, run.nr);
}

static void record_run(unsigned int rounds)
{
	int fd;

	snprintf(trace, sizeof(trace), "%s/trace", live.dir);
	setenv("XS_IO_TRACE", trace, 1);
	memset(&run, 0, sizeof(run));
	model_new();
	run.digest[0] = digest_of_tree(run.model);
	live_start();
	fd = live_open();
	for (unsigned int i = 0; i < rounds; i++) {
		unsigned int what = live_rnd(4);

		some_changes(fd, 10 + live_rnd(50));
		if (what == 0) {
			fd = killed_and_restarted(fd);
			continue;
		}
		all_acked(fd);
		if (digest_of_daemon(fd) != run.digest[run.nr])
			fail_msg("change %llu: the daemon and the model differ",
				 (unsigned long long)run.nr);
		if (what == 1)
			snapshot(fd);
		else if (what == 2)
			restore(fd);
	}
	all_acked(fd);
	close(fd);
	live_end();
	unsetenv("XS_IO_TRACE");
}

/* --- what a power cut leaves --- */

static int load_one(void *arg, const void *key, size_t key_len, const void *value, size_t len)
{
	return load_record(arg, JOURNAL_PERSISTENT, key, key_len, value, len);
}

/* The digest of what the directory holds; 0 with *@err set. */
static uint64_t digest_of_disk(const char *dir, int *err, bool *stepped_back)
{
	struct server_config cfg = { .in_memory = true, .run_dir = "/tmp" };
	struct server *srv = calloc(1, sizeof(*srv));
	struct store *s = NULL;
	uint64_t digest = 0;
	char path[200];
	struct load l;

	snprintf(path, sizeof(path), "%s/store", dir);
	server_init(srv, &cfg, live.hv);
	server_root(srv);
	load_init(&l, srv, false);
	*err = store_open_whole(path, 1u << 30, &s, stepped_back);
	if (*err == 0)
		*err = store_walk(s, load_one, &l);
	if (*err == 0 && l.skipped)
		*err = -EILSEQ;
	load_fini(&l);
	if (*err == 0) {
		server_standard_nodes(srv);
		digest = digest_of_tree(srv);
	}
	store_close(s);
	server_fini(srv);
	free(srv);
	return digest;
}

/* One more change on top must be there too. */
static int takes_a_change(const char *dir)
{
	struct store *s = NULL;
	char path[200];
	int ret;

	snprintf(path, sizeof(path), "%s/store", dir);
	ret = store_open(path, 1u << 30, true, &s);
	for (int i = 0; i < 3 && ret == 0; i++) {
		ret = store_begin(s);
		if (ret == 0)
			ret = store_put(s, "Nabcdefgh", 9, path, sizeof(path));
		if (ret == 0)
			ret = store_commit(s);
	}
	store_close(s);
	s = NULL;
	if (ret == 0)
		ret = store_open(path, 1u << 30, true, &s);
	if (ret == 0)
		ret = store_verify(s);
	store_close(s);
	return ret;
}

/* The whole daemon, started after the reboot, must see the same. Changes live: in a child only. */
static uint64_t digest_after_boot(const char *dir)
{
	uint64_t digest;
	int fd;

	strcpy(live.state_dir, dir);
	strcpy(live.dir, "/dev/shm/xs-live-XXXXXX");
	if (!mkdtemp(live.dir))
		return 0;
	snprintf(live.sock, sizeof(live.sock), "%s/socket", live.dir);
	live_start();
	fd = live_open();
	digest = digest_of_daemon(fd);
	close(fd);
	live_end();
	files_remove(live.dir);
	return digest;
}

/* What the children found; shared with them. */
static struct found {
	unsigned int states, noticed, stepped_back, boots;
	char fault[300];
} *found;

static bool one_of_the_run(const struct platter *d, uint64_t digest)
{
	for (uint64_t i = platter_acked(d); i <= platter_sent(d); i++) {
		if (run.digest[i] == digest)
			return true;
	}
	return false;
}

static void check_state(const struct platter *d, const char *dir, size_t sector, bool may_notice)
{
	bool stepped_back;
	uint64_t digest;
	int err;

	files_remove(dir);
	mkdir(dir, 0700);
	platter_image(d, dir, (enum platter_tear)live_rnd(4), sector, live_rnd);
	digest = digest_of_disk(dir, &err, &stepped_back);
	found->states++;
	found->stepped_back += stepped_back;
	if (err == -EBADMSG && may_notice) {
		found->noticed++;
	} else if (err < 0) {
		snprintf(found->fault, sizeof(found->fault), "it does not open: %s",
			 strerror(-err));
	} else if (stepped_back && !may_notice) {
		snprintf(found->fault, sizeof(found->fault), "a whole commit is undone");
	} else if (!one_of_the_run(d, digest)) {
		snprintf(found->fault, sizeof(found->fault), "it holds what it never should");
	} else if (found->states % 500 == 0 && ++found->boots && digest_after_boot(dir) != digest) {
		snprintf(found->fault, sizeof(found->fault), "the daemon sees something else");
	} else {
		err = takes_a_change(dir);
		if (err < 0)
			snprintf(found->fault, sizeof(found->fault), "it takes no change: %s",
				 strerror(-err));
	}
}

/* @nr states of the disk as it is now, in a process of their own: LMDB may crash on some. */
static void check_point(const struct platter *d, unsigned int event, unsigned int nr, size_t sector)
{
	unsigned int seed = live.seed + event * 7919;
	char dir[64];
	int status;
	pid_t pid;

	snprintf(dir, sizeof(dir), "%.50s/image", live.dir);
	pid = fork();
	if (pid == 0) {
		live.seed = seed;
		for (unsigned int i = 0; i < nr && !found->fault[0]; i++)
			check_state(d, dir, sector, sector < 512);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status) && sector < 512)
		found->noticed++;
	else if (WIFSIGNALED(status) || WEXITSTATUS(status))
		snprintf(found->fault, sizeof(found->fault), "the reader ended with status %x",
			 (unsigned int)status);
	if (found->fault[0])
		fail_msg("power cut behind event %u (acknowledged %llu, asked %llu): %s", event,
			 (unsigned long long)platter_acked(d), (unsigned long long)platter_sent(d),
			 found->fault);
}

static void cut_everywhere(unsigned int states, size_t sector)
{
	struct platter *d = platter_open(trace, live.state_dir);
	unsigned int events = 0, done = 0, event = 0;

	while (platter_step(d))
		events++;
	platter_close(d);
	d = platter_open(trace, live.state_dir);
	*found = (struct found){ 0 };
	while (platter_step(d)) {
		unsigned int due = (unsigned int)((uint64_t)++event * states / events);

		if (due > done)
			check_point(d, event, due - done, sector);
		done = due;
	}
	platter_close(d);
	print_message("%u states behind %u events of %llu changes: %u by the whole daemon, "
		      "%u with a torn commit undone, damage noticed in %u\n",
		      found->states, events, (unsigned long long)run.nr, found->boots,
		      found->stepped_back, found->noticed);
}

/* Sanitizers look at the reading; the plain build at the many states. */
#ifdef __SANITIZE_ADDRESS__
#define SHARE 10
#else
#define SHARE 1
#endif

static void test_power_cut_keeps_what_was_acknowledged(void **state)
{
	record_run(12);
	cut_everywhere(live_count(20000 / SHARE, 1000000), 512);
}

static void test_torn_sectors_are_never_a_silent_wrong_answer(void **state)
{
	record_run(4);
	cut_everywhere(live_count(2000 / SHARE, 50000), 8);
}

static int setup(void **state)
{
	return live_make();
}

static int teardown(void **state)
{
	if (run.model)
		t_stop(run.model);
	for (unsigned int i = 0; i < CHANGES_MAX; i++)
		free(run.history[i]);
	memset(&run, 0, sizeof(run));
	return live_remove();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_power_cut_keeps_what_was_acknowledged, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_torn_sectors_are_never_a_silent_wrong_answer,
						setup, teardown),
	};

	if (live_init(argc, argv))
		return 2;
	found = mmap(NULL, sizeof(*found), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
