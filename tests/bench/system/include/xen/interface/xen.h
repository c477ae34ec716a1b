/* SPDX-License-Identifier: MIT */
/*
 * Linux's <xen/privcmd.h> names the kernel's own copy of Xen's header; outside the kernel it is
 * libxen-dev's.
 */
#include <xen/xen.h>
