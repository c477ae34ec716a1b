/* SPDX-License-Identifier: MIT */
/* test_console.c - the log, the console ring and typed bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/domain.h"
#include "domain/evtchn.h"
#include "lib/boot_options.h"
#include "lib/log.h"
#include "x86/clock.h"
#include "x86/console.h"
#include "x86/uart.h"

struct boot_options boot_options = { .log_level = LOG_DEBUG, .console_com1 = true };

static char serial[1 << 20];
static size_t serial_len;
static unsigned int nr_virqs;
static s_time_t now;

/* --- the machine below --- */

void uart_write(const char *buf, size_t len)
{
	assert_true(serial_len + len < sizeof(serial));
	memcpy(serial + serial_len, buf, len);
	serial_len += len;
	serial[serial_len] = '\0';
}

void hv_panic(const char *fmt, ...)
{
	abort();
}

static char keys[8];
static size_t nr_keys;

static bool debug_key(char key)
{
	keys[nr_keys++] = key;
	return true;
}

static void arrived(void)
{
	nr_virqs++;
}

s_time_t now_ns(void)
{
	return now;
}

static char ring[256 << 10];

static const char *ring_from(u32 *idx)
{
	ring[conring_read(ring, sizeof(ring) - 1, idx)] = '\0';
	return ring;
}

static int setup(void **state)
{
	static const struct console_reader reader = { debug_key, arrived };

	console_set_reader(&reader);
	serial_len = 0;
	serial[0] = '\0';
	conring_clear();
	now += 10000000000;
	return 0;
}

static void test_a_line_goes_to_serial_with_crlf_and_to_the_ring(void **state)
{
	u32 idx = 0;

	log_info("hello %d", 7);

	assert_string_equal(serial, "(SV) hello 7\r\n");
	assert_string_equal(ring_from(&idx), "(SV) hello 7\n");
}

static void test_a_long_line_is_cut_and_still_ends(void **state)
{
	char text[2000];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	log_info("%s", text);

	assert_true(serial_len <= 513);
	assert_int_equal(serial[serial_len - 1], '\n');
}

static void test_debug_lines_are_bounded_in_time(void **state)
{
	for (int i = 0; i < 1000; i++)
		log_debug("d");
	assert_int_equal(serial_len, 20 * strlen("(SV) d\r\n"));

	now += 2000000000;
	log_debug("later");
	assert_non_null(strstr(serial, "later"));
}

static void test_levels_above_the_threshold_are_silent(void **state)
{
	boot_options.log_level = LOG_WARN;
	log_info("quiet");
	boot_options.log_level = LOG_DEBUG;

	assert_string_equal(serial, "");
}

static void test_readers_go_on_where_they_stopped(void **state)
{
	u32 idx = 0;
	char two[2];

	conring_read(ring, sizeof(ring), &idx);
	log_info("ab");
	assert_int_equal(conring_read(two, 2, &idx), 2);
	assert_memory_equal(two, "(S", 2);
	assert_string_equal(ring_from(&idx), "V) ab\n");
	assert_string_equal(ring_from(&idx), "");
}

static void test_an_overrun_reader_gets_the_newest_ring_full(void **state)
{
	u32 idx = 0;

	boot_options.console_com1 = false;
	for (int i = 0; i < 20000; i++)
		log_info("line %06d", i);
	boot_options.console_com1 = true;
	ring_from(&idx);

	assert_int_equal(strlen(ring), 128 << 10);
	assert_string_equal(ring + (128 << 10) - strlen("(SV) line 019999\n"),
			    "(SV) line 019999\n");
}

static void test_a_cleared_ring_shows_only_what_came_after(void **state)
{
	u32 idx = 0;

	log_info("before");
	conring_clear();
	log_info("after");

	assert_string_equal(ring_from(&idx), "(SV) after\n");
}

static void test_guest_output_is_raw_on_serial_and_whole_lines_in_the_ring(void **state)
{
	u32 idx = 0;

	console_write_guest(3, "log", 3);
	assert_string_equal(ring_from(&idx), "");
	console_write_guest(3, "in: \r\n", 6);

	assert_string_equal(serial, "login: \r\n");
	assert_string_equal(ring_from(&idx), "(d3) login: \n");
}

static void test_typed_bytes_are_kept_up_to_the_buffer_and_announced(void **state)
{
	char got[2048];

	nr_virqs = 0;
	for (int i = 0; i < 1500; i++)
		console_input((char)('a' + i % 26));

	assert_int_equal(nr_virqs, 1500);
	assert_int_equal(console_read(got, 2), 2);
	assert_memory_equal(got, "ab", 2);
	assert_int_equal(console_read(got, sizeof(got)), 1022);
	assert_int_equal(got[1021], 'a' + 1023 % 26);
	assert_int_equal(console_read(got, sizeof(got)), 0);
}

static void test_ctrl_a_three_times_turns_typing_into_debug_keys(void **state)
{
	char buf[8];

	for (const char *p = "\x01\x01\x01q*\x01\x01\x01z"; *p; p++)
		console_input(*p);

	assert_int_equal(nr_keys, 2);
	assert_memory_equal(keys, "q*", 2);
	/* dom0 saw what was typed before and after, the first two CTRL-a among it */
	assert_int_equal(console_read(buf, sizeof(buf)), 3);
	assert_memory_equal(buf, "\x01\x01z", 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_a_line_goes_to_serial_with_crlf_and_to_the_ring, setup),
		cmocka_unit_test_setup(test_a_long_line_is_cut_and_still_ends, setup),
		cmocka_unit_test_setup(test_debug_lines_are_bounded_in_time, setup),
		cmocka_unit_test_setup(test_levels_above_the_threshold_are_silent, setup),
		cmocka_unit_test_setup(test_readers_go_on_where_they_stopped, setup),
		cmocka_unit_test_setup(test_an_overrun_reader_gets_the_newest_ring_full, setup),
		cmocka_unit_test_setup(test_a_cleared_ring_shows_only_what_came_after, setup),
		cmocka_unit_test_setup(
			test_guest_output_is_raw_on_serial_and_whole_lines_in_the_ring, setup),
		cmocka_unit_test_setup(test_typed_bytes_are_kept_up_to_the_buffer_and_announced,
				       setup),
		cmocka_unit_test_setup(test_ctrl_a_three_times_turns_typing_into_debug_keys, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
