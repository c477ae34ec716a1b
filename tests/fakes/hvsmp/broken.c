/* SPDX-License-Identifier: MIT */
/*
 * broken.c - stands before a few functions of the hypervisor (the linker's --wrap) and, asked to,
 * leaves out what they do: proof that the harness would notice.
 */
#include "machine.h"

#include <string.h>

#include "domain/gnttab.h"
#include "pv/context.h"
#include "pv/domain_tlb.h"
#include "pv/logdirty.h"
#include "pv/ptval.h"
#include "x86/pte.h"
#include "x86/smp.h"
#include "x86/tlb_space.h"

enum broken {
	WHOLE,
	NO_FLUSH_OF_OLD_TYPE,
	NO_FLUSH_AT_REUSE,
	NO_FLUSH_AT_UNMAP,
	NO_FLUSH_OF_OTHERS,
	NO_TYPE_PUT,
	NO_TYPE_GET,
	NO_SAVE_OF_REGISTERS,
	NO_LOAD_OF_XCR0,
	NO_DISARMING,
	NO_NOTE_OF_RELEASE,
	NO_NOTE_OF_FOREIGN,
	NO_CHANGE_OF_SHADOW,
	NO_END_OF_SHADOW,
	NO_DROP_OF_SHADOWS,
	NO_NOTE_OF_GRANTS,
	NR_BROKEN
};

static const char *const names[] = {
	[NO_FLUSH_OF_OLD_TYPE] = "no-flush-of-old-type",
	[NO_FLUSH_AT_REUSE] = "no-flush-at-reuse",
	[NO_FLUSH_AT_UNMAP] = "no-flush-at-unmap",
	[NO_FLUSH_OF_OTHERS] = "no-flush-of-others",	 [NO_TYPE_PUT] = "no-type-put",
	[NO_TYPE_GET] = "no-type-get",		 [NO_SAVE_OF_REGISTERS] = "no-save-of-registers",
	[NO_LOAD_OF_XCR0] = "no-load-of-xcr0",	 [NO_DISARMING] = "no-disarming",
	[NO_NOTE_OF_RELEASE] = "no-note-of-release",
	[NO_NOTE_OF_FOREIGN] = "no-note-of-foreign",
	[NO_CHANGE_OF_SHADOW] = "no-change-of-shadow",	 [NO_END_OF_SHADOW] = "no-end-of-shadow",
	[NO_DROP_OF_SHADOWS] = "no-drop-of-shadows",	 [NO_NOTE_OF_GRANTS] = "no-note-of-grants",
};
static enum broken broken;

int broken_select(const char *name)
{
	for (unsigned int i = 1; i < NR_BROKEN; i++)
		if (!strcmp(name, names[i])) {
			broken = (enum broken)i;
			return 0;
		}
	return -1;
}

const char *broken_name(unsigned int nr)
{
	return nr + 1 < NR_BROKEN ? names[nr + 1] : NULL;
}

/* Not each time: most flushes have nothing to flush, and a run must get somewhere before. */
static bool is_broken(enum broken what)
{
	return broken == what && cpu_random(8) == 0;
}

void __real_tlb_flush_stale(const struct tlb_space *owner, u32 stamp);
void __wrap_tlb_flush_stale(const struct tlb_space *owner, u32 stamp);
void __wrap_tlb_flush_stale(const struct tlb_space *owner, u32 stamp)
{
	if (!is_broken(NO_FLUSH_OF_OLD_TYPE))
		__real_tlb_flush_stale(owner, stamp);
}

void __real_tlb_flush_released(u32 stamp);
void __wrap_tlb_flush_released(u32 stamp);
/* Nearly always somebody else has flushed the CPU since: never. */
void __wrap_tlb_flush_released(u32 stamp)
{
	if (broken != NO_FLUSH_AT_REUSE)
		__real_tlb_flush_released(stamp);
}

/* What is not noted once may be the next time: never. */
void __real_tlb_note_released(struct tlb_space *s);
void __wrap_tlb_note_released(struct tlb_space *s);
void __wrap_tlb_note_released(struct tlb_space *s)
{
	if (broken != NO_NOTE_OF_RELEASE)
		__real_tlb_note_released(s);
}

