/* SPDX-License-Identifier: MIT */
/*
 * shim.c - preloaded under Debian's store daemons so that they serve their socket on a machine
 * without Xen: every domain exists, rings are private pages, no event ever comes. For comparing
 * benchmarks only; nothing of the product depends on it.
 */
#undef _FILE_OFFSET_BITS /* both open and open64 are defined here */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define __XEN_TOOLS__ 1
#include <xenctrl.h>

#define NR_DOMAINS 0x7ff0
#define SHIM __attribute__((visibility("default")))

static long object; /* what every handle points to */
static int event_fd = -1;

static void *page(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static int scratch(const char *text)
{
	int fd = memfd_create("shim", 0);

	if (ftruncate(fd, text ? 0 : 4096) != 0)
		return -1;
	if (text && (write(fd, text, strlen(text)) < 0 || lseek(fd, 0, SEEK_SET) != 0))
		return -1;
	return fd;
}

/* The two files of the kernel that name dom0's ring. */
static int open_any(const char *path, int flags, mode_t mode)
{
	if (path && strcmp(path, "/proc/xen/xsd_port") == 0)
		return scratch("10");
	if (path && strcmp(path, "/proc/xen/xsd_kva") == 0)
		return scratch(NULL);
	return syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

SHIM int open(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode = 0;

	va_start(ap, flags);
	if (flags & O_CREAT)
		mode = va_arg(ap, mode_t);
	va_end(ap);
	return open_any(path, flags, mode);
}

SHIM int open64(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode = 0;

	va_start(ap, flags);
	if (flags & O_CREAT)
		mode = va_arg(ap, mode_t);
	va_end(ap);
	return open_any(path, flags | O_LARGEFILE, mode);
}

/* oxenstored insists on a limit that a container may not raise. */
SHIM int setrlimit(__rlimit_resource_t what, const struct rlimit *limit)
{
	syscall(SYS_setrlimit, what, limit);
	return 0;
}

/* ---- event channels ---- */

SHIM void *xenevtchn_open(void *logger, unsigned int flags)
{
	event_fd = eventfd(0, EFD_NONBLOCK);
	return &object;
}

SHIM void *xenevtchn_fdopen(void *logger, int fd, unsigned int flags)
{
	return xenevtchn_open(logger, flags);
}

SHIM int xenevtchn_close(void *h) { return 0; }
SHIM int xenevtchn_fd(void *h) { return event_fd; }
SHIM int xenevtchn_notify(void *h, uint32_t port) { return 0; }
SHIM int xenevtchn_bind_virq(void *h, unsigned int virq) { return 1; }
SHIM int xenevtchn_bind_interdomain(void *h, uint32_t domid, uint32_t port) { return 10 + domid; }
SHIM int xenevtchn_unbind(void *h, uint32_t port) { return 0; }
SHIM int xenevtchn_unmask(void *h, uint32_t port) { return 0; }
SHIM int xenevtchn_pending(void *h) { errno = EAGAIN; return -1; }

/* ---- grants and foreign pages ---- */

SHIM void *xengnttab_open(void *logger, unsigned int flags) { return &object; }
SHIM int xengnttab_close(void *h) { return 0; }
SHIM int xengnttab_set_max_grants(void *h, uint32_t n) { return 0; }
SHIM void *xengnttab_map_grant_ref(void *h, uint32_t d, uint32_t ref, int prot) { return page(); }
SHIM int xengnttab_unmap(void *h, void *p, uint32_t n) { return munmap(p, 4096 * n); }

SHIM void *xc_map_foreign_range(xc_interface *x, uint32_t domid, int size, int prot,
				unsigned long mfn)
{
	return page();
}

/* ---- domains ---- */

SHIM xc_interface *xc_interface_open(xentoollog_logger *a, xentoollog_logger *b, unsigned int f)
{
	return (xc_interface *)&object;
}

SHIM int xc_interface_close(xc_interface *x) { return 0; }

SHIM int xc_domain_getinfo(xc_interface *x, uint32_t first, unsigned int max, xc_dominfo_t *info)
{
	unsigned int n = 0;

	for (uint32_t d = first; d < NR_DOMAINS && n < max; d++, n++) {
		memset(&info[n], 0, sizeof(*info));
		info[n].domid = d;
	}
	return n;
}

SHIM int xc_domain_getinfolist(xc_interface *x, uint32_t first, unsigned int max,
			       xc_domaininfo_t *info)
{
	unsigned int n = 0;

	for (uint32_t d = first; d < NR_DOMAINS && n < max; d++, n++) {
		memset(&info[n], 0, sizeof(*info));
		info[n].domain = d;
	}
	return n;
}
