/* SPDX-License-Identifier: MIT */
/*
 * xen_libs.h - Debian's stable libraries to Xen, loaded when a hypervisor is asked for: a store
 * that serves its socket only needs none of them installed.
 */
#ifndef XENSTORED_XEN_LIBS_H
#define XENSTORED_XEN_LIBS_H

#include <xencall.h>
#include <xenevtchn.h>
#include <xengnttab.h>

/* library's soname, function: all that the daemon and its informer call. */
#define XEN_LIBS_FUNCTIONS(X) \
	X("libxencall.so.1", xencall_open) \
	X("libxencall.so.1", xencall_alloc_buffer) \
	X("libxencall.so.1", xencall1) \
	X("libxencall.so.1", xencall_fd) \
	X("libxenevtchn.so.1", xenevtchn_open) \
	X("libxenevtchn.so.1", xenevtchn_close) \
	X("libxenevtchn.so.1", xenevtchn_fd) \
	X("libxenevtchn.so.1", xenevtchn_notify) \
	X("libxenevtchn.so.1", xenevtchn_bind_interdomain) \
	X("libxenevtchn.so.1", xenevtchn_bind_virq) \
	X("libxenevtchn.so.1", xenevtchn_unbind) \
	X("libxenevtchn.so.1", xenevtchn_pending) \
	X("libxenevtchn.so.1", xenevtchn_unmask) \
	X("libxengnttab.so.1", xengnttab_open) \
	X("libxengnttab.so.1", xengnttab_close) \
	X("libxengnttab.so.1", xengnttab_map_grant_ref) \
	X("libxengnttab.so.1", xengnttab_unmap)

#define XEN_LIBS_MEMBER(lib, fn) __typeof__(fn) *fn;
struct xen_libs {
	XEN_LIBS_FUNCTIONS(XEN_LIBS_MEMBER)
};
#undef XEN_LIBS_MEMBER

/*
 * Loads all of them into @out, for the life of the process. 0; -ENOENT: one is not installed, or
 * is not what it should be, and the log says which and what to install.
 */
int xen_libs_load(struct xen_libs *out);

#endif
