/* SPDX-License-Identifier: MIT */
/*
 * test_arrival.c - what the host that a domain comes to tells of it: never more than its store
 * says; and a record that is renamed while the store leaves something unsaid.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "arrival.h"
#include "disk_marker.h"
#include "fake_store.h"
#include "move_msg.h"
#include "saved_head.h"
#include "xm.h"

#define EPOCH "01234567-89ab-cdef-0123-456789abcdef"

/* --- a store that does not answer one question --- */

static int reads_left;			/* that one fails; 0: none */

static bool fails(void)
{
	if (!reads_left || --reads_left)
		return false;
	errno = EIO;
	return true;
}

void *__real_xs_read(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned int *len);
void *__wrap_xs_read(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned int *len);
void *__wrap_xs_read(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned int *len)
{
	return fails() ? NULL : __real_xs_read(h, t, path, len);
}

char **__real_xs_directory(struct xs_handle *h, xs_transaction_t t, const char *path,
			   unsigned int *num);
char **__wrap_xs_directory(struct xs_handle *h, xs_transaction_t t, const char *path,
			   unsigned int *num);
char **__wrap_xs_directory(struct xs_handle *h, xs_transaction_t t, const char *path,
			   unsigned int *num)
{
	return fails() ? NULL : __real_xs_directory(h, t, path, num);
}

static int setup(void **state)
{
	fake_store_reset();
	reads_left = 0;
	*state = xs_open(0);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	xs_close(*state);
	return fake_store_handles() == 0 ? 0 : -1;
}

static void test_no_is_said_of_what_is_known_not_to_come(void **state)
{
	bool runs = true;
	int err = -1;

	for (int n = 1; err; n++) {
		fake_store_set("/config/domain/other/memory", "64");
		fake_store_set("/config/domain/web/arriving", EPOCH);
		reads_left = n;
		err = arrival_end(*state, EPOCH, &runs);
		if (!err && fake_store_count("/config/domain/web"))
			fail_msg("read %d fails, and no is said of what may come", n);
	}
	assert_false(runs);
	assert_int_equal(reads_left, 1);
	assert_int_not_equal(fake_store_count("/config/domain/other"), 0);
}

static void test_no_is_never_said_of_what_runs(void **state)
{
	bool runs = false;
	int err = -1;

	fake_store_set("/config/move/" EPOCH, "web");
	for (int n = 1; err; n++) {
		reads_left = n;
		err = arrival_end(*state, EPOCH, &runs);
		if (!err && !runs)
			fail_msg("read %d fails, and no is said of what runs", n);
	}
	assert_true(runs);
}

/* What came back to a message of a stranger's. */
static long answers_to(enum move_type type, const char *epoch)
{
	char *argv[] = { "/usr/sbin/xm", "migrate-receive" };
	FILE *in = tmpfile(), *out = tmpfile(), *err = tmpfile();
	long size;

	assert_int_equal(move_send(fileno(in), type, epoch, ""), 0);
	rewind(in);
	assert_int_equal(xm_main(2, argv, in, out, err), type == MOVE_ASK && *epoch == '0' ? 0 : 1);
	fseek(out, 0, SEEK_END);
	size = ftell(out);
	fclose(in);
	fclose(out);
	fclose(err);
	return size;
}

static void test_an_epoch_is_a_uuid(void **state)
{
	static const char *const bad[] = { "", "/", "../domain/web", "a/b", "x1234567-89ab-cdef-0123-456789abcde/" };

	(void)state;
	fake_store_set("/config/domain/web/memory", "64");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(answers_to(MOVE_ASK, bad[i]), 0);
	assert_int_not_equal(fake_store_count("/config/domain/web"), 0);
	fake_store_set("/config/move/" EPOCH, "web");
	assert_true(answers_to(MOVE_ASK, EPOCH) > 0);
}

/* --- whether its disk is here --- */

/* A disk of 1 MiB with something in each block but the first @nr, which have something else. */
static void make_disk(const char *path, off_t size, unsigned int nr)
{
	char block[4096];
	FILE *f = fopen(path, "w");

	for (off_t at = 0; at < size; at += (off_t)sizeof(block)) {
		memset(block, at / (off_t)sizeof(block) < nr ? 'x' : 'o', sizeof(block));
		assert_int_equal(fwrite(block, 1, sizeof(block), f), sizeof(block));
	}
	fclose(f);
}

