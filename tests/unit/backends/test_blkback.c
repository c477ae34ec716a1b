/* SPDX-License-Identifier: MIT */
/*
 * test_blkback.c - what the disk's process does about its image: what it says in the store when
 * there is none, and how it waits for the server of a disk that a guest has already.
 */
#include <unistd.h>

/* Waiting is the tests' to end. */
static int fake_usleep(useconds_t us);
#define usleep fake_usleep
#define main blkback_main
int blkback_main(int argc, char **argv);
#include "blkback.c"
#undef main

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "fake_xen.h"
#include "nbd_server.h"

#define BACK "/local/domain/0/backend/vbd/7/51712"
#define FRONT "/local/domain/7/device/vbd/51712"

static const char *const megabyte[] = { "nbdkit", "-f", "memory", "1M", NULL };
static const char *const two_megabytes[] = { "nbdkit", "-f", "memory", "2M", NULL };

static struct backend be;
static struct nbd_server server;
static char dir[64];
static unsigned int waited;
static void (*while_waiting)(void);
static unsigned int heard; /* how often it took what the store had to say */
static unsigned int goes_on_at; /* when the server does, 0: never */

void backend_hear(struct backend *b)
{
	if (++heard == goes_on_at)
		nbd_server_go_on(&server);
}

void backend_kick(struct backend *b, unsigned int due)
{
}

int backend_main(int argc, char **argv, const struct backend_ops *ops)
{
	return 0;
}

static int fake_usleep(useconds_t us)
{
	if (waited++ > 100)
		fail_msg("it waits for ever");
	if (while_waiting)
		while_waiting();
	return 0;
}

static void write_device(const char *params)
{
	fake_store_set(BACK "/frontend", FRONT);
	fake_store_set(BACK "/frontend-id", "7");
	fake_store_set(BACK "/online", "1");
	fake_store_set(BACK "/state", "1");
	fake_store_set(BACK "/mode", "w");
	fake_store_set(BACK "/params", params);
	fake_store_set(FRONT "/state", "1");
}

static int set_up(void **state)
{
	strcpy(dir, "/tmp/test-blkback-XXXXXX");
	assert_non_null(mkdtemp(dir));
	setenv("STOREVISOR_BACKEND_DIR", dir, 1);
	fake_reset();
	nbd_server_listen_unix(&server, dir);
	write_device(server.name);
	waited = heard = goes_on_at = 0;
	while_waiting = NULL;
	return 0;
}

/* A process's start. */
static int start(void)
{
	memset(&be, 0, sizeof(be));
	memset(&blkback, 0, sizeof(blkback));
	blkback.image.fd = -1;
	be.xs = xs_open(0);
	be.gnt = xengnttab_open(NULL, 0);
	be.evt = xenevtchn_open(NULL, 0);
	assert_int_equal(backend_init(&be, &blk_ops, BACK), 0);
	return backend_start(&be);
}

static void stop(void)
{
	for (unsigned int i = 0; i < JOURNAL_QUEUES; i++) {
		blk_ring_destroy(blkback.queues.queue[i].engine);
		blk_io_close(blkback.queues.queue[i].io);
	}
	blk_image_close(&blkback.image);
	journal_close(&be.journal);
}

