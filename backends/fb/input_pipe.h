/* SPDX-License-Identifier: MIT */
/*
 * input_pipe.h - from the screen's process, which has the viewers, to the keyboard's.
 *
 * A FIFO beside the screen's journal that both open for reading and writing while they may open
 * anything: it outlives the death of either, and nobody has to find the other again. It carries
 * whole events of xen/io/kbdif.h.
 */
#ifndef BACKENDS_INPUT_PIPE_H
#define BACKENDS_INPUT_PIPE_H

#include <stdbool.h>
#include <stdint.h>

#include <xen/xen.h>
#include <xen/io/kbdif.h>

/*
 * Opens the FIFO of the screen of domain @domid. @make: makes it if it is not there, empty if it
 * is, as the screen's process does. Returns the descriptor, non-blocking; -EAGAIN: not there yet;
 * -errno.
 */
int input_pipe_open(unsigned int domid, bool make);

/* Writes one event. False: there is no room, nobody takes what is typed. */
bool input_pipe_put(int fd, const union xenkbd_in_event *event);

/* The next event. False: none is there, or not a whole one, and what there was of it is gone. */
bool input_pipe_get(int fd, union xenkbd_in_event *event);

/* Takes everything out: it was another guest's, or of another time. */
void input_pipe_drain(int fd);

#endif
