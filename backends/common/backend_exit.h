/* SPDX-License-Identifier: MIT */
/* backend_exit.h - exit codes of a device process; backendd acts on them. */
#ifndef BACKENDS_BACKEND_EXIT_H
#define BACKENDS_BACKEND_EXIT_H

enum backend_exit {
	BACKEND_EXIT_DONE = 0,	 /* device closed or gone: do not start again */
	BACKEND_EXIT_RETRY = 75, /* try again later (EX_TEMPFAIL) */
	BACKEND_EXIT_CONFIG = 78 /* the record must change first (EX_CONFIG) */
};

#endif
