/* SPDX-License-Identifier: MIT */
/*
 * notify.h - telling the service manager how we are (the sd_notify protocol), without its library:
 * it is one datagram.
 */
#ifndef STOREVISOR_NOTIFY_H
#define STOREVISOR_NOTIFY_H

/*
 * Sends @state ("READY=1", "WATCHDOG=1") to $NOTIFY_SOCKET; does nothing when there is none. The
 * first call opens the descriptor that later ones use: a process that gives up socket(2) makes one
 * before. Not thread-safe. Source: sd_notify(3).
 */
void notify_service(const char *state);

/*
 * Where the daemon @name ("xend") says what it does, for a message that sends somebody there: a
 * command when systemd runs this machine, else a file. Static.
 */
const char *notify_log_of(const char *name);

#endif
