/* SPDX-License-Identifier: MIT */
/*
 * hc_console.c - console_io: dom0's emergency console on the serial line. Others get -EPERM, as
 * with Debian's build of Xen. ABI: xen/xen.h, CONSOLEIO_*.
 */
#include "domain/domain.h"
#include "domain/preempt.h"
#include "hypercall/handlers.h"
#include "lib/errno.h"
#include "x86/console.h"
#include "x86/guest_access.h"

#define CHUNK 256

static long console_write(struct hc_args *a)
{
	char buf[CHUNK];

	while (a->a[1]) {
		size_t len = MIN(a->a[1], (u64)CHUNK);

		if (copy_from_guest(buf, a->a[2], len))
			return -EFAULT;
		console_write_guest(current->domain->domain_id, buf, len);
		a->a[1] -= len;
		a->a[2] += len;
		if (a->a[1] && hypercall_should_preempt())
			return -ERESTART;
	}
	return 0;
}

static long console_read_op(struct hc_args *a)
{
	char buf[CHUNK];
	size_t len = MIN(a->a[1], (u64)CHUNK);

	if (!guest_range_ok(a->a[2], len, 1))
		return -EFAULT;
	len = console_read(buf, len);
	if (len && copy_to_guest(a->a[2], buf, len))
		return -EFAULT;
	a->value = (long)len;
	return 0;
}

long hc_console_io(struct hc_args *a)
{
	if (!current->domain->is_privileged)
		return -EPERM;
	if ((s64)a->a[1] < 0 || a->a[1] > 0x7fffffff)
		return -EINVAL;
	switch ((u32)a->a[0]) {
	case CONSOLEIO_write:
		return console_write(a);
	case CONSOLEIO_read:
		return console_read_op(a);
	default:
		return -ENOSYS;
	}
}
