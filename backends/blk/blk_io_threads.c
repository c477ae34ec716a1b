/* SPDX-License-Identifier: MIT */
/*
 * blk_io_threads.c - block I/O by threads, for a kernel that refuses io_uring. Each takes one
 * operation at a time from a common queue and does it with one system call.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "blk_io_priv.h"

#define WORKERS 16
#define STACK (64 * 1024)

/* First in, first out; never more than one entry a tag. */
struct queue {
	unsigned int head, nr;
	struct blk_io_op op[BLK_IO_DEPTH];
};

struct threads {
	struct blk_io io;
	int image;
	int event; /* counts what is done */
	pthread_t worker[WORKERS];
	unsigned int nr_workers;
	struct queue added; /* the owner's alone */

	pthread_mutex_t lock; /* all below */
	pthread_cond_t waiting;
	bool stop;
	struct queue todo;
	unsigned int nr_done;
	struct blk_io_done done[BLK_IO_DEPTH];
};

static void put(struct queue *q, const struct blk_io_op *op)
{
	q->op[(q->head + q->nr++) % BLK_IO_DEPTH] = *op;
}

static struct blk_io_op take(struct queue *q)
{
	struct blk_io_op op = q->op[q->head];

	q->head = (q->head + 1) % BLK_IO_DEPTH;
	q->nr--;
	return op;
}

static int32_t perform(int fd, const struct blk_io_op *op)
{
	ssize_t n = -1;

	do {
		if (op->kind == BLK_IO_READ)
			n = pread(fd, op->buf, op->len, (off_t)op->offset);
		else if (op->kind == BLK_IO_WRITE)
			n = pwrite(fd, op->buf, op->len, (off_t)op->offset);
		else if (op->kind == BLK_IO_PUNCH)
			n = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				      (off_t)op->offset, (off_t)op->len);
		else
			n = fdatasync(fd);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : (int32_t)n;
}

static void *work(void *arg)
{
	struct threads *t = arg;

	pthread_mutex_lock(&t->lock);
	for (;;) {
		struct blk_io_op op;
		int32_t res;

		while (!t->todo.nr && !t->stop)
			pthread_cond_wait(&t->waiting, &t->lock);
		if (!t->todo.nr)
			break;
		op = take(&t->todo);
		pthread_mutex_unlock(&t->lock);
		res = perform(t->image, &op);
		pthread_mutex_lock(&t->lock);
		t->done[t->nr_done++] = (struct blk_io_done){ op.tag, res };
		eventfd_write(t->event, 1);
	}
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

static void threads_close(struct blk_io *io)
{
	struct threads *t = (struct threads *)io;

	pthread_mutex_lock(&t->lock);
	t->stop = true;
	pthread_cond_broadcast(&t->waiting);
	pthread_mutex_unlock(&t->lock);
	for (unsigned int i = 0; i < t->nr_workers; i++)
		pthread_join(t->worker[i], NULL);
	pthread_cond_destroy(&t->waiting);
	pthread_mutex_destroy(&t->lock);
	close(t->event);
	free(t);
}

static int make_workers(struct threads *t)
{
	sigset_t all, old;
	pthread_attr_t attr;
	int rc = 0;

	/* Signals are the main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	while (rc == 0 && t->nr_workers < WORKERS) {
		rc = pthread_create(&t->worker[t->nr_workers], &attr, work, t);
		t->nr_workers += rc == 0;
	}
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return t->nr_workers ? 0 : -rc;
}

static struct blk_io *threads_open(int fd)
{
	struct threads *t = calloc(1, sizeof(*t));
	int rc;

	if (!t)
		return NULL;
	t->image = fd;
	t->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (t->event < 0) {
		free(t);
		return NULL;
	}
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->waiting, NULL);
	rc = make_workers(t);
	if (rc == 0)
		return &t->io;
	threads_close(&t->io);
	errno = -rc;
	return NULL;
}

static int threads_fd(const struct blk_io *io)
{
	return ((const struct threads *)io)->event;
}

static void threads_add(struct blk_io *io, const struct blk_io_op *op)
{
	put(&((struct threads *)io)->added, op);
}

static int threads_start(struct blk_io *io)
{
	struct threads *t = (struct threads *)io;

	if (!t->added.nr)
		return 0;
	pthread_mutex_lock(&t->lock);
	while (t->added.nr) {
		struct blk_io_op op = take(&t->added);

		put(&t->todo, &op);
		pthread_cond_signal(&t->waiting);
	}
	pthread_mutex_unlock(&t->lock);
	return 0;
}

static unsigned int threads_reap(struct blk_io *io, struct blk_io_done *done, unsigned int max)
{
	struct threads *t = (struct threads *)io;
	unsigned int n = 0;
	eventfd_t count;

	pthread_mutex_lock(&t->lock);
	while (n < max && t->nr_done)
		done[n++] = t->done[--t->nr_done];
	if (n && !t->nr_done)
		eventfd_read(t->event, &count);
	pthread_mutex_unlock(&t->lock);
	return n;
}

const struct blk_io_way blk_io_threads = {
	.name = "threads",
	.open = threads_open,
	.close = threads_close,
	.fd = threads_fd,
	.add = threads_add,
	.start = threads_start,
	.reap = threads_reap,
};