static int tear_down(void **state)
{
	char command[128];

	stop();
	nbd_server_end(&server);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

static void store_says(const char *key, const char *text)
{
	char path[128];
	const char *value;

	snprintf(path, sizeof(path), BACK "/%s", key);
	value = fake_store_get(path);
	if (!value || !strstr(value, text))
		fail_msg("%s is '%s', not '%s'", key, value ? value : "absent", text);
}

static void is_offered(const char *sectors)
{
	store_says("hotplug-status", "connected");
	assert_string_equal(fake_store_get(BACK "/sectors"), sectors);
	assert_string_equal(fake_store_get(BACK "/state"), "2");
}

static void test_a_disk_on_another_machine_is_offered(void **state)
{
	nbd_server_start(&server, megabyte);
	assert_int_equal(start(), 0);
	is_offered("2048");
	assert_string_equal(fake_store_get(BACK "/feature-flush-cache"), "1");
	assert_string_equal(fake_store_get(BACK "/feature-discard"), "1");
	assert_int_equal(waited, 0);
}

static void test_one_that_cannot_be_is_an_error_in_the_store(void **state)
{
	static const char *const read_only[] = { "nbdkit", "-f", "-r", "memory", "1M", NULL };

	nbd_server_start(&server, read_only);
	assert_int_equal(start(), -EINVAL);
	store_says("hotplug-error", "does not let it be written: give it with mode r");
	store_says("hotplug-status", "error");
	stop();
	fake_store_rm(BACK "/hotplug-status");
	fake_store_set(BACK "/mode", "r");
	assert_int_equal(start(), 0);
	is_offered("2048");
	stop();
	fake_store_rm(BACK "/hotplug-status");
	nbd_server_end(&server);
	assert_int_equal(start(), -EINVAL);
	store_says("hotplug-error", "Connection refused");
	stop();
	fake_store_set(BACK "/params", "nbd:nowhere");
	assert_int_equal(start(), -EINVAL);
	store_says("hotplug-error", "its port is missing");
	stop();
	fake_store_set(BACK "/params", "image");
	assert_int_equal(start(), -EINVAL);
	store_says("hotplug-error", "must be an absolute path, the nbd: or iscsi: name");
}

static void test_an_image_is_served_as_ever(void **state)
{
	char image[96];
	FILE *f;

	snprintf(image, sizeof(image), "%s/image", dir);
	fake_store_set(BACK "/params", image);
	assert_int_equal(start(), -EINVAL);
	store_says("hotplug-error", "No such file");
	stop();
	fake_store_rm(BACK "/hotplug-status");
	f = fopen(image, "w");
	assert_non_null(f);
	assert_int_equal(ftruncate(fileno(f), 4096), 0);
	fclose(f);
	assert_int_equal(start(), 0);
	is_offered("8");
}

static bool is_sync(void)
{
	return (fcntl(blkback.image.fd, F_GETFL) & O_DSYNC) == O_DSYNC;
}

/* What the process before this one offered counts, not what the image would be offered with now. */
static void test_a_script_of_libxls_is_waited_for(void **state)
{
	char *image = NULL;
	uint64_t again;
	int fd;

	(void)state;
	assert_true(asprintf(&image, "%s/image", dir) > 0);
	fd = open(image, O_RDWR | O_CREAT, 0600);
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	write_device(image);
	fake_store_set(BACK "/script", "/etc/xen/scripts/block");
	assert_int_equal(start(), 0);
	store_says("state", "2");
	/*
	 * The guest runs, and is ready at once. It is no error that its keys are not there: nobody
	 * looks.
	 */
	fake_store_set(FRONT "/state", "3");
	assert_int_equal(backend_poll(&be, 1000000000, &again), 0);
	store_says("state", "2");
	assert_null(fake_store_get(BACK "/error"));
	fake_store_set(BACK "/physical-device", "7:0");
	assert_int_equal(backend_poll(&be, 2000000000, &again), 0);
	store_says("error", "cannot connect to the frontend");
	close(fd);
	free(image);
}

static void test_a_guest_that_was_told_of_no_flush_needs_none(void **state)
{
	char image[96];
	FILE *f;

	snprintf(image, sizeof(image), "%s/image", dir);
	f = fopen(image, "w");
	assert_non_null(f);
	assert_int_equal(ftruncate(fileno(f), 4096), 0);
	fclose(f);
	fake_store_set(BACK "/params", image);
	/* A process that ends lets go of it; the ring of one that does not takes a moment. */
	fake_store_set(BACK "/lock", "0");
	fake_store_set(BACK "/cache", "writethrough");
	assert_int_equal(start(), 0);
	is_offered("8");
	assert_true(is_sync());
	stop();
	fake_store_set(BACK "/state", "4");
	fake_store_set(BACK "/cache", "writeback");
	/* As of a version before it: then it is not offered anew. */
	assert_int_equal(unlink(be.journal_path), 0);
	assert_int_equal(start(), 0);
	assert_string_equal(fake_store_get(BACK "/feature-flush-cache"), "0");
	assert_true(is_sync());
	stop();
	/* Of what is not to be safe nothing was promised. */
	fake_store_set(BACK "/cache", "unsafe");
	assert_int_equal(unlink(be.journal_path), 0);
	assert_int_equal(start(), 0);
	assert_false(is_sync());
	stop();
	fake_store_set(BACK "/feature-flush-cache", "1");
	fake_store_set(BACK "/cache", "writeback");
	assert_int_equal(start(), 0);
	assert_false(is_sync());
}

/* A process of ours is its server then, under the same roof. */
static void test_an_image_of_another_format_is_offered(void **state)
{
	char image[96], command[192];

	snprintf(image, sizeof(image), "%s/image", dir);
	snprintf(command, sizeof(command), "qemu-img create -q -f qcow2 %s 1M", image);
	assert_int_equal(system(command), 0);
	fake_store_set(BACK "/params", image);
	fake_store_set(BACK "/format", "qcow2");
	assert_int_equal(start(), 0);
	is_offered("2048");
	assert_string_equal(fake_store_get(BACK "/feature-discard"), "1");
	stop();
	fake_store_rm(BACK "/hotplug-status");
	fake_store_set(BACK "/format", "vmdk");
	assert_int_equal(start(), -EINVAL);
	store_says("hotplug-error", "invalid VMDK image");
	stop();
	fake_store_set(BACK "/format", "qcow3");
	assert_int_equal(start(), -EINVAL);
	store_says("hotplug-error", "format=qcow3 is not known: raw, qcow2");
	stop();
	/* Whatever it is, it is not the guest's to read and to write as it stands. */
	fake_store_set(BACK "/format", "a-format-of-a-long-name");
	assert_int_equal(start(), -EINVAL);
	store_says("hotplug-error", "format= is too long");
	stop();
	fake_store_set(BACK "/format", "qcow2");
	fake_store_set(BACK "/lock", "0");
	assert_int_equal(start(), -EINVAL);
	store_says("hotplug-error", "that nobody else writes to");
}

static void test_an_iscsi_target_is_asked(void **state)
{
	fake_store_set(BACK "/params", "iscsi://127.0.0.1:1/iqn.2026-01.test:disk/1");
	assert_int_equal(start(), -EINVAL);
	store_says("hotplug-error", "its target: Connection refused");
	stop();
	fake_store_set(BACK "/format", "qcow2");
	assert_int_equal(start(), -EINVAL);
	store_says("hotplug-error", "is for a file or device of this host");
	stop();
	fake_store_rm(BACK "/format");
	fake_store_set(BACK "/params", "iscsi://127.0.0.1:1/iqn.2026-01.test:disk");
	assert_int_equal(start(), -EINVAL);
	store_says("hotplug-error", "its number is missing");
}

/* --- a guest has it, and its server is away -------------------------------------------------- */

static void nobody_listens(void)
{
	nbd_server_end(&server);
	fake_store_set(BACK "/hotplug-status", "connected");
	fake_store_set(BACK "/state", "4");
	fake_store_set(BACK "/sectors", "2048");
}

static void comes_back(void)
{
	store_says("error", "Connection refused");
	store_says("hotplug-status", "connected");
	if (waited == 3) {
		nbd_server_listen_unix(&server, dir);
		nbd_server_start(&server, megabyte);
	}
}

static void test_a_guests_disk_waits_for_its_server(void **state)
{
	nobody_listens();
	while_waiting = comes_back;
	assert_int_equal(start(), 0);
	assert_int_equal(waited, 3);
	assert_string_equal(fake_store_get(BACK "/error"), "");
	assert_string_equal(fake_store_get(BACK "/state"), "4");
	assert_null(fake_store_get(BACK "/hotplug-error"));
}

static const char *const half[] = { "nbdkit", "-f", "memory", "512K", NULL };

static void becomes_whole(void)
{
	store_says("error", "it has 1024 sectors now, and had 2048");
	nbd_server_kill(&server);
	nbd_server_start(&server, megabyte);
}

static void test_a_smaller_disk_is_waited_out(void **state)
{
	nobody_listens();
	nbd_server_listen_unix(&server, dir);
	nbd_server_start(&server, half);
	while_waiting = becomes_whole;
	assert_int_equal(start(), 0);
	assert_int_equal(waited, 1);
}

static void shall_go(void)
{
	fake_store_set(BACK "/online", "0");
}

static void goes(void)
{
	fake_store_rm(BACK);
}

static void test_what_is_to_go_waits_no_longer(void **state)
{
	nobody_listens();
	while_waiting = shall_go;
	assert_int_equal(start(), -EINVAL);
	assert_int_equal(waited, 1);
	/* Who asked for it hears that nobody will close it. */
	store_says("hotplug-status", "error");
	stop();
	fake_store_set(BACK "/online", "1");
	fake_store_set(BACK "/hotplug-status", "connected");
	while_waiting = goes;
	assert_int_equal(start(), -ENOENT);
	assert_int_equal(waited, 2);
}

/* In a child: it ends as one that is to be started again, and has answered nothing. */
static void test_a_server_that_goes_ends_the_process(void **state)
{
	int status;
	pid_t pid;

	nbd_server_start(&server, megabyte);
	assert_int_equal(start(), 0);
	nbd_server_kill(&server);
	pid = fork();
	if (pid == 0) {
		blk_io_wait(blkback.queues.queue[0].io);
		on_done(0, 0, &blkback.queues.queue[0]);
		_exit(1);
	}
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), BACKEND_EXIT_RETRY);
}

