/* SPDX-License-Identifier: MIT */
/*
 * uart.c - a 16550 serial line: polled output that gives up on a port nobody answers at,
 * interrupt-driven input. Source: PC16550D data sheet.
 */
#include "lib/log.h"
#include "x86/asm.h"
#include "x86/init.h"

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
#define TX_SPINS 100000 /* about 100 ms of port reads */
#define RX_BURST 256	/* bytes taken by one interrupt */

static u16 port; /* 0: no serial line */

u16 uart_port(void)
{
	return port;
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
}

static bool wait_for_room(void)
{
	for (unsigned int i = 0; i < TX_SPINS; i++)
		if (inb(port + UART_LSR) & LSR_TX_EMPTY)
			return true;
	return false;
}

void uart_write(const char *buf, size_t len)
{
	unsigned int room = 0;

	if (!port)
		return;
	for (size_t i = 0; i < len; i++) {
		if (!room) {
			if (!wait_for_room()) {
				port = 0; /* stuck: never slow the machine down again */
				return;
			}
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
