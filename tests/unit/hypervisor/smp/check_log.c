/* SPDX-License-Identifier: MIT */
/*
 * check_log.c - log-dirty mode against what is in memory: a frame that is not said to be written,
 * and that nobody else may write, holds what it held when that was said last.
 */
#include "domain/gnttab.h"
#include "guest.h"
#include "pv/logdirty.h"
#include "x86/lock.h"

#define WORDS 64 /* all that guests, and nearly all that the hypervisor, write of a page */

static struct {
	u64 life; /* of the domain that the words are of; 0: nobody's */
	u64 word[WORDS];
} believed[MACHINE_FRAMES];
static u32 nr_under_way[SLOTS];
static u8 is_others[MACHINE_FRAMES]; /* somebody but its owner may write it now */
static u8 was_others[SLOTS][MACHINE_FRAMES]; /* the same as the question began */

static void believe(u64 mfn, const struct domain *d)
{
	believed[mfn].life = d->life;
	memcpy(believed[mfn].word, mfn_to_virt(_mfn(mfn)), sizeof(believed[mfn].word));
}

static bool is_plain(const struct frame *f, const struct domain *d)
{
	return f->owner == d->domain_id && !(f->ref & (FRAME_XENHEAP | FRAME_FREE));
}


static bool is_told(u64 mfn, const u8 *bitmap, u32 nr_pages)
{
	u64 pfn = m2p_get(_mfn(mfn));

	return !bitmap || (pfn < nr_pages && bitmap[pfn / 8] >> pfn % 8 & 1);
}

static void others_of_grants(const struct domain *d)
{
	const struct grant_table *t = d->gnttab;

	for (u32 i = 0; t && i < t->nr_frames * GRANTS_PER_FRAME; i++) {
		const struct grant_active *frame = t->active[i / GRANTS_PER_FRAME], *a = frame + i % GRANTS_PER_FRAME;

		if (!frame) /* of a dead domain */
			continue;
		if (a->pins.host_write | a->pins.dev_write)
			is_others[a->frame - frame_table] = 1;
	}
}

/*
 * Not by a grant: that counts as long as it is pinned, and a dead mapper's tables keep the entry.
 */
static void others_of_table(const struct frame *table)
{
	const u64 *entry = mfn_to_virt(frame_to_mfn(table));
	/* what was let go may be anybody's by now */
	unsigned int nr = table->type & FT_PARTIAL ? table->nval : PT_ENTRIES;

	for (unsigned int i = 0; i < nr; i++)
		if ((entry[i] & (PTE_P | PTE_RW | PTE_GRANT)) == (PTE_P | PTE_RW) && mfn_is_ram(pte_mfn(entry[i])) &&
		    mfn_to_frame(pte_mfn(entry[i]))->owner != table->owner)
			is_others[mfn_x(pte_mfn(entry[i]))] = 1;
}

static void others_find(void)
{
	memset(is_others, 0, sizeof(is_others));
	for (u64 mfn = 0; mfn < MACHINE_FRAMES; mfn++) {
		const struct frame *f = &frame_table[mfn];

		if (f->owner < DOMID_FIRST_RESERVED && frame_type_of(f) == FT_L1 && frame_type_count(f))
			others_of_table(f);
	}
	for (const struct domain *d = domain_list; d; d = d->next) {
		others_of_grants(d);
		for (unsigned int i = 0; i < d->nr_vcpus_max; i++)
			if (d->vcpu[i] && d->vcpu[i]->vcpu_info_frame)
				is_others[d->vcpu[i]->vcpu_info_frame - frame_table] = 1;
	}
}

void log_begins(u32 slot)
{
	__atomic_add_fetch(&nr_under_way[slot], 1, __ATOMIC_SEQ_CST);
	hv_lock();
	others_find();
	memcpy(was_others[slot], is_others, sizeof(is_others));
	hv_unlock();
}

void log_ends(u32 slot, const struct domain *d, const u8 *bitmap, u32 nr_pages)
{
	others_find();
	for (u64 mfn = 0; d && mfn < MACHINE_FRAMES; mfn++) {
		if (!is_plain(&frame_table[mfn], d))
			continue;
		if (is_told(mfn, bitmap, nr_pages))
			believe(mfn, d);
		else if (was_others[slot][mfn] && is_others[mfn] && !(frame_table[mfn].ref & FRAME_WRITTEN))
			machine_fail("d%u: somebody else may write frame %lu all the time, and it is not told",
				     d->domain_id, (unsigned long)mfn);
	}
	__atomic_sub_fetch(&nr_under_way[slot], 1, __ATOMIC_SEQ_CST);
}

static void check_frame(u64 mfn, const struct domain *d)
{
	if (frame_table[mfn].ref & FRAME_WRITTEN || is_others[mfn] || believed[mfn].life != d->life)
		believe(mfn, d);
	else if (memcmp(believed[mfn].word, mfn_to_virt(_mfn(mfn)), sizeof(believed[mfn].word)))
		machine_fail("d%u: frame %lu (type %#x) was written, and is not FRAME_WRITTEN", d->domain_id,
			     (unsigned long)mfn, frame_table[mfn].type);
}

void check_log(void)
{
	bool has_any = false;

	for (const struct domain *d = domain_list; d; d = d->next)
		has_any |= d->pv.log != NULL;
	if (!has_any)
		return;
	others_find();
	for (const struct domain *d = domain_list; d; d = d->next) {
		if (!d->pv.log || !d->pv.log->is_on ||
		    __atomic_load_n(&nr_under_way[d->domain_id % SLOTS], __ATOMIC_SEQ_CST))
			continue;
		for (u64 mfn = 0; mfn < MACHINE_FRAMES; mfn++)
			if (is_plain(&frame_table[mfn], d))
				check_frame(mfn, d);
	}
}
