/* SPDX-License-Identifier: MIT */
/*
 * test_handle.c - the libxenstore functions: threads, watches, reconnects, and the parts that need
 * no connection.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <xs.h>

#include "fake_store.h"
#include "xs_handle.h"

struct fixture {
	struct fake_store f;
	struct xs_handle *h;
};

/* In libxentoolcore's place: what it would cut off. */
static struct xs_active *active;

void xentoolcore__register_active_handle(struct xs_active *self);
void xentoolcore__register_active_handle(struct xs_active *self)
{
	active = self;
}

void xentoolcore__deregister_active_handle(struct xs_active *self);
void xentoolcore__deregister_active_handle(struct xs_active *self)
{
	if (active == self)
		active = NULL;
}

int xentoolcore__restrict_by_dup2_null(int fd);
int xentoolcore__restrict_by_dup2_null(int fd)
{
	int null = open("/dev/null", O_RDONLY), rc = dup2(null, fd);

	close(null);
	return rc < 0 ? -1 : 0;
}

static int setup_flags(void **state, unsigned long flags)
{
	struct fixture *x = calloc(1, sizeof(*x));

	fake_start(&x->f);
	fake_put(&x->f, "/a", "one");
	setenv("XENSTORED_PATH", x->f.path, 1);
	x->h = xs_open(flags);
	assert_non_null(x->h);
	*state = x;
	return 0;
}

static int setup(void **state)
{
	return setup_flags(state, 0);
}

static int setup_filter(void **state)
{
	return setup_flags(state, XS_UNWATCH_FILTER);
}

static int teardown(void **state)
{
	struct fixture *x = *state;

	xs_close(x->h);
	fake_stop(&x->f);
	unsetenv("XENSTORED_PATH");
	free(x);
	return 0;
}

static void test_read_gives_the_value_and_ends_it_with_a_nul(void **state)
{
	struct fixture *x = *state;
	unsigned int len;
	char *v = xs_read(x->h, XBT_NULL, "/a", &len);

	assert_string_equal(v, "one");
	assert_int_equal(len, 3);
	free(v);
}

static void test_errors_are_in_errno_and_a_success_clears_it(void **state)
{
	struct fixture *x = *state;

	assert_null(xs_read(x->h, XBT_NULL, "/none", NULL));
	assert_int_equal(errno, ENOENT);
	assert_true(xs_write(x->h, XBT_NULL, "/a", "x", 1));
	assert_int_equal(errno, 0);
	assert_false(xs_restrict(x->h, 1));
}

static void test_a_long_directory_comes_whole(void **state)
{
	struct fixture *x = *state;
	unsigned int num;
	char path[64], **names;

	for (int i = 0; i < 200; i++) {
		snprintf(path, sizeof(path), "/a/child-%d", i);
		fake_put(&x->f, path, "");
	}
	x->f.listing_max = 64;
	names = xs_directory(x->h, XBT_NULL, "/a", &num);
	assert_non_null(names);
	assert_int_equal(num, 200);
	assert_string_equal(names[0], "child-0");
	assert_string_equal(names[199], "child-199");
	free(names);
}

static void test_a_directory_that_never_holds_still_is_not_listed_for_ever(void **state)
{
	struct fixture *x = *state;
	unsigned int num;
	char path[64];

	for (int i = 0; i < 20; i++) {
		snprintf(path, sizeof(path), "/a/child-%d", i);
		fake_put(&x->f, path, "");
	}
	x->f.listing_max = 64;
	x->f.churn = true;
	alarm(60);
	assert_null(xs_directory(x->h, XBT_NULL, "/a", &num));
	alarm(0);
	assert_int_equal(errno, EAGAIN);
}

static void test_permissions_are_parsed(void **state)
{
	struct fixture *x = *state;
	unsigned int num;
	struct xs_permissions *p = xs_get_permissions(x->h, XBT_NULL, "/a", &num);

	assert_int_equal(num, 2);
	assert_int_equal(p[0].id, 0);
	assert_int_equal(p[0].perms, XS_PERM_NONE);
	assert_int_equal(p[1].id, 5);
	assert_int_equal(p[1].perms, XS_PERM_READ);
	free(p);
}

/* ---- watches ---- */

