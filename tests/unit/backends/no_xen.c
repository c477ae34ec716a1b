/* SPDX-License-Identifier: MIT */
/* no_xen.c - a backend's handles of a hypervisor that is not there: they open, and nothing comes. */
#include <sys/eventfd.h>
#include <unistd.h>

#include <xenevtchn.h>
#include <xengnttab.h>

static int fd = -1;

xenevtchn_handle *xenevtchn_open(struct xentoollog_logger *logger, unsigned int flags)
{
	fd = eventfd(0, EFD_CLOEXEC);
	return fd < 0 ? NULL : (xenevtchn_handle *)&fd;
}

int xenevtchn_close(xenevtchn_handle *h)
{
	return close(fd);
}

int xenevtchn_fd(xenevtchn_handle *h)
{
	return fd;
}

int xenevtchn_restrict(xenevtchn_handle *h, domid_t domid)
{
	return 0;
}

xengnttab_handle *xengnttab_open(struct xentoollog_logger *logger, unsigned int flags)
{
	return (xengnttab_handle *)&fd;
}

int xengnttab_close(xengnttab_handle *h)
{
	return 0;
}
