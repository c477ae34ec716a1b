/* SPDX-License-Identifier: MIT */
/*
 * fake_hv.h - a hypervisor for tests: domains are bytes of a file, rings are pages of files,
 * events are numbers in a FIFO. The daemon and the test may be one process or two.
 */
#ifndef FAKE_HV_H
#define FAKE_HV_H

#include <stdbool.h>
#include <stdint.h>

#include <xen/io/xs_wire.h>

#include "hv.h"

#define FAKE_EXISTS	1u
#define FAKE_SHUTDOWN	2u
#define FAKE_DYING	4u
#define FAKE_OWN_RING	8u	/* of domain 0: it has a kernel ring */

/* The local port of @domid's channel, and the event that stands for VIRQ_DOM_EXC. */
#define FAKE_PORT(domid) (1000u + (domid))
#define FAKE_DOM_EXC	1u

/* Opens the machine in directory @dir (made if need be); both sides call it. */
struct hv *fake_hv_open(const char *dir);

/* Says what is true of @domid; every call with FAKE_EXISTS after none begins another life. */
void fake_domain(struct hv *hv, unsigned int domid, unsigned int state);
/* The guest's side of the ring page. */
struct xenstore_domain_interface *fake_ring(struct hv *hv, unsigned int domid);
void fake_event(struct hv *hv, uint32_t port);
/* How often the daemon notified @domid's channel (this process only). */
unsigned int fake_notified(struct hv *hv, unsigned int domid);

#endif
