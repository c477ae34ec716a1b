/* SPDX-License-Identifier: MIT */
/* test_cons.c - console ring, scrollback, log and pty. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include <xen/xen.h>
#include <xen/io/console.h>

#include "cons_log.h"
#include "cons_pty.h"
#include "cons_ring.h"
#include "scrollback.h"

static struct xencons_interface page;

static int set_up(void **state)
{
	memset(&page, 0, sizeof(page));
	return 0;
}

/* --- ring ---------------------------------------------------------------------------------- */

static void print(const char *text)
{
	for (; *text; text++)
		page.out[MASK_XENCONS_IDX(page.out_prod++, page.out)] = *text;
}

static void test_output_is_read_and_consumed_across_the_wrap(void **state)
{
	char buf[CONS_RING_OUT];

	page.out_cons = page.out_prod = UINT32_MAX - 2;
	print("hello");
	assert_int_equal(cons_ring_peek(&page, buf, sizeof(buf)), 5);
	assert_memory_equal(buf, "hello", 5);
	cons_ring_consume(&page, 5);
	assert_int_equal(page.out_cons, 2);
	assert_int_equal(cons_ring_peek(&page, buf, sizeof(buf)), 0);
}

static void test_peek_alone_consumes_nothing(void **state)
{
	char buf[4];

	print("hello");
	assert_int_equal(cons_ring_peek(&page, buf, sizeof(buf)), 4);
	assert_int_equal(page.out_cons, 0);
}

static void test_output_overrun_is_refused(void **state)
{
	static const uint32_t bad[] = { 2049, UINT32_MAX, 1u << 31 };
	char buf[16];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		page.out_prod = bad[i];
		assert_int_equal(cons_ring_peek(&page, buf, sizeof(buf)), -EPROTO);
	}
}

static void test_full_output_ring_is_legal(void **state)
{
	char buf[CONS_RING_OUT];

	page.out_prod = 2048;
	assert_int_equal(cons_ring_peek(&page, buf, sizeof(buf)), 2048);
}

static void test_input_fills_only_the_room(void **state)
{
	page.in_prod = 1020;
	page.in_cons = 0;
	assert_int_equal(cons_ring_room(&page), 4);
	cons_ring_write(&page, "abcd", 4);
	assert_int_equal(page.in_prod, 1024);
	assert_int_equal(cons_ring_room(&page), 0);
	assert_int_equal(page.in[1023], 'd');
}

static void test_input_overrun_is_refused(void **state)
{
	page.in_cons = 1; /* ahead of in_prod */
	assert_int_equal(cons_ring_room(&page), -EPROTO);
	page.in_cons = 0;
	page.in_prod = 1025;
	assert_int_equal(cons_ring_room(&page), -EPROTO);
}

/* --- scrollback ---------------------------------------------------------------------------- */

static struct scrollback back;

static int set_up_back(void **state)
{
	memset(&back, 0, sizeof(back));
	return 0;
}

static size_t drain(uint64_t *pos, char *out)
{
	const char *piece;
	size_t total = 0, n;

	while ((n = scrollback_piece(&back, pos, &piece)) > 0) {
		memcpy(out + total, piece, n);
		total += n;
		*pos += n;
	}
	return total;
}

static void test_short_output_is_replayed_whole(void **state)
{
	char out[64];
	uint64_t pos;

	scrollback_put(&back, "one\ntwo\n", 8);
	pos = scrollback_start(&back);
	assert_int_equal(drain(&pos, out), 8);
	assert_memory_equal(out, "one\ntwo\n", 8);
}

static void test_long_output_starts_at_a_whole_line(void **state)
{
	static char out[SCROLLBACK_SIZE];
	uint64_t pos;
	char line[32];

	for (int i = 0; i < 10000; i++)
		scrollback_put(&back, line, (size_t)snprintf(line, sizeof(line), "line %d\n", i));
	pos = scrollback_start(&back);
	assert_true(back.end - pos > SCROLLBACK_SIZE - 32);
	assert_int_equal(drain(&pos, out), back.end - scrollback_start(&back));
	assert_memory_equal(out, "line ", 5);
}

static void test_a_slow_reader_skips_what_is_gone(void **state)
{
	static char out[SCROLLBACK_SIZE];
	uint64_t pos = 0;

	for (int i = 0; i < 3000; i++)
		scrollback_put(&back, "0123456789abcdefghijklmnopqrstuvwxyz", 36);
	assert_int_equal(drain(&pos, out), SCROLLBACK_SIZE);
	assert_int_equal(pos, back.end);
}

static void test_more_than_fits_at_once_keeps_the_end(void **state)
{
	static char big[SCROLLBACK_SIZE + 10], out[SCROLLBACK_SIZE];
	uint64_t pos = 0;

	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = 'y';
	scrollback_put(&back, big, sizeof(big));
	assert_int_equal(back.end, sizeof(big));
	assert_int_equal(drain(&pos, out), SCROLLBACK_SIZE);
	assert_int_equal(out[SCROLLBACK_SIZE - 1], 'y');
}

static void test_endless_line_is_replayed_from_its_middle(void **state)
{
	for (int i = 0; i < 3000; i++)
		scrollback_put(&back, "no line end here, never, nowhere....", 36);
	assert_int_equal(scrollback_start(&back), back.end - SCROLLBACK_SIZE);
}

