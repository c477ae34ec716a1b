/* SPDX-License-Identifier: MIT */
/*
 * worker.c - xend's only threads.
 *
 * Lock: none. .owner hands the struct from the starter to the thread and back: whichever of
 * "thread finished" and "starter released" comes second destroys it.
 */
#include "worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

static void *thread(void *arg)
{
	struct worker *w = arg;
	enum worker_owner working = WORKER_WORKING;
	int wake_fd = w->wake_fd;
	uint64_t one = 1;

	w->err = w->run(w);
	/* After the exchange it is the starter's: touch it no more. */
	if (!atomic_compare_exchange_strong(&w->owner, &working, WORKER_FINISHED)) {
		w->destroy(w);
		return NULL;
	}
	if (write(wake_fd, &one, sizeof(one)) < 0)
		return NULL;	/* the counter is full: the loop is awake anyway */
	return NULL;
}

static int start_thread(struct worker *w)
{
	pthread_attr_t attr;
	pthread_t id;
	int err;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	err = -pthread_create(&id, &attr, thread, w);
	pthread_attr_destroy(&attr);
	return err;
}

int worker_start(struct worker *w, int wake_fd)
{
	int err = 0;

	w->wake_fd = wake_fd;
	w->owner = WORKER_WORKING;
	if (wake_fd >= 0) {
		err = start_thread(w);
	} else {
		w->err = w->run(w);
		w->owner = WORKER_FINISHED;
	}
	if (err)
		w->destroy(w);
	return err;
}

int worker_result(struct worker *w)
{
	return atomic_load(&w->owner) == WORKER_FINISHED ? w->err : -EINPROGRESS;
}

int worker_stop(struct worker *w)
{
	atomic_store(&w->stop, true);
	return atomic_load(&w->owner) == WORKER_WORKING ? -EINPROGRESS : 0;
}

void worker_release(struct worker *w)
{
	enum worker_owner working = WORKER_WORKING;

	if (!w)
		return;
	atomic_store(&w->stop, true);
	if (!atomic_compare_exchange_strong(&w->owner, &working, WORKER_RELEASED))
		w->destroy(w);
}

int worker_fail(struct worker *w, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w->why, sizeof(w->why), fmt, ap);
	va_end(ap);
	return err;
}
