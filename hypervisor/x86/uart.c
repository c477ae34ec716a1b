/* SPDX-License-Identifier: MIT */
/*
 * uart.c - a 16550 serial line: polled output, which is dropped as long as nobody takes it, and
 * interrupt-driven input. Source: PC16550D data sheet.
 */
#include "lib/log.h"
#include "x86/asm.h"
#include "x86/clock.h"
#include "x86/console.h"
#include "x86/irq.h"
#include "x86/uart.h"

#define UART_DATA 0
#define UART_IER 1
#define UART_FCR 2
#define UART_LCR 3
#define UART_MCR 4
#define UART_LSR 5
#define UART_SCRATCH 7

#define IER_RX 1
#define FCR_ENABLE_CLEAR 0x07
#define LCR_8N1 0x03
#define LCR_DLAB 0x80
#define MCR_DTR_RTS_OUT2 0x0b
#define LSR_RX_READY 0x01
#define LSR_TX_EMPTY 0x20

#define UART_CLOCK 115200u
#define FIFO_SIZE 16
#define BITS 10			/* of a byte on the line */
#define READS_UNMEASURED 10000000u /* of a port in a second: more than any does */
#define READS_MEASURED 256
#define PATIENCE_PART 10 /* of a second: what a line that takes nothing costs, once */
#define RX_BURST 256	/* bytes taken by one interrupt */

static u16 port; /* 0: no serial line */
/*
 * Port reads for which it is waited yet, and those that a FIFO's bytes earn, twice what they take.
 */
static u32 patience, patience_max, earned;
static u32 speed; /* bits a second */

u16 uart_port(void)
{
	return port;
}

/* A bus decides how many looks at the line are a second: 0.1 us to some us each. */
static void count_by(u64 reads_second)
{
	u64 most = reads_second < READS_UNMEASURED ? reads_second : READS_UNMEASURED;

	patience_max = (u32)(most / PATIENCE_PART);
	earned = (u32)(2 * FIFO_SIZE * BITS * most / speed);
	if (earned > patience_max)
		earned = patience_max;
	patience = patience_max;
}

void uart_init(u16 base, u32 baud)
{
	u32 divisor = UART_CLOCK / (baud ? baud : UART_CLOCK);

	outb(base + UART_SCRATCH, 0x5a);
	if (inb(base + UART_SCRATCH) != 0x5a)
		return;
	outb(base + UART_IER, 0);
	outb(base + UART_LCR, LCR_DLAB);
	outb(base + UART_DATA, (u8)divisor);
	outb(base + UART_IER, (u8)(divisor >> 8));
	outb(base + UART_LCR, LCR_8N1);
	outb(base + UART_FCR, FCR_ENABLE_CLEAR);
	outb(base + UART_MCR, MCR_DTR_RTS_OUT2);
	port = base;
	speed = baud ? baud : UART_CLOCK;
	count_by(READS_UNMEASURED);
}

void uart_measure(void)
{
	s_time_t start = now_ns(), took;

	if (!port)
		return;
	for (unsigned int i = 0; i < READS_MEASURED; i++)
		(void)inb(port + UART_LSR);
	took = now_ns() - start;
	if (took > 0)
		count_by((u64)READS_MEASURED * 1000000000ULL / (u64)took);
}

/*
 * False: it takes nothing. Waiting is paid from what the bytes before have earned: a line that
 * stands still, or is slower than it should be, slows the machine down once.
 */
static bool wait_for_room(void)
{
	for (u32 i = 0; i <= patience; i++) {
		if (!(inb(port + UART_LSR) & LSR_TX_EMPTY))
			continue;
		patience += earned - i;
		if (patience > patience_max)
			patience = patience_max;
		return true;
	}
	patience = 0;
	return false;
}

void uart_write(const char *buf, size_t len)
{
	unsigned int room = 0;

	if (!port)
		return;
	for (size_t i = 0; i < len; i++) {
		if (!room) {
			if (!wait_for_room())
				return;
			room = FIFO_SIZE;
		}
		outb(port + UART_DATA, (u8)buf[i]);
		room--;
	}
}

static void uart_interrupt(void)
{
	for (unsigned int n = 0; n < RX_BURST && (inb(port + UART_LSR) & LSR_RX_READY); n++)
		console_input((char)inb(port + UART_DATA));
}

void uart_irq_enable(void)
{
	if (!port)
		return;
	irq_claim_isa(4, uart_interrupt);
	outb(port + UART_IER, IER_RX);
}
