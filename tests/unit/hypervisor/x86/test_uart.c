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

u32 fake_port_read(u16 port)
{
	nr_reads++;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stuck_line_is_used_again),
		cmocka_unit_test(test_slow_line_costs_what_its_speed_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
