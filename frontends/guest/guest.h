/* SPDX-License-Identifier: MIT */
/*
 * guest.h - the ground of the guest kit: where the guest was put, how it ends, how it speaks.
 *
 * A kit program is a freestanding PV kernel with one vcpu unless it starts more; it defines
 * guest_main(). Memory from VIRT_BASE on maps pseudo-physical frames from 0 on.
 */
#ifndef KIT_GUEST_H
#define KIT_GUEST_H

#include "lib/types.h"

#include <xen/xen.h>
#include <xen/sched.h>

#include <errno.h> /* Linux's numbers are the ABI's */

#include "lib/string.h"

/* guest.lds */
extern char guest_virt_base[], guest_image_end[];
#define VIRT_BASE ((u64)guest_virt_base)

/* What the loader wrote; mapped for good. */
extern struct start_info *start_info;
/* Mapped for good. */
extern struct shared_info *shared_info;
extern char hypercall_page[];

/* The program's own: runs once with traps, events and console ready. Returning powers off. */
void guest_main(void);

static inline bool guest_is_dom0(void)
{
	return start_info->flags & SIF_INITDOMAIN;
}

/* Ends the domain with SHUTDOWN_*, once the other side took what is on the console. */
void guest_exit(unsigned int reason) __attribute__((noreturn));

/* A line to the console, the reason, and the end as a crash: the program itself is wrong. */
void guest_panic(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* --- console.c: the PV console ring, in dom0 the hypervisor's --- */

void console_init(void);
void console_write(const char *text, size_t len);
/* Returns the bytes copied to @text, at most @size; 0 when nobody typed. */
size_t console_read(char *text, size_t size);
/* Waits until the other side took everything (at most ten seconds). */
void console_flush(void);
/* At most 255 characters at once. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
