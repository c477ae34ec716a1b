/* SPDX-License-Identifier: MIT */
/*
 * confined.h - gives up, for good, what a process does not need that is given hostile bytes: other
 * descriptors, its user, memory without end, system calls. Each part by itself; the filter last.
 */
#ifndef COMMON_CONFINED_H
#define COMMON_CONFINED_H

#include <stddef.h>
#include <stdint.h>

/* Closes all descriptors from @first on but the @nr of @keep. */
void confined_keep(int first, const int *keep, size_t nr);

struct confined_limits {
	uint64_t memory;		/* bytes of address space, beside what there is already */
	uint64_t file;			/* bytes of any one file, memory files also */
	unsigned int cpu_s;		/* seconds of CPU time: then it is killed */
};

/* 0 or -errno. No core file either. */
int confined_limit(const struct confined_limits *l);

/*
 * Root becomes nobody, without groups and capabilities; whoever it is, it gets no new privileges,
 * and nobody of the same user may look into it. 0 or -errno.
 */
int confined_become_nobody(void);

/* One request on one descriptor. */
struct confined_ioctl {
	int fd;
	unsigned long request;
};

/*
 * From here on only the @nr system calls @calls (SCMP_SYS()) and @one (NULL: none) are left; any
 * other ends the process. mmap and mprotect among @calls are for memory that is not executed.
 * 0 or -errno.
 */
int confined_filter(const int *calls, size_t nr, const struct confined_ioctl *one);

#endif