static void test_a_watch_is_read_and_the_descriptor_says_when(void **state)
{
	struct fixture *x = *state;
	struct pollfd p = { .fd = xs_fileno(x->h), .events = POLLIN };
	unsigned int num;
	char **v;

	assert_null(xs_check_watch(x->h));
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(poll(&p, 1, 0), 0);
	assert_true(xs_watch(x->h, "/a", "token"));
	assert_int_equal(poll(&p, 1, 5000), 1);
	v = xs_read_watch(x->h, &num);
	assert_int_equal(num, 2);
	assert_string_equal(v[XS_WATCH_PATH], "/a");
	assert_string_equal(v[XS_WATCH_TOKEN], "token");
	free(v);
	assert_int_equal(poll(&p, 1, 20), 0);
	assert_true(xs_write(x->h, XBT_NULL, "/a/b", "1", 1));
	assert_int_equal(poll(&p, 1, 5000), 1);
	v = xs_check_watch(x->h);
	assert_string_equal(v[XS_WATCH_PATH], "/a/b");
	free(v);
	assert_null(xs_check_watch(x->h));
}

static void wait_events(struct fixture *x, int n)
{
	/* the reply to this comes after all events of before */
	for (int i = 0; i < n; i++)
		free(xs_read(x->h, XBT_NULL, "/a", NULL));
}

static void test_with_the_filter_no_event_of_an_unwatched_path_is_left(void **state)
{
	struct fixture *x = *state;
	char **v;

	assert_true(xs_watch(x->h, "/a", "mine"));
	assert_true(xs_watch(x->h, "/other", "mine"));
	assert_true(xs_write(x->h, XBT_NULL, "/a/b", "1", 1));
	wait_events(x, 1);
	assert_true(xs_unwatch(x->h, "/a", "mine"));

	v = xs_check_watch(x->h);
	assert_non_null(v);
	assert_string_equal(v[XS_WATCH_PATH], "/other");
	free(v);
	assert_null(xs_check_watch(x->h));
}

static void test_without_the_filter_events_of_before_are_still_delivered(void **state)
{
	struct fixture *x = *state;
	char **v;

	assert_true(xs_watch(x->h, "/a", "mine"));
	wait_events(x, 1);
	assert_true(xs_unwatch(x->h, "/a", "mine"));
	v = xs_check_watch(x->h);
	assert_non_null(v);
	free(v);
}

static void test_unwatch_of_nothing_fails(void **state)
{
	struct fixture *x = *state;

	assert_false(xs_unwatch(x->h, "/a", "never"));
	assert_int_equal(errno, ENOENT);
}

/* ---- threads ---- */

static void *hammer(void *arg)
{
	struct fixture *x = arg;

	for (int i = 0; i < 500; i++) {
		unsigned int len;
		char *v = xs_read(x->h, XBT_NULL, "/a", &len);

		if (!v || len != 3 || strcmp(v, "one") != 0)
			return (void *)1;
		free(v);
	}
	return NULL;
}

static void test_many_threads_share_one_handle(void **state)
{
	struct fixture *x = *state;
	pthread_t t[8];
	void *bad;

	assert_true(xs_watch(x->h, "/busy", "t"));
	for (int i = 0; i < 8; i++)
		pthread_create(&t[i], NULL, hammer, x);
	for (int i = 0; i < 8; i++) {
		pthread_join(t[i], &bad);
		assert_null(bad);
	}
}

static void *write_much(void *arg)
{
	struct fixture *x = arg;
	char text[3000];

	memset(text, 'x', sizeof(text));
	for (int i = 0; i < 200; i++)
		if (!xs_write(x->h, XBT_NULL, "/big", text, sizeof(text)))
			return (void *)1;
	return NULL;
}

/* More at a time than the connection takes, while the reader thread waits for what comes. */
static void test_many_threads_write_more_than_the_connection_holds(void **state)
{
	enum { THREADS = 100 };
	struct fixture *x = *state;
	pthread_t t[THREADS];
	void *bad;

	assert_true(xs_watch(x->h, "/busy", "t"));
	pthread_mutex_lock(&x->f.lock); /* the daemon reads nothing yet */
	for (int i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, write_much, x);
	usleep(50000);
	pthread_mutex_unlock(&x->f.lock);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(t[i], &bad);
		assert_null(bad);
	}
}

static void *breaker(void *arg)
{
	struct fixture *x = arg;

	for (int i = 0; i < 20; i++) {
		usleep(5000);
		fake_break(&x->f);
	}
	return NULL;
}

