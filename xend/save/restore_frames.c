/* SPDX-License-Identifier: MIT */
/* restore_frames.c - see restore_frames.h. What is never asked for is never touched. */
#include "restore_frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pv_tables.h"
#include "stream.h"

#define PART 512u			/* pfns */

struct frame_part {
	uint64_t mfn[PART];
	uint8_t kind[PART];
};

int restore_frames_init(struct restore_frames *f, uint64_t nr_pfns)
{
	f->part = calloc((nr_pfns + PART - 1) / PART, sizeof(f->part[0]));
	f->nr_pfns = f->part ? nr_pfns : 0;
	return f->part ? 0 : -ENOMEM;
}

void restore_frames_fini(struct restore_frames *f)
{
	for (uint64_t i = 0; i * PART < f->nr_pfns; i++)
		free(f->part[i]);
	free(f->part);
	*f = (struct restore_frames){ 0 };
}

static const struct frame_part *part_of(const struct restore_frames *f, uint64_t pfn)
{
	return pfn < f->nr_pfns ? f->part[pfn / PART] : NULL;
}

uint64_t restore_frames_mfn(const struct restore_frames *f, uint64_t pfn)
{
	const struct frame_part *p = part_of(f, pfn);

	return p ? p->mfn[pfn % PART] : PV_NO_FRAME;
}

unsigned int restore_frames_kind(const struct restore_frames *f, uint64_t pfn)
{
	const struct frame_part *p = part_of(f, pfn);

	return p ? p->kind[pfn % PART] : PAGE_NONE;
}

static struct frame_part *make_part(struct restore_frames *f, uint64_t pfn)
{
	struct frame_part **p = &f->part[pfn / PART];

	if (*p)
		return *p;
	*p = malloc(sizeof(**p));
	if (*p) {
		memset((*p)->mfn, 0xff, sizeof((*p)->mfn));
		memset((*p)->kind, PAGE_NONE, sizeof((*p)->kind));
	}
	return *p;
}

int restore_frames_set_mfn(struct restore_frames *f, uint64_t pfn, uint64_t mfn)
{
	struct frame_part *p = make_part(f, pfn);

	if (!p)
		return -ENOMEM;
	p->mfn[pfn % PART] = mfn;
	return 0;
}

int restore_frames_set_kind(struct restore_frames *f, uint64_t pfn, uint8_t kind)
{
	struct frame_part *p;

	/* No page and no room for one: nothing to remember. */
	if ((kind == PAGE_NONE || kind == PAGE_BROKEN) && !part_of(f, pfn))
		return 0;
	p = make_part(f, pfn);
	if (!p)
		return -ENOMEM;
	p->kind[pfn % PART] = kind;
	return 0;
}
