/* SPDX-License-Identifier: MIT */
/* alt.c - writes the chosen code into its sites. Source of the no-ops: Intel SDM vol. 2, NOP. */
#include "x86/alt.h"

#include "lib/string.h"

#define NOP_MAX 9
#define JMP_SHORT 0xeb
#define JMP_NEAR 0xe9
/* From here on a jump over the rest is shorter than its no-ops. */
#define JMP_FROM 28

static const u8 nops[NOP_MAX][NOP_MAX] = {
	{ 0x90 },
	{ 0x66, 0x90 },
	{ 0x0f, 0x1f, 0x00 },
	{ 0x0f, 0x1f, 0x40, 0x00 },
	{ 0x0f, 0x1f, 0x44, 0x00, 0x00 },
	{ 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00 },
	{ 0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00 },
	{ 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00 },
	{ 0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00 },
};

static void nops_fill(u8 *at, size_t len)
{
	if (len >= JMP_FROM && len < 128 + 2) {
		at[0] = JMP_SHORT;
		at[1] = (u8)(len - 2);
		return; /* what is jumped over stays no-ops of one byte */
	}
	if (len >= 128 + 2) {
		s32 rest = (s32)(len - 5);

		at[0] = JMP_NEAR;
		memcpy(at + 1, &rest, sizeof(rest));
		return;
	}
	while (len) {
		size_t n = MIN(len, (size_t)NOP_MAX);

		memcpy(at, nops[n - 1], n);
		at += n;
		len -= n;
	}
}

static bool is_on(const struct alt_site *s, u32 features)
{
	return features & 1u << s->feature;
}

/* Sites of no-ops side by side that stay so are one. Returns the first behind them. */
static const struct alt_site *skip_idle(const struct alt_site *s, const struct alt_site *end,
					u32 features)
{
	u64 start = s->address, stop = start;

	while (s < end && s->is_nops && !is_on(s, features) && s->address == stop)
		stop += s++->len;
	nops_fill((u8 *)(uintptr_t)start, stop - start);
	return s;
}

void alt_apply(const struct alt_site *start, const struct alt_site *end, u32 features)
{
	for (const struct alt_site *s = start; s < end;) {
		u8 *at = (u8 *)(uintptr_t)s->address;

		if (is_on(s, features)) {
			memcpy(at, (const void *)(uintptr_t)s->code, s->code_len);
			nops_fill(at + s->code_len, s->len - s->code_len);
			s++;
		} else if (s->is_nops) {
			s = skip_idle(s, end, features);
		} else {
			s++;
		}
	}
}