static void test_threads_do_not_notice_that_the_connection_breaks(void **state)
{
	struct fixture *x = *state;
	pthread_t t[4], b;
	void *bad;

	assert_true(xs_watch(x->h, "/busy", "t"));
	pthread_create(&b, NULL, breaker, x);
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, hammer, x);
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &bad);
		assert_null(bad);
	}
	pthread_join(b, NULL);
	assert_true(__atomic_load_n(&x->f.connects, __ATOMIC_RELAXED) > 1);
}

static void *reader(void *arg)
{
	struct fixture *x = arg;
	unsigned int num;
	char **v;

	for (int i = 0; i < 2; i++) {
		v = xs_read_watch(x->h, &num);
		if (!v)
			return (void *)1;
		free(v);
	}
	return NULL;
}

static void test_a_thread_may_wait_for_events_while_others_ask(void **state)
{
	struct fixture *x = *state;
	pthread_t t;
	void *bad;

	assert_true(xs_watch(x->h, "/a", "t"));
	pthread_create(&t, NULL, reader, x);
	assert_null(hammer(x));
	assert_true(xs_write(x->h, XBT_NULL, "/a", "new", 3));
	pthread_join(t, &bad);
	assert_null(bad);
}

static void test_the_child_of_a_fork_lets_go_and_the_parent_goes_on(void **state)
{
	struct fixture *x = *state;
	unsigned int num;
	int status;
	pid_t pid;
	char **v;

	assert_true(xs_watch(x->h, "/a", "t"));
	free(xs_read_watch(x->h, &num));
	pid = fork();
	if (pid == 0) {
		alarm(60);
		xs_daemon_destroy_postfork(x->h);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(xs_write(x->h, XBT_NULL, "/a/b", "1", 1));
	v = xs_read_watch(x->h, &num);
	assert_string_equal(v[XS_WATCH_PATH], "/a/b");
	free(v);
	assert_int_equal(x->f.connects, 1);
}

/* ---- reconnects ---- */

static void test_a_request_survives_a_broken_connection(void **state)
{
	struct fixture *x = *state;
	char *v;

	x->f.drop_after = 1;
	v = xs_read(x->h, XBT_NULL, "/a", NULL);
	assert_string_equal(v, "one");
	free(v);
}

static void test_watches_are_made_again_and_fire_once(void **state)
{
	struct fixture *x = *state;
	unsigned int num;
	char **v;

	assert_true(xs_watch(x->h, "/a", "t"));
	free(xs_read_watch(x->h, &num));
	fake_break(&x->f);
	v = xs_read_watch(x->h, &num);
	assert_string_equal(v[XS_WATCH_PATH], "/a");
	free(v);
	assert_true(xs_write(x->h, XBT_NULL, "/a/b", "1", 1));
	v = xs_read_watch(x->h, &num);
	assert_string_equal(v[XS_WATCH_PATH], "/a/b");
	free(v);
}

static void test_a_transaction_over_a_broken_connection_ends_in_eagain(void **state)
{
	struct fixture *x = *state;
	xs_transaction_t t = xs_transaction_start(x->h);

	assert_int_not_equal(t, XBT_NULL);
	fake_break(&x->f);
	free(xs_read(x->h, XBT_NULL, "/a", NULL)); /* notices */
	assert_false(xs_write(x->h, t, "/a", "x", 1));
	assert_int_equal(errno, EAGAIN);
	assert_false(xs_transaction_end(x->h, t, false));
	assert_int_equal(errno, EAGAIN);
	t = xs_transaction_start(x->h);
	assert_true(xs_write(x->h, t, "/a", "x", 1));
	assert_true(xs_transaction_end(x->h, t, false));
}

static void test_a_watch_that_is_refused_after_a_reconnect_is_asked_for_again(void **state)
{
	struct fixture *x = *state;
	unsigned int num;

	assert_true(xs_watch(x->h, "/a", "t"));
	free(xs_read_watch(x->h, &num));
	x->f.refuse_watches = 2;
	fake_break(&x->f);
	alarm(60);
	free(xs_read_watch(x->h, &num));
	alarm(0);
	assert_int_equal(x->f.connects, 4);
}

static void test_nobody_is_asked_for_ever_what_the_daemon_dies_of(void **state)
{
	struct fixture *x = *state;

	x->f.poison = "/poison";
	assert_null(xs_read(x->h, XBT_NULL, "/poison", NULL));
	assert_int_equal(errno, EIO);
	free(xs_read(x->h, XBT_NULL, "/a", NULL));
	assert_int_equal(errno, 0);
}

static void test_a_transaction_that_has_ended_is_none(void **state)
{
	struct fixture *x = *state;
	xs_transaction_t t = xs_transaction_start(x->h);

	assert_true(xs_transaction_end(x->h, t, true));
	assert_false(xs_write(x->h, t, "/a", "x", 1));
	assert_int_equal(errno, ENOENT);
	assert_false(xs_transaction_end(x->h, t, false));
	assert_int_equal(errno, ENOENT);
	assert_false(xs_write(x->h, 4711, "/a", "x", 1));
	assert_int_equal(errno, ENOENT);
}

/* Rights that were given up do not come back, and nobody waits for that. */
static void restrict_it(struct fixture *x)
{
	assert_ptr_equal(active, x->h);
	assert_int_equal(active->restrict_cb(active, 5), 0);
	alarm(60);
	for (int i = 0; i < 2; i++) {
		assert_null(xs_read(x->h, XBT_NULL, "/a", NULL));
		assert_int_equal(errno, EIO);
	}
}

static void test_a_restricted_handle_never_connects_again(void **state)
{
	struct fixture *x = *state;

	free(xs_read(x->h, XBT_NULL, "/a", NULL));
	restrict_it(x);
	alarm(0);
	assert_int_equal(x->f.connects, 1);
}

static void test_a_restricted_handle_tells_who_waits_for_events(void **state)
{
	struct fixture *x = *state;
	struct pollfd p = { .fd = xs_fileno(x->h), .events = POLLIN };
	unsigned int num;

	assert_true(xs_watch(x->h, "/a", "t"));
	free(xs_read_watch(x->h, &num));
	restrict_it(x);
	assert_int_equal(poll(&p, 1, -1), 1);
	assert_null(xs_check_watch(x->h));
	assert_int_equal(errno, EIO);
	assert_null(xs_read_watch(x->h, &num));
	alarm(0);
	assert_int_equal(x->f.connects, 1);
}

/* Changes are numbered from here. */
#define CHANGE(n) (0x80000000u + (n))

/* The answer to the second write is lost; the daemon says @answer of it. 0 or errno. */
static int lost_write(struct fixture *x, const char *answer)
{
	x->f.session = answer ? "new" : NULL;
	assert_true(xs_write(x->h, XBT_NULL, "/a", "1", 1));
	x->f.session = answer;
	x->f.writes = 0;
	x->f.drop_after = 1;
	return xs_write(x->h, XBT_NULL, "/a", "2", 1) ? 0 : errno;
}

static void test_a_lost_write_is_what_the_daemon_says_it_was(void **state)
{
	static const struct {
		unsigned int last, failed;
		const char *how;
		int err;
		unsigned int writes;
	} cases[] = {
		{ 2, 1, "EINVAL", 0, 0 },
		{ 1, 9, "EINVAL", 0, 1 },
		{ 1, 2, "ENOSPC", ENOSPC, 0 },
	};
	struct fixture *x = *state;

	for (unsigned int i = 0; i < 3; i++) {
		unsigned int before = 3 * i;
		char answer[64];

		/* two or three were numbered in each round before */
		snprintf(answer, sizeof(answer), "%u 0 %u:%s", CHANGE(before + cases[i].last),
			 CHANGE(before + cases[i].failed), cases[i].how);
		x->h->c->next_change = before;
		assert_int_equal(lost_write(x, answer), cases[i].err);
		assert_int_equal(x->f.writes, cases[i].writes);
	}
}

static void test_what_nobody_knows_is_an_error_of_its_own(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(lost_write(x, "new"), ENOTRECOVERABLE);
	assert_int_equal(x->f.writes, 0);
	fake_break(&x->f);
	free(xs_read(x->h, XBT_NULL, "/a", NULL)); /* notices */
	assert_int_equal(lost_write(x, NULL), ENOTRECOVERABLE);
	assert_int_equal(x->f.writes, 0);
}

static void test_EAGAIN_of_a_lost_commit_means_not_committed(void **state)
{
	struct fixture *x = *state;
	char answer[64];

	for (unsigned int done = 0; done < 2; done++) {
		xs_transaction_t t;

		x->f.session = "new";
		x->h->c->next_change = 0;
		assert_true(xs_write(x->h, XBT_NULL, "/a", "1", 1));
		t = xs_transaction_start(x->h);
		snprintf(answer, sizeof(answer), "%u 0", CHANGE(1 + done));
		x->f.session = answer;
		x->f.drop_after = 1;
		assert_int_equal(xs_transaction_end(x->h, t, false), done);
		assert_int_equal(errno, done ? 0 : EAGAIN);
	}
}

static void test_a_conflict_is_eagain(void **state)
{
	struct fixture *x = *state;
	xs_transaction_t t = xs_transaction_start(x->h);

	x->f.conflicts = 1;
	assert_false(xs_transaction_end(x->h, t, false));
	assert_int_equal(errno, EAGAIN);
}

static void test_a_handle_is_closed_at_any_moment_of_a_reconnect(void **state)
{
	struct fixture *x = *state;

	for (int i = 0; i < 50; i++) {
		struct xs_handle *h = xs_open(0);

		assert_non_null(h);
		assert_true(xs_watch(h, "/a", "t"));
		fake_break(&x->f);
		usleep(i * 20);
		xs_close(h);
	}
}

static void test_a_handle_is_closed_while_there_is_no_daemon(void **state)
{
	struct fixture *x = *state;

	assert_true(xs_watch(x->h, "/a", "t"));
	fake_accept(&x->f, false);
	fake_break(&x->f);
	usleep(20000); /* the reader is backing off now; teardown closes */
}

/* ---- no connection ---- */

static void *open_one(void *arg)
{
	struct xs_handle *h = xs_open(0);

	*(int *)arg = h ? 0 : errno;
	xs_close(h);
	return NULL;
}

/* Of a daemon that takes nobody in: its queue gets full. Returns the socket. */
static int listen_full(char dir[32], char path[64], int conns[8])
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), n = 0;

	strcpy(dir, "/tmp/xs-full-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, 64, "%s/socket", dir);
	strcpy(addr.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 0), 0);
	do
		conns[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	while (connect(conns[n], (struct sockaddr *)&addr, sizeof(addr)) == 0 && ++n < 7);
	assert_int_equal(errno, EAGAIN);
	conns[n + 1] = -1;
	setenv("XENSTORED_PATH", path, 1);
	return fd;
}

