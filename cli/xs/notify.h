/* SPDX-License-Identifier: MIT */
/*
 * notify.h - telling the service manager how we are (the sd_notify protocol).
 */
#ifndef STOREVISOR_XS_NOTIFY_H
#define STOREVISOR_XS_NOTIFY_H

/* Sends @state ("READY=1", "WATCHDOG=1") to $NOTIFY_SOCKET. Does nothing when there is none. */
void notify_service(const char *state);

#endif
