/* SPDX-License-Identifier: MIT */
/*
 * events.h - event channels and the clock. Events stay masked unless a program asks for upcalls;
 * waiting is by SCHEDOP_poll.
 */
#ifndef KIT_EVENTS_H
#define KIT_EVENTS_H

#include "guest/guest.h"

#define NS_PER_MS 1000000ULL
#define NS_PER_S 1000000000ULL
#define FOREVER (~0ULL)

void events_init(void);

/* The system time of xen/xen.h, in nanoseconds since the host started. */
u64 clock_ns(void);
/* Passes the time without burning it. */
void sleep_ns(u64 ns);

/* A channel of the guest to itself; both ends. 0 or an errno. */
long port_pair(evtchn_port_t *a, evtchn_port_t *b);
/*
 * The guest's own number, as the far end of a channel to itself tells it; DOMID_SELF when it does
 * not.
 */
domid_t guest_domid(void);
long port_send(evtchn_port_t port);
long port_close(evtchn_port_t port);
/* Whether an event is pending; it is taken. */
bool port_take(evtchn_port_t port);
/* Waits until one is, and takes it; false: @timeout_ns passed. */
bool port_wait(evtchn_port_t port, u64 timeout_ns);
/* No pending event of that port makes an upcall until it is unmasked. */
void port_mask(evtchn_port_t port);
long port_unmask(evtchn_port_t port);

/* Calls @handler(@port) for each pending unmasked port while upcalls are let in; vcpu 0. */
typedef void (*event_handler_fn)(evtchn_port_t port);
void events_handle(event_handler_fn handler);
void events_enable(void);
void events_disable(void);
bool events_are_masked(void);
/* traps.c's: the upcall itself. */
void events_upcall(void);

#endif