static void end_full(int fd, const char *dir, const char *path, const int *conns)
{
	close(fd);
	for (; *conns >= 0; conns++)
		close(*conns);
	unlink(path);
	rmdir(dir);
	unsetenv("XENSTORED_PATH");
}

static void test_who_opens_waits_for_a_place_in_the_queue(void **state)
{
	char dir[32], path[64];
	int conns[8], fd = listen_full(dir, path, conns), err = -1;
	pthread_t t;

	pthread_create(&t, NULL, open_one, &err);
	close(accept(fd, NULL, NULL));
	pthread_join(t, NULL);
	assert_int_equal(err, 0);
	end_full(fd, dir, path, conns);
}

static void test_who_opens_does_not_wait_for_ever(void **state)
{
	char dir[32], path[64];
	int conns[8], fd = listen_full(dir, path, conns), err = -1;
	struct xs_client *c;
	pthread_t t;

	alarm(60);
	pthread_create(&t, NULL, open_one, &err);
	assert_int_equal(xs_client_open(&c, NULL), -ETIMEDOUT);
	pthread_join(t, NULL);
	alarm(0);
	assert_int_equal(err, ETIMEDOUT);
	end_full(fd, dir, path, conns);
}

static void test_no_daemon_is_an_error_at_open(void **state)
{
	setenv("XENSTORED_PATH", "/nothing/here", 1);
	assert_null(xs_open(0));
	assert_int_equal(errno, ENOENT);
	unsetenv("XENSTORED_PATH");
}