void __real_tlb_note_foreign(struct tlb_space *s);
void __wrap_tlb_note_foreign(struct tlb_space *s);
void __wrap_tlb_note_foreign(struct tlb_space *s)
{
	if (broken != NO_NOTE_OF_FOREIGN)
		__real_tlb_note_foreign(s);
}

void __real_tlb_flush_domain(const struct domain *d);
void __wrap_tlb_flush_domain(const struct domain *d);
void __wrap_tlb_flush_domain(const struct domain *d)
{
	if (!is_broken(NO_FLUSH_AT_UNMAP))
		__real_tlb_flush_domain(d);
}

void __real_smp_request(u64 mask, enum cpu_request what, unsigned long va);
void __wrap_smp_request(u64 mask, enum cpu_request what, unsigned long va);
void __wrap_smp_request(u64 mask, enum cpu_request what, unsigned long va)
{
	if (what != CPU_REQUEST_FLUSH || !is_broken(NO_FLUSH_OF_OTHERS))
		__real_smp_request(mask, what, va);
}

void __real_pt_entry_put(u64 entry, unsigned int level, const struct frame *table);
void __wrap_pt_entry_put(u64 entry, unsigned int level, const struct frame *table);
void __wrap_pt_entry_put(u64 entry, unsigned int level, const struct frame *table)
{
	if (is_broken(NO_TYPE_PUT) && level == 1)
		entry &= ~PTE_RW;
	__real_pt_entry_put(entry, level, table);
}

int __real_frame_get_and_type(struct frame *f, const struct domain *d, enum frame_type type);
int __wrap_frame_get_and_type(struct frame *f, const struct domain *d, enum frame_type type);
int __wrap_frame_get_and_type(struct frame *f, const struct domain *d, enum frame_type type)
{
	int rc = __real_frame_get_and_type(f, d, type);

	if (!rc && type == FT_WR && is_broken(NO_TYPE_GET))
		frame_type_put(f);
	return rc;
}

void __real_fpu_switch_out(struct vcpu *v);
void __wrap_fpu_switch_out(struct vcpu *v);
void __wrap_fpu_switch_out(struct vcpu *v)
{
	if (!is_broken(NO_SAVE_OF_REGISTERS))
		__real_fpu_switch_out(v);
}

void __real_fpu_switch_in(struct vcpu *v);
void __wrap_fpu_switch_in(struct vcpu *v);
void __wrap_fpu_switch_in(struct vcpu *v)
{
	if (!is_broken(NO_LOAD_OF_XCR0))
		__real_fpu_switch_in(v);
}

void __real_pv_debug_unload(const struct pv_vcpu *pv);
void __wrap_pv_debug_unload(const struct pv_vcpu *pv);
void __wrap_pv_debug_unload(const struct pv_vcpu *pv)
{
	if (!is_broken(NO_DISARMING))
		__real_pv_debug_unload(pv);
}

void __real_logdirty_entry_changes(struct frame *f, unsigned int idx);
void __wrap_logdirty_entry_changes(struct frame *f, unsigned int idx);
void __wrap_logdirty_entry_changes(struct frame *f, unsigned int idx)
{
	if (!is_broken(NO_CHANGE_OF_SHADOW))
		__real_logdirty_entry_changes(f, idx);
}

void __real_logdirty_table_ends(struct frame *f);
void __wrap_logdirty_table_ends(struct frame *f);
void __wrap_logdirty_table_ends(struct frame *f)
{
	if (!is_broken(NO_END_OF_SHADOW))
		__real_logdirty_table_ends(f);
}

void __real_shadow_drop_all(struct domain *d);
void __wrap_shadow_drop_all(struct domain *d);
void __wrap_shadow_drop_all(struct domain *d)
{
	if (broken != NO_DROP_OF_SHADOWS)
		__real_shadow_drop_all(d);
}

int __real_gnttab_note_writers(const struct domain *d, u64 *cursor);
int __wrap_gnttab_note_writers(const struct domain *d, u64 *cursor);
int __wrap_gnttab_note_writers(const struct domain *d, u64 *cursor)
{
	return broken == NO_NOTE_OF_GRANTS ? 0 : __real_gnttab_note_writers(d, cursor);
}
