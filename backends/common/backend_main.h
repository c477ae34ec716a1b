/* SPDX-License-Identifier: MIT */
/*
 * backend_main.h - the process around one backend: options, handles, privileges, event loop.
 */
#ifndef BACKENDS_BACKEND_MAIN_H
#define BACKENDS_BACKEND_MAIN_H

#include "backend.h"

/*
 * Runs `PROGRAM [-n] [-u USER] [-v] BACKEND-DIRECTORY` until the device is gone.
 * Returns an enum backend_exit for main() to return.
 */
int backend_main(int argc, char **argv, const struct backend_ops *ops);

/* Ends the loop with @code, from inside an event (a device's own descriptor broke). */
void backend_stop(struct backend *be, enum backend_exit code);

/*
 * Has ops->work called from the loop soon for the queues in @due (bits), for instance when the tap
 * became readable.
 */
void backend_kick(struct backend *be, unsigned int due);

/*
 * For who keeps the loop waiting: takes what the store has to say, which is looked at once the loop
 * goes on. A guest can write its state as often as it likes, and what nobody takes is kept in
 * memory.
 */
void backend_hear(struct backend *be);

#endif
