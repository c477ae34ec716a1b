/* SPDX-License-Identifier: MIT */
/* backend_exit.h - exit codes of a device process; backendd acts on them. */
#ifndef BACKENDS_BACKEND_EXIT_H
#define BACKENDS_BACKEND_EXIT_H

#include <errno.h>

enum backend_exit {
	BACKEND_EXIT_DONE = 0,	 /* device closed or gone: do not start again */
	BACKEND_EXIT_RETRY = 75, /* try again later (EX_TEMPFAIL) */
	BACKEND_EXIT_CONFIG = 78 /* the record must change first (EX_CONFIG) */
};

/* For -errno of a start that failed. The store's errors are not the record's. */
static inline enum backend_exit backend_exit_of(int rc)
{
	switch (rc) {
	case -ENOENT: /* the directory went while we started */
		return BACKEND_EXIT_DONE;
	case -EBUSY:
	case -EAGAIN:
	case -EIO:
	case -ENOMEM:
	case -ENOTRECOVERABLE: /* whether it was written nobody knows: a successor looks */
		return BACKEND_EXIT_RETRY;
	default:
		return BACKEND_EXIT_CONFIG;
	}
}

#endif