static void test_a_disk_that_grew_meanwhile_is_told(void **state)
{
	nobody_listens();
	nbd_server_listen_unix(&server, dir);
	nbd_server_start(&server, two_megabytes);
	assert_int_equal(start(), 0);
	assert_string_equal(fake_store_get(BACK "/sectors"), "2048");
	tell_growth(&be);
	assert_string_equal(fake_store_get(BACK "/sectors"), "4096");
}

/* What the process's loop does when the disk has something to say. */
static void hear(void)
{
	blk_io_wait(blkback.queues.queue[0].io);
	on_done(0, 0, &blkback.queues.queue[0]);
}

static void is_drained(const char *token)
{
	while (!fake_store_get(BACK "/drained"))
		hear();
	assert_string_equal(fake_store_get(BACK "/drained"), token);
}

static void test_a_disk_that_is_flushed_is_drained(void **state)
{
	nbd_server_start(&server, megabyte);
	assert_int_equal(start(), 0);
	fake_store_set(BACK "/drain", "token");
	blk_look(&be);
	is_drained("token");
}

/* As of a file on a CD-ROM. */
static void test_a_disk_that_is_only_read_needs_no_flush(void **state)
{
	nbd_server_start(&server, megabyte);
	fake_store_set(BACK "/mode", "r");
	assert_int_equal(start(), 0);
	strcpy(blkback.syncing, "token");
	sync_ended(&be, -EINVAL);
	assert_string_equal(fake_store_get(BACK "/drained"), "token");
	assert_null(fake_store_get(BACK "/error"));
}

