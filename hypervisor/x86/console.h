/* SPDX-License-Identifier: MIT */
/* console.h - the log's ring, and the console as dom0 sees it (console.c). */
#ifndef HV_X86_CONSOLE_H
#define HV_X86_CONSOLE_H

#include <xen/xen.h>

#include "lib/types.h"

/* dom0's output (console_io write) to the serial line and the ring; @len raw bytes, hypervisor
 * memory. */
void console_write_guest(domid_t domid, const char *buf, size_t len);
/* Who is told of typed keys. */
struct console_reader {
	bool (*debug_key)(char key); /* one for the hypervisor itself */
	void (*arrived)(void);	     /* console_read() has something */
};
/* Boot: before uart_irq_enable(). */
void console_set_reader(const struct console_reader *reader);
/* Bytes typed on the serial line and not yet read. */
size_t console_read(char *buf, size_t len);
/* Console ring for XEN_SYSCTL_readconsole: copies from free-running index *@idx (adjusted if
 * overrun). */
size_t conring_read(char *buf, size_t len, u32 *idx);
void conring_clear(void);
/* From uart.c: a byte typed on the serial line. */
void console_input(char c);
/* The machine stops: lines go out whoever held the lock. */
void console_break_lock(void);

#endif