static void test_a_file_is_no_store_and_stays_as_it_is(void **state)
{
	char path[] = "/tmp/xs-file-XXXXXX";
	int fd = mkstemp(path);
	struct xs_handle *h;
	struct stat st;

	setenv("XENSTORED_PATH", path, 1);
	h = xs_open(0);
	if (h)
		xs_write(h, XBT_NULL, "/a", "1", 1);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_null(h);
	assert_null(xs_open(0));
	assert_int_equal(errno, ENOTSOCK);
	close(fd);
	unlink(path);
	unsetenv("XENSTORED_PATH");
}

static void test_paths_come_from_the_environment(void **state)
{
	unsetenv("XENSTORED_PATH");
	unsetenv("XENSTORED_RUNDIR");
	assert_string_equal(xs_daemon_rundir(), "/var/run/xenstored");
	assert_string_equal(xs_daemon_socket(), "/var/run/xenstored/socket");
	setenv("XENSTORED_RUNDIR", "/elsewhere", 1);
	assert_string_equal(xs_daemon_socket(), "/elsewhere/socket");
	setenv("XENSTORED_PATH", "/named", 1);
	assert_string_equal(xs_daemon_socket(), "/named");
	assert_string_equal(xs_daemon_socket_ro(), "/named");
	unsetenv("XENSTORED_PATH");
	unsetenv("XENSTORED_RUNDIR");
}