/* It waits for none: dom0 may have given up, and the guest go on, long before. */
static void test_a_silent_server_holds_up_no_drain(void **state)
{
	nbd_server_start(&server, megabyte);
	assert_int_equal(start(), 0);
	nbd_server_freeze(&server);
	fake_store_set(BACK "/drain", "first");
	blk_look(&be);
	fake_store_rm(BACK "/drain");
	blk_look(&be);
	assert_null(fake_store_get(BACK "/drained"));
	nbd_server_go_on(&server);
	is_drained("first");
}

/* The guest ran on between two: what it then wrote is in the second one's flush alone. */
static void test_a_drain_is_answered_by_a_flush_of_its_own(void **state)
{
	nbd_server_start(&server, megabyte);
	assert_int_equal(start(), 0);
	nbd_server_freeze(&server);
	fake_store_set(BACK "/drain", "first");
	blk_look(&be);
	fake_store_set(BACK "/drain", "second");
	blk_look(&be);
	assert_string_equal(blkback.syncing, "first");
	nbd_server_go_on(&server);
	while (strcmp(blkback.answered, "second") != 0)
		hear();
	assert_string_equal(blkback.syncing, "second");
	is_drained("second");
}

static void test_a_device_that_is_to_go_leaves_a_silent_server(void **state)
{
	nbd_server_start(&server, megabyte);
	assert_int_equal(start(), 0);
	nbd_server_freeze(&server);
	fake_store_set(BACK "/drain", "token");
	blk_look(&be);
	fake_store_set(BACK "/online", "0");
	blk_disconnect(&be);
	/* Nothing of it wakes the process any more. */
	nbd_server_go_on(&server);
	assert_false(blk_io_wait_ms(blkback.queues.queue[0].io, 100));
}

