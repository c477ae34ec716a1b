/* SPDX-License-Identifier: MIT */
/*
 * in_child.h - runs a function in a process of its own: a damaged file may raise SIGBUS, SIGSEGV or
 * a library's assertion, and what is learnt from that is only "damaged". With confined.h there, it
 * learns and reaches nothing else either.
 */
#ifndef COMMON_IN_CHILD_H
#define COMMON_IN_CHILD_H

#include <sys/types.h>

/* How often what somebody killed is begun again. */
#define IN_CHILD_TRIES 5

/*
 * Runs @work there and waits for it; again from its beginning, when it was killed. Its answer, 0 or
 * -Exxx (-EPERM comes as -EACCES); -EBADMSG when it died of what it did; -EAGAIN when it was killed
 * each time; -ENOMEM, or -EAGAIN too, when there can be no other process. What it changes in memory
 * is lost.
 */
int in_child(int (*work)(void *arg), void *arg);

/* The same without waiting: the process, or -Exxx. */
pid_t in_child_start(int (*work)(void *arg), void *arg);
/*
 * Such processes do not get descriptor @fd (-1: all get all): whoever waits for its end to be
 * closed waits for the process that started them, not for them.
 */
void in_child_hide(int fd);
/* What the wait status of such a process says. */
int in_child_result(int status);

#endif
