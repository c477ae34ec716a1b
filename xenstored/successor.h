/* SPDX-License-Identifier: MIT */
/*
 * successor.h - the program that goes on after a live update. It is tried before anything is given
 * up for it: a wrong name costs nothing but an error.
 */
#ifndef XENSTORED_SUCCESSOR_H
#define XENSTORED_SUCCESSOR_H

/*
 * What one program leaves to the next: the listening socket by --live-fd, the runtime part. A
 * program that can take it up answers --takes-over=SUCCESSOR_VERSION by SUCCESSOR_YES, a status
 * that no other program ends with by chance.
 */
#define SUCCESSOR_VERSION "1"
#define SUCCESSOR_YES 121

/*
 * Opens the program @path (domain 0's, any text) and runs it to ask whether it can take over; waits
 * a second for that. Returns a descriptor for successor_exec(); -ENOENT, -EACCES as they are;
 * -EINVAL when it is no program, or one that cannot.
 */
int successor_open(const char *path);

/* Executes it (@fd -1: the same program again). Comes back only when that fails: -Exxx. */
int successor_exec(int fd, char **argv);

#endif
