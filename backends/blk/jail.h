/* SPDX-License-Identifier: MIT */
/*
 * jail.h - what a disk's server may reach: a root directory of its own with the host's programs,
 * read only, and the files of its disk, each at its own path; no process but itself; the Internet
 * protocols only if it is said. Whatever the disk's contents name, nothing else is there.
 *
 * Source: mount_namespaces(7), capabilities(7), seccomp(2).
 */
#ifndef BACKENDS_JAIL_H
#define BACKENDS_JAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define JAIL_FILES_MAX 9
#define JAIL_SECRET "/secret"

struct jail_file {
	const char *path; /* absolute; NULL: it is not shown, but stays open */
	int fd;		  /* it, open: what is shown is what this is, and stays open */
	bool readonly;
};

struct jail {
	const char *dir;  /* any directory that is there: the new root is mounted over it */
	const char *user; /* as confine() has it; NULL: nobody else, for tests and to debug */
	const char *program; /* absolute: what jail_run() runs; NULL: nothing */
	bool network;
	const char *secret; /* what is in JAIL_SECRET, which nobody else sees; NULL: there is none */
	struct jail_file file[JAIL_FILES_MAX];
	unsigned int nr_files;
};

/*
 * In a new child of @parent, as root, alone in its process: enters the jail for good and ends with
 * @parent's thread. Where files are shown, whatever is there can be opened, whoever owns it.
 * Returns 0, or -errno with the step that failed in @*step.
 */
int jail_enter(const struct jail *jail, pid_t parent, const char **step);

/* In the jail: becomes its program, which can become no other. Returns -errno, if at all. */
int jail_run(const struct jail *jail, char *const *argv, char *const *env);

#endif
