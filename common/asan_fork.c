/* SPDX-License-Identifier: MIT */
/*
 * asan_fork.c - in programs that are built with AddressSanitizer, and empty in all others: a process
 * that is made while other threads allocate memory can allocate, too.
 *
 * glibc's allocator is whole after fork(). The sanitizer's (GCC 12's) is copied with the locks that
 * other threads hold just then, and a child that needs one of them waits for ever. So every call
 * passes a gate here, which fork() closes: nobody is in the allocator then. A program's own malloc()
 * comes before that of a library, also for libraries.
 *
 * Lock: gate. Read around each call, written around fork(), which no call keeps waiting.
 */
#include "asan_fork.h"

#ifdef __SANITIZE_ADDRESS__

#include <pthread.h>
#include <stddef.h>

static const pthread_rwlock_t open_gate = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
static pthread_rwlock_t gate = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
static __thread unsigned int inside;	/* calls of this thread, one in another */

static void enter(void)
{
	if (!inside++)
		pthread_rwlock_rdlock(&gate);
}

static void leave(void)
{
	if (!--inside)
		pthread_rwlock_unlock(&gate);
}

static void before_fork(void)
{
	inside++;
	pthread_rwlock_wrlock(&gate);
}

static void after_fork(void)
{
	pthread_rwlock_unlock(&gate);
	inside--;
}

/* Who waited at the gate is not in the child. */
static void in_the_child(void)
{
	gate = open_gate;
	inside--;
}

static void begin(void)
{
	pthread_atfork(before_fork, after_fork, in_the_child);
}

void asan_fork_safe(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, begin);
}

/* The sanitizer's own function of the name. */
#define GATED(type, name, params, args)                                                            \
	type __interceptor_##name params;                                                          \
	type name params;                                                                          \
	type name params                                                                           \
	{                                                                                          \
		type ret;                                                                          \
                                                                                                   \
		enter();                                                                           \
		ret = __interceptor_##name args;                                                   \
		leave();                                                                           \
		return ret;                                                                        \
	}

GATED(void *, malloc, (size_t n), (n))
GATED(void *, calloc, (size_t nr, size_t n), (nr, n))
GATED(void *, realloc, (void *p, size_t n), (p, n))
GATED(void *, reallocarray, (void *p, size_t nr, size_t n), (p, nr, n))
GATED(void *, memalign, (size_t align, size_t n), (align, n))
GATED(void *, aligned_alloc, (size_t align, size_t n), (align, n))
GATED(int, posix_memalign, (void **out, size_t align, size_t n), (out, align, n))
GATED(char *, strdup, (const char *s), (s))
GATED(char *, strndup, (const char *s, size_t n), (s, n))

void __interceptor_free(void *p);
void free(void *p);
void free(void *p)
{
	enter();
	__interceptor_free(p);
	leave();
}

#endif
