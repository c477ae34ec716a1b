/* SPDX-License-Identifier: MIT */
/* uart.h - the serial line: polled output, bounded in time (uart.c). */
#ifndef HV_X86_UART_H
#define HV_X86_UART_H

#include "lib/types.h"

void uart_init(u16 port, u32 baud);
/*
 * Boot, once the clock runs: how long a look at the line takes, by which its patience is counted.
 */
void uart_measure(void);
void uart_write(const char *buf, size_t len);
u16 uart_port(void); /* 0: none */
/* Boot: the receive interrupt. */
void uart_irq_enable(void);

#endif