/*
 * A guest has its disk close while much is to be flushed, and writes its state meanwhile, as fast
 * as it
 * can: nobody else takes those events out of the process's memory.
 */
static void test_the_store_is_heard_while_requests_end(void **state)
{
	nbd_server_start(&server, megabyte);
	assert_int_equal(start(), 0);
	nbd_server_freeze(&server);
	fake_store_set(BACK "/drain", "token");
	blk_look(&be);
	goes_on_at = 3;
	blk_disconnect(&be);
	assert_int_equal(heard, 3);
}

/* --- its lock --- */

static char image[96];

static void make_image(void)
{
	int fd;

	snprintf(image, sizeof(image), "%s/image", dir);
	fd = open(image, O_RDWR | O_CREAT, 0600);
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	close(fd);
	fake_store_set(BACK "/params", image);
}

/* Another host's process, where its file system has it know of ours. */
static bool others_have_it(int fd)
{
	return flock(fd, LOCK_EX | LOCK_NB) == 0;
}

static void test_the_lock_goes_with_a_guest_that_moves_and_comes_back_with_one_that_stays(void **state)
{
	int other;

	make_image();
	assert_int_equal(start(), 0);
	other = open(image, O_RDWR);
	assert_false(others_have_it(other));
	/* It is saved only. */
	fake_store_set(BACK "/drain", "first");
	blk_look(&be);
	is_drained("first");
	assert_false(others_have_it(other));
	fake_store_rm(BACK "/drain");
	fake_store_rm(BACK "/drained");
	blk_look(&be);

	fake_store_set(BACK "/lock-leaves", "1");
	fake_store_set(BACK "/drain", "second");
	blk_look(&be);
	is_drained("second");
	assert_true(is_elsewhere(&be));
	assert_true(others_have_it(other));
	/* It stays, and the other process has not ended yet: nothing is written before. */
	fake_store_rm(BACK "/drain");
	blk_look(&be);
	assert_true(is_elsewhere(&be));
	store_says("error", "in use by another domain");
	close(other);
	assert_false(is_elsewhere(&be));
	assert_string_equal(fake_store_get(BACK "/error"), "");
	other = open(image, O_RDWR);
	assert_false(others_have_it(other));
	close(other);
}

static void test_the_lock_of_a_guest_that_comes_is_taken_when_it_is_here(void **state)
{
	int other;

	make_image();
	other = open(image, O_RDWR);
	assert_true(others_have_it(other));
	fake_store_set(BACK "/lock-comes", "1");
	/* Who is of this host will not let go. */
	assert_int_equal(start(), -EINVAL);
	store_says("hotplug-error", "already in use");
	waited = 0;
	/* What another host's process has, this one's kernel does not list. */
	blk_locks = "/dev/null";
	assert_int_equal(start(), 0);
	blk_locks = "/proc/locks";
	is_offered("2048");
	assert_int_equal(waited, 0);
	assert_true(is_elsewhere(&be));
	flock(other, LOCK_UN);
	assert_false(is_elsewhere(&be));
	assert_false(others_have_it(other));
	close(other);
}