static void test_position_of_an_earlier_stream_starts_anew(void **state)
{
	const char *piece;
	uint64_t pos = 1000000;

	scrollback_put(&back, "new", 3);
	assert_int_equal(scrollback_piece(&back, &pos, &piece), 3);
	assert_int_equal(pos, 0);
}

/* --- log ----------------------------------------------------------------------------------- */

static off_t size_of(const char *dir, const char *name)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return stat(path, &st) < 0 ? -1 : st.st_size;
}

static void remove_log(const char *dir)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/guest-web.log", dir);
	unlink(path);
	strcat(path, ".1");
	unlink(path);
	rmdir(dir);
}

static void test_log_is_appended_to_across_openings(void **state)
{
	char dir[] = "/tmp/test-log-XXXXXX";
	struct cons_log log;

	assert_non_null(mkdtemp(dir));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(cons_log_open(&log, dir, "web"), 0);
		cons_log_write(&log, "hello\n", 6);
		cons_log_close(&log);
	}
	assert_int_equal(size_of(dir, "guest-web.log"), 12);
	remove_log(dir);
}

static void test_log_of_a_flooding_guest_stays_bounded(void **state)
{
	char dir[] = "/tmp/test-log-XXXXXX";
	static char chunk[65536];
	struct cons_log log;

	assert_non_null(mkdtemp(dir));
	memset(chunk, 'z', sizeof(chunk));
	assert_int_equal(cons_log_open(&log, dir, "web"), 0);
	for (int i = 0; i < 200; i++) {
		cons_log_write(&log, chunk, sizeof(chunk));
		assert_true(size_of(dir, "guest-web.log") <= CONS_LOG_MAX);
		assert_true(size_of(dir, "guest-web.log.1") <= CONS_LOG_MAX);
	}
	assert_int_equal(size_of(dir, "guest-web.log.1"), CONS_LOG_MAX);
	cons_log_close(&log);
	remove_log(dir);
}

static void test_guest_name_cannot_name_another_place(void **state)
{
	static const char *const names[] = { "", ".", "..", "../x", "a/b", "/etc/passwd", ".hidden" };
	struct cons_log log;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(cons_log_open(&log, "/tmp", names[i]), -EINVAL);
	/* Writing to a log that is not there is no error. */
	cons_log_write(&log, "x", 1);
}

/* --- pty ----------------------------------------------------------------------------------- */

static void test_pty_tells_when_somebody_has_it_open(void **state)
{
	struct cons_pty pty;
	struct pollfd p;
	int slave;

	assert_int_equal(cons_pty_open(&pty), 0);
	assert_false(cons_pty_attached(&pty));
	slave = open(pty.slave, O_RDWR | O_NOCTTY);
	assert_true(slave >= 0);
	p = (struct pollfd){ .fd = pty.inotify, .events = POLLIN };
	assert_int_equal(poll(&p, 1, 1000), 1); /* we are told, nobody polls */
	assert_true(cons_pty_attached(&pty));
	close(slave);
	assert_int_equal(poll(&p, 1, 1000), 1);
	assert_false(cons_pty_attached(&pty));
	cons_pty_close(&pty);
}

static void test_pty_passes_bytes_raw_and_without_echo(void **state)
{
	struct cons_pty pty;
	char buf[16];
	int slave;

	assert_int_equal(cons_pty_open(&pty), 0);
	slave = open(pty.slave, O_RDWR | O_NOCTTY);
	assert_int_equal(write(pty.master, "a\n\003", 3), 3);
	assert_int_equal(read(slave, buf, sizeof(buf)), 3);
	assert_memory_equal(buf, "a\n\003", 3);
	assert_int_equal(read(pty.master, buf, sizeof(buf)), -1); /* no echo */
	assert_int_equal(write(slave, "x\n", 2), 2);
	assert_int_equal(read(pty.master, buf, sizeof(buf)), 2);
	assert_memory_equal(buf, "x\n", 2);
	close(slave);
	cons_pty_close(&pty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_output_is_read_and_consumed_across_the_wrap, set_up),
		cmocka_unit_test_setup(test_peek_alone_consumes_nothing, set_up),
		cmocka_unit_test_setup(test_output_overrun_is_refused, set_up),
		cmocka_unit_test_setup(test_full_output_ring_is_legal, set_up),
		cmocka_unit_test_setup(test_input_fills_only_the_room, set_up),
		cmocka_unit_test_setup(test_input_overrun_is_refused, set_up),
		cmocka_unit_test_setup(test_short_output_is_replayed_whole, set_up_back),
		cmocka_unit_test_setup(test_long_output_starts_at_a_whole_line, set_up_back),
		cmocka_unit_test_setup(test_a_slow_reader_skips_what_is_gone, set_up_back),
		cmocka_unit_test_setup(test_more_than_fits_at_once_keeps_the_end, set_up_back),
		cmocka_unit_test_setup(test_endless_line_is_replayed_from_its_middle, set_up_back),
		cmocka_unit_test_setup(test_position_of_an_earlier_stream_starts_anew, set_up_back),
		cmocka_unit_test(test_log_is_appended_to_across_openings),
		cmocka_unit_test(test_log_of_a_flooding_guest_stays_bounded),
		cmocka_unit_test(test_guest_name_cannot_name_another_place),
		cmocka_unit_test(test_pty_tells_when_somebody_has_it_open),
		cmocka_unit_test(test_pty_passes_bytes_raw_and_without_echo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