static void test_permission_strings(void **state)
{
	struct xs_permissions p[3];

	assert_true(xs_strings_to_perms(p, 3, "n0\0b12\0w7"));
	assert_int_equal(p[1].id, 12);
	assert_int_equal(p[1].perms, XS_PERM_READ | XS_PERM_WRITE);
	assert_int_equal(p[2].perms, XS_PERM_WRITE);
	assert_false(xs_strings_to_perms(p, 1, "x0"));
	assert_int_equal(errno, EINVAL);
	assert_false(xs_strings_to_perms(p, 1, "r"));
	assert_false(xs_strings_to_perms(p, 1, "r5x"));
}

static void test_subpaths_are_compared_as_text(void **state)
{
	assert_true(xs_path_is_subpath("/a", "/a"));
	assert_true(xs_path_is_subpath("/a", "/a/b"));
	assert_false(xs_path_is_subpath("/a", "/ab"));
	assert_false(xs_path_is_subpath("/a/b", "/a"));
	assert_false(xs_path_is_subpath("/", "/a")); /* as the original has it */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_read_gives_the_value_and_ends_it_with_a_nul),
		TEST(test_errors_are_in_errno_and_a_success_clears_it),
		TEST(test_a_long_directory_comes_whole),
		TEST(test_a_directory_that_never_holds_still_is_not_listed_for_ever),
		TEST(test_permissions_are_parsed),
		TEST(test_a_watch_is_read_and_the_descriptor_says_when),
		cmocka_unit_test_setup_teardown(
			test_with_the_filter_no_event_of_an_unwatched_path_is_left, setup_filter,
			teardown),
		TEST(test_without_the_filter_events_of_before_are_still_delivered),
		TEST(test_unwatch_of_nothing_fails),
		TEST(test_many_threads_share_one_handle),
		TEST(test_many_threads_write_more_than_the_connection_holds),
		TEST(test_threads_do_not_notice_that_the_connection_breaks),
		TEST(test_a_thread_may_wait_for_events_while_others_ask),
		TEST(test_the_child_of_a_fork_lets_go_and_the_parent_goes_on),
		TEST(test_a_request_survives_a_broken_connection),
		TEST(test_watches_are_made_again_and_fire_once),
		TEST(test_a_watch_that_is_refused_after_a_reconnect_is_asked_for_again),
		TEST(test_nobody_is_asked_for_ever_what_the_daemon_dies_of),
		TEST(test_a_restricted_handle_never_connects_again),
		TEST(test_a_restricted_handle_tells_who_waits_for_events),
		TEST(test_a_transaction_that_has_ended_is_none),
		TEST(test_a_transaction_over_a_broken_connection_ends_in_eagain),
		TEST(test_a_lost_write_is_what_the_daemon_says_it_was),
		TEST(test_what_nobody_knows_is_an_error_of_its_own),
		TEST(test_EAGAIN_of_a_lost_commit_means_not_committed),
		TEST(test_a_conflict_is_eagain),
		TEST(test_a_handle_is_closed_at_any_moment_of_a_reconnect),
		TEST(test_a_handle_is_closed_while_there_is_no_daemon),
		cmocka_unit_test(test_who_opens_waits_for_a_place_in_the_queue),
		cmocka_unit_test(test_who_opens_does_not_wait_for_ever),
		cmocka_unit_test(test_no_daemon_is_an_error_at_open),
		cmocka_unit_test(test_a_file_is_no_store_and_stays_as_it_is),
		cmocka_unit_test(test_paths_come_from_the_environment),
		cmocka_unit_test(test_permission_strings),
		cmocka_unit_test(test_subpaths_are_compared_as_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