static void add(char **to, const char *key, const char *value)
{
	*to = stpcpy(stpcpy(*to, key) + 1, value) + 1;
}

/* What a host with the disk @path says to one that has been told of it with @marker. */
static const char *answer_to(struct xs_handle *xs, const char *path, const char *marker)
{
	static char record[2048], why[ARRIVAL_WHY];
	char target[128], *end = record;
	struct saved_head h = { .version = SAVED_VERSION, .name = "web", .record = record };

	snprintf(target, sizeof(target), "file:%s", path);
	add(&end, "disk/0/target", target);
	add(&end, "disk/0/vdev", "xvda");
	add(&end, "kernel", "/boot/kernel");
	add(&end, "memory", "64");
	if (marker)
		add(&end, "marker/xvda", marker);
	h.record_len = (size_t)(end - record);
	why[0] = '\0';
	return arrival_check(xs, &h, "", why) ? why : "yes";
}

static void test_a_disk_of_the_same_name_must_be_the_same(void **state)
{
	char path[] = "/tmp/xm-arrival.XXXXXX", marker[DISK_MARKER_MAX];

	close(mkstemp(path));
	make_disk(path, 1 << 20, 0);
	assert_int_equal(disk_marker_read(path, marker), 0);
	assert_string_equal(answer_to(*state, path, NULL), "yes");
	assert_string_equal(answer_to(*state, path, marker), "yes");
	/* Its guest runs, and writes. */
	make_disk(path, 1 << 20, 100);
	assert_string_equal(answer_to(*state, path, marker), "yes");
	make_disk(path, 1 << 20, 200);
	assert_non_null(strstr(answer_to(*state, path, marker), "its disk xvda"));
	assert_non_null(strstr(answer_to(*state, path, marker), "other contents here"));
	make_disk(path, 2 << 20, 0);
	assert_non_null(strstr(answer_to(*state, path, marker), "another size here"));
	/* Where most is nothing on both, what is something counts. */
	make_disk(path, 0, 0);
	assert_int_equal(truncate(path, 1 << 20), 0);
	assert_int_equal(disk_marker_read(path, marker), 0);
	make_disk(path, 4096, 0);
	assert_int_equal(truncate(path, 1 << 20), 0);
	assert_non_null(strstr(answer_to(*state, path, marker), "other contents here"));
	marker[strlen(marker) - 1] = 'g';
	assert_non_null(strstr(answer_to(*state, path, marker), "makes no sense"));
	unlink(path);
}

static void test_what_happened_to_it_comes_along(void **state)
{
	static const char record[] = "memory\0" "64\0" "history/00000007\0" "then running\0" "history/../x\0" "y\0"
				     "history/99999999999999999999\0" "the last of all\0" "history/8\0" "short\0"
				     "marker/xvda\0" "1";
	struct saved_head h = { .version = SAVED_VERSION, .name = "web", .record = (char *)record,
				.record_len = sizeof(record) };
	char why[ARRIVAL_WHY], *came;

	fake_store_set("/history/domain/web/00000003", "of an earlier stay");
	assert_int_equal(arrival_begin(*state, &h, EPOCH, "/run/socket", why), 0);
	came = fake_store_get("/history/domain/web/00000007");
	assert_string_equal(came, "then running");
	free(came);
	assert_int_equal(fake_store_count("/history/domain/web/00000003"), 0);
	/* xend counts on behind the last: what is no number of its own would be that for ever. */
	assert_int_equal(fake_store_count("/history/domain/web/99999999999999999999"), 0);
	assert_int_equal(fake_store_count("/history/domain/web/8"), 0);
	assert_int_equal(fake_store_count("/history/domain/x"), 0);
	assert_int_equal(fake_store_count("/config/domain/web/marker"), 0);
	assert_int_equal(fake_store_count("/config/domain/web/history"), 0);
}

/* --- and the one that it is restored on --- */

#define UUID "12345678-1234-4234-8234-123456789abc"

/*
 * Whatever the store leaves unsaid, what it would have said is believed: nothing may go on from the
 * file.
 */
