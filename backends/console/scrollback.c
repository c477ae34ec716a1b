/* SPDX-License-Identifier: MIT */
/* scrollback.c - a guest's last output: see scrollback.h. */
#include "scrollback.h"

#include <string.h>

_Static_assert((SCROLLBACK_SIZE & (SCROLLBACK_SIZE - 1)) == 0, "positions are masked");

void scrollback_put(struct scrollback *s, const char *buf, size_t len)
{
	if (len > SCROLLBACK_SIZE) {
		s->end += len - SCROLLBACK_SIZE;
		buf += len - SCROLLBACK_SIZE;
		len = SCROLLBACK_SIZE;
	}
	while (len) {
		size_t at = s->end % SCROLLBACK_SIZE, run = SCROLLBACK_SIZE - at;

		if (run > len)
			run = len;
		memcpy(s->buf + at, buf, run);
		s->end += run;
		buf += run;
		len -= run;
	}
}

uint64_t scrollback_start(const struct scrollback *s)
{
	uint64_t pos;

	if (s->end <= SCROLLBACK_SIZE)
		return 0;
	for (pos = s->end - SCROLLBACK_SIZE; pos < s->end; pos++)
		if (s->buf[pos % SCROLLBACK_SIZE] == '\n')
			return pos + 1;
	return s->end - SCROLLBACK_SIZE; /* one endless line: then from its middle */
}

size_t scrollback_piece(const struct scrollback *s, uint64_t *pos, const char **piece)
{
	size_t at, run;

	if (*pos > s->end) /* the stream began anew */
		*pos = 0;
	if (s->end - *pos > SCROLLBACK_SIZE)
		*pos = s->end - SCROLLBACK_SIZE;
	at = *pos % SCROLLBACK_SIZE;
	run = SCROLLBACK_SIZE - at;
	*piece = s->buf + at;
	return s->end - *pos < run ? (size_t)(s->end - *pos) : run;
}
