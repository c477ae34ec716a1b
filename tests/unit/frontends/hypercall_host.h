/* SPDX-License-Identifier: MIT */
/* hypercall_host.h - stands for guest/hypercall.h where frontends run on the host. */
#ifndef KIT_HYPERCALL_H
#define KIT_HYPERCALL_H

#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/sched.h>

long hc_sched(unsigned int op, void *arg);

#endif