static void restores_nothing(void)
{
	static const char record[] = "memory\0" "64\0" "uuid\0" UUID;
	struct saved_head h = { .version = SAVED_VERSION, .name = "web", .uuid = UUID, .nr_pages = 1,
				.nr_vcpus = 1, .record = (char *)record, .record_len = sizeof(record) };
	char path[] = "/tmp/xm-arrival.XXXXXX";
	char *argv[] = { "/usr/sbin/xm", "restore", path };
	int fd = mkstemp(path), failed = 1;

	assert_int_equal(saved_head_write(fd, &h), 0);
	close(fd);
	for (int n = 1; failed; n++) {
		FILE *out = tmpfile();

		reads_left = n;
		alarm(10);	/* for what goes on, and waits */
		assert_int_not_equal(xm_main(3, argv, out, out, out), 0);
		alarm(0);
		failed = !reads_left;
		reads_left = 0;
		if (fake_store_count("/config/domain/web/saved"))
			fail_msg("read %d fails, and the file is taken", n);
		fclose(out);
	}
	unlink(path);
}

static void test_what_runs_gets_no_old_memory(void **state)
{
	(void)state;
	fake_store_set("/config/domain/web/uuid", UUID);
	fake_store_set("/status/domain/web/domid", "3");
	restores_nothing();
}

static void test_what_is_just_ending_gets_no_old_memory(void **state)
{
	(void)state;
	fake_store_set("/config/domain/web/uuid", UUID);
	fake_store_set("/status/domain/web/step", "devices");
	restores_nothing();
}

static void test_what_is_another_domain_gets_no_old_memory(void **state)
{
	(void)state;
	fake_store_set("/config/domain/web/uuid", EPOCH);
	restores_nothing();
	fake_store_set("/config/domain/web/uuid", UUID);
	fake_store_set("/config/domain/site/uuid", UUID);
	restores_nothing();
}

/* --- a record gets another name --- */

static const char *const keys[] = { "memory", "uuid", "disk/0/params", "disk/0/mode", "vif/0/mac", "paused" };
#define NR_KEYS (sizeof(keys) / sizeof(keys[0]))

static unsigned int keys_of(const char *name)
{
	unsigned int nr = 0;

	for (size_t i = 0; i < NR_KEYS; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/config/domain/%s/%s", name, keys[i]);
		nr += fake_store_count(path);
	}
	return nr;
}

static void test_a_record_is_renamed_whole_or_not_at_all(void **state)
{
	char *argv[] = { "/usr/sbin/xm", "rename", "web", "site" };
	bool unsaid = true;

	(void)state;
	for (int n = 1; unsaid; n++) {
		FILE *out = tmpfile();
		int status;

		fake_store_reset();
		for (size_t i = 0; i < NR_KEYS; i++) {
			char path[64];

			snprintf(path, sizeof(path), "/config/domain/web/%s", keys[i]);
			fake_store_set(path, keys[i]);
		}
		reads_left = n;
		status = xm_main(4, argv, out, out, out);
		unsaid = !reads_left;
		reads_left = 0;
		fclose(out);
		if (keys_of(status ? "web" : "site") != NR_KEYS || keys_of(status ? "site" : "web"))
			fail_msg("read %d fails, and of the record %u keys are left", n,
				 keys_of("site") + keys_of("web"));
	}
	assert_int_equal(keys_of("site"), NR_KEYS);
}

/* No handle may be open when the store is emptied. */
static int setup_closed(void **state)
{
	fake_store_reset();
	reads_left = 0;
	return 0;
}

static int teardown_closed(void **state)
{
	return fake_store_handles() == 0 ? 0 : -1;
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_no_is_said_of_what_is_known_not_to_come),
		T(test_no_is_never_said_of_what_runs),
		T(test_an_epoch_is_a_uuid),
		T(test_a_disk_of_the_same_name_must_be_the_same),
		T(test_what_happened_to_it_comes_along),
		T(test_what_runs_gets_no_old_memory),
		T(test_what_is_just_ending_gets_no_old_memory),
		T(test_what_is_another_domain_gets_no_old_memory),
		cmocka_unit_test_setup_teardown(test_a_record_is_renamed_whole_or_not_at_all, setup_closed,
						teardown_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