static void test_who_shares_its_disk_waits_for_no_lock(void **state)
{
	make_image();
	fake_store_set(BACK "/lock", "0");
	fake_store_set(BACK "/lock-comes", "1");
	assert_int_equal(start(), 0);
	assert_false(is_elsewhere(&be));
}

static int held;

static void lets_go(void)
{
	if (waited == 60)
		close(held);
}

/* Its process waits for its server, as long as it is let. */
static void test_who_had_the_disk_before_is_waited_for(void **state)
{
	char why[256], log_file[96];
	struct blk_image before;
	struct blk_io *io;

	nbd_server_start(&server, megabyte);
	snprintf(log_file, sizeof(log_file), "%s/before", dir);
	assert_int_equal(blk_nbd_open(&before, &io, &(struct blk_nbd_want){
			 .name = server.name, .dir = dir, .log = log_file }, why, sizeof(why)), 0);
	blk_io_close(io);
	held = before.fd;
	while_waiting = lets_go;
	assert_int_equal(start(), 0);
	assert_int_equal(waited, 60);
}

/* The server refuses the flush: then it is not. */
static void test_a_disk_that_cannot_be_flushed_is_not_drained(void **state)
{
	static const char *const broken[] = { "nbdkit", "-f", "eval", "get_size=echo 1M",
					      "pread=head -c $3 /dev/zero", "pwrite=cat >/dev/null",
					      "can_flush=exit 0", "flush=echo EIO >&2; exit 1", NULL };

	nbd_server_start(&server, broken);
	assert_int_equal(start(), 0);
	fake_store_set(BACK "/drain", "token");
	blk_look(&be);
	is_drained("failed token");
	store_says("error", "cannot be flushed: Input/output error");
	blk_ring_destroy(blkback.queues.queue[0].engine);
	blk_io_close(blkback.queues.queue[0].io);
	blkback.queues.queue[0].engine = NULL;
	blkback.queues.queue[0].io = NULL;
	nbd_server_stop(&server);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_a_disk_on_another_machine_is_offered),
		T(test_one_that_cannot_be_is_an_error_in_the_store),
		T(test_an_image_is_served_as_ever),
		T(test_a_script_of_libxls_is_waited_for),
		T(test_a_guest_that_was_told_of_no_flush_needs_none),
		T(test_an_image_of_another_format_is_offered),
		T(test_an_iscsi_target_is_asked),
		T(test_a_guests_disk_waits_for_its_server),
		T(test_a_smaller_disk_is_waited_out),
		T(test_what_is_to_go_waits_no_longer),
		T(test_a_server_that_goes_ends_the_process),
		T(test_a_disk_that_grew_meanwhile_is_told),
		T(test_a_disk_that_is_flushed_is_drained),
		T(test_the_lock_goes_with_a_guest_that_moves_and_comes_back_with_one_that_stays),
		T(test_the_lock_of_a_guest_that_comes_is_taken_when_it_is_here),
		T(test_who_shares_its_disk_waits_for_no_lock),
		T(test_a_disk_that_cannot_be_flushed_is_not_drained),
		T(test_a_disk_that_is_only_read_needs_no_flush),
		T(test_a_silent_server_holds_up_no_drain),
		T(test_a_drain_is_answered_by_a_flush_of_its_own),
		T(test_a_device_that_is_to_go_leaves_a_silent_server),
		T(test_the_store_is_heard_while_requests_end),
		T(test_who_had_the_disk_before_is_waited_for),
	};

	signal(SIGPIPE, SIG_IGN);
	log_init("test", LOG_LVL_ERROR, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
