/* SPDX-License-Identifier: MIT */
/* test_uart.c - a line that takes nothing for a while costs that while once, and is used again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "x86/asm.h"
#include "x86/console.h"
#include "x86/irq.h"
#include "x86/uart.h"

#define COM1 0x3f8
#define LSR 5
#define LSR_TX_EMPTY 0x20

void irq_claim_isa(unsigned int irq, void (*handler)(void))
{
	(void)irq;
	(void)handler;
}

void console_input(char c)
{
	(void)c;
}

/* The port: what was last written to each of its registers; LSR is the line's own. */
static u8 regs[8];
static unsigned int nr_reads, slow; /* it has room at each so-manyth look only; 0: as LSR says */

static u64 clock_ns, read_ns = 1000; /* what a read takes */

s_time_t now_ns(void)
{
	return (s_time_t)clock_ns;
}

u32 fake_port_read(u16 port)
{
	nr_reads++;
	clock_ns += read_ns;
	if (port == COM1 + LSR && slow && nr_reads % slow == 0)
		return LSR_TX_EMPTY;
	return regs[port - COM1];
}

void fake_port_write(u16 port, u32 v)
{
	regs[port - COM1] = (u8)v;
}

static void test_stuck_line_is_used_again(void **state)
{
	(void)state;
	uart_init(COM1, 115200);
	uart_measure();
	assert_int_equal(uart_port(), COM1);
	regs[LSR] = LSR_TX_EMPTY;
	uart_write("a", 1);
	assert_int_equal(regs[0], 'a');
	regs[LSR] = 0;
	uart_write("b", 1);
	nr_reads = 0;
	uart_write("c", 1);
	assert_int_equal(nr_reads, 1);
	assert_int_equal(regs[0], 'a');
	assert_int_equal(uart_port(), COM1);
	regs[LSR] = LSR_TX_EMPTY;
	uart_write("d", 1);
	assert_int_equal(regs[0], 'd');
}

/* Each time it has room it has it late: what it earns by that is all it costs. */
static void test_slow_line_costs_what_its_speed_says(void **state)
{
	static const char text[4096] = "x";

	(void)state;
	uart_init(COM1, 115200);
	uart_measure();
	regs[LSR] = 0;
	slow = 90000;
	nr_reads = 0;
	for (unsigned int i = 0; i < 100; i++)
		uart_write(text, sizeof(text));
	/* 100 ms once, and twice 16 bytes' time for each 16 bytes that it took. */
	assert_true(nr_reads < 2 * 100000 + 100);
	slow = 0;
	regs[LSR] = LSR_TX_EMPTY;
	nr_reads = 0;
	uart_write(text, sizeof(text));
	assert_int_equal(nr_reads, sizeof(text) / 16);
}

/* A line at its own speed, looked at @ns a time: it has room again when 16 bytes have gone. */
static void writes_all(u64 ns)
{
	char text[64];
	unsigned int written = 0;

	memset(text, '.', sizeof(text));
	read_ns = ns;
	slow = (unsigned int)(16 * 10 * 1000000000ULL / 115200 / ns);
	for (unsigned int i = 0; i < 200; i++) {
		regs[0] = 0;
		uart_write(text, sizeof(text) - 1);
		uart_write("!", 1);
		written += regs[0] == '!';
	}
	assert_int_equal(written, 200);
	slow = 0;
}

static void test_a_line_behind_a_fast_bus_is_not_given_up(void **state)
{
	static const u64 buses[] = { 100, 250, 500, 1000, 4000 };

	(void)state;
	for (size_t i = 0; i < sizeof(buses) / sizeof(buses[0]); i++) {
		read_ns = buses[i];
		uart_init(COM1, 115200);
		regs[LSR] = 0;
		writes_all(buses[i]); /* before the clock runs */
		uart_measure();
		writes_all(buses[i]);
	}
	read_ns = 1000;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_line_behind_a_fast_bus_is_not_given_up),
		cmocka_unit_test(test_stuck_line_is_used_again),
		cmocka_unit_test(test_slow_line_costs_what_its_speed_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
