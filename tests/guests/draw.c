/* SPDX-License-Identifier: MIT */
/* draw.c - see draw.h: xorshift64*. */
#include "draw.h"

#include "guest/guest.h"

static u64 state;

u64 draw_option(const char *key, u64 otherwise)
{
	const char *text = (const char *)start_info->cmd_line, *end;

	for (; *text; text++)
		if (strncmp(text, key, strlen(key)) == 0)
			return strtou64(text + strlen(key), &end);
	return otherwise;
}

void draw_from(u64 seed)
{
	state = seed * 0x9e3779b97f4a7c15UL | 1;
}

u64 draw(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dUL;
}

u64 draw_below(u64 limit)
{
	return (draw() >> 32) * limit >> 32;
}
