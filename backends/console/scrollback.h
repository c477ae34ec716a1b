/* SPDX-License-Identifier: MIT */
/*
 * scrollback.h - the last bytes a guest printed, as a stream with positions.
 *
 * Lives in the device's journal file, so it survives the process. A reader holds a position in
 * the stream; live output and replay are the same thing: bytes between a position and the end.
 */
#ifndef BACKENDS_SCROLLBACK_H
#define BACKENDS_SCROLLBACK_H

#include <stddef.h>
#include <stdint.h>

#define SCROLLBACK_SIZE 65536u

struct scrollback {
	uint64_t end; /* bytes ever written; the stream position of the next one */
	char buf[SCROLLBACK_SIZE];
};

void scrollback_put(struct scrollback *s, const char *buf, size_t len);

/* Where a late reader starts: the oldest byte kept, or, if output was lost, the first whole line.
 */
uint64_t scrollback_start(const struct scrollback *s);

/*
 * Gives the longest piece at *@pos that lies in one run, without copying. *@pos moves forward
 * when its bytes are no longer kept. Returns the length, 0 at the end.
 */
size_t scrollback_piece(const struct scrollback *s, uint64_t *pos, const char **piece);

#endif
