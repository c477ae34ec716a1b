/* SPDX-License-Identifier: MIT */
/*
 * question.h - one question about the past, or about copies of the store, answered by a process of
 * its own: the worker goes on, and a file that may be damaged is opened there. The questions are
 * in worker.h. Private to storage/.
 */
#ifndef XENSTORED_QUESTION_H
#define XENSTORED_QUESTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct disk_config;

struct question {
	int fd;			/* where the answer goes, in packets of worker.h */
	uint32_t id;
	const char *text;	/* words, each with its NUL; not trusted */
	size_t len;
	const char *state_dir, *run_dir;
	const char *path;	/* of the environment that is asked about */
	uint64_t map_size;
	bool beside;		/* the worker writes it */
};

/* For in_child_start(); @arg: a struct question. Sends the answer; 0, or 1: nobody listens. */
int question_answer(void *arg);

/* Removes what process @pid, which has ended, has left half made; 0: what any has, none is left. */
void question_clean(const struct disk_config *cfg, pid_t pid);

#endif
