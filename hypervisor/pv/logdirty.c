/* SPDX-License-Identifier: MIT */
/*
 * logdirty.c - see logdirty.h. Owns pv_domain.log, FT_LOGGED, and FRAME_WRITTEN's meaning.
 *
 * An operation is a list of steps, each of which may stop and go on; the domain is paused from the
 * first to the last, so what its vcpus may write cannot change between the step that takes it away
 * and the one that reads. Others go on: what they have mapped is noted before it is read, and what
 * they let go of meanwhile is noted then.
 */
#include "pv/logdirty.h"

#include "domain/frame_ref.h"
#include "domain/gnttab.h"
#include "domain/preempt.h"
#include "lib/errno.h"
#include "mm/frame.h"
#include "pv/context.h"
#include "pv/sweep.h"
#include "x86/guest_access.h"
#include "x86/layout.h"
#include "x86/tlb.h"
#include "x86/pte.h"

/* of the domain's memory a page of the pool, beside what its vcpus need */
#define FRAMES_PER_SHADOW 128
#define SHADOWS_MAX 4096      /* beside that */
/* bytes of the answer made zero between two looks whether others wait */
#define CLEAR_STEP 65536
#define RECORDS_PER_CHECK 1024
#define BITS 64 /* of the answer that are gathered before they are written */

typedef int (*step_fn)(struct domain *d, struct logdirty_report *r);

/* --- the lists --- */

struct operation {
	enum logdirty_op op;
	const step_fn *steps;
	unsigned int nr_steps;
};
#define OPERATION(o, s) {.op = (o), .steps = (s), .nr_steps = ARRAY_SIZE(s)}

static int run(struct domain *d, const struct operation *o, struct logdirty_report *r)
{
	struct log_dirty *log = d->pv.log;
	int rc = 0;

	if (log->op == LOGDIRTY_IDLE) {
		log->op = o->op;
		log->step = 0;
		log->cursor = 0;
		domain_pause(d);
	}
	if (log->op != o->op)
		return -EBUSY;
	while (!rc && log->step < o->nr_steps) {
		rc = o->steps[log->step](d, r);
		if (rc == -ERESTART)
			return rc;
		log->cursor = 0;
		log->step++;
	}
	log->op = LOGDIRTY_IDLE;
	domain_unpause(d);
	return rc;
}

/* --- into the mode, and out of it --- */

static bool is_table(const struct frame *f)
{
	return frame_type_of(f) >= FT_L1 && frame_type_of(f) <= FT_L4 && frame_type_count(f) &&
	       f->type & FT_VALID;
}

static int step_make_pool(struct domain *d, struct logdirty_report *unused)
{
	u64 nr = MIN(d->tot_pages / FRAMES_PER_SHADOW, (u64)SHADOWS_MAX) +
		 SHADOWS_PER_VCPU * d->nr_vcpus_max;

	if (!d->pv.log->pool && page_alloc_free_frames() < nr)
		return -ENOMEM;
	return shadow_pool_make(&d->pv.log->pool, (u32)nr);
}

/*
 * Before what was noted of a frame is forgotten: whoever let go of a foreign frame, and noted that,
 * may still write it by what a CPU remembers that has not flushed since.
 */
static void flush_others(const struct domain *d)
{
	tlb_flush_stale(&d->tlb, tlb_clock());
}

static int frame_begin(struct frame *f, void *unused)
{
	f->ref &= ~FRAME_WRITTEN;
	if (is_table(f) && !(f->type & FT_LOGGED)) {
		f->type |= FT_LOGGED;
		f->shadow = 0;
	}
	return 0;
}

static int step_begin(struct domain *d, struct logdirty_report *unused)
{
	d->pv.log->is_on = true; /* tables made from now on are LOGGED */
	flush_others(d);
	return sweep_frames(d, &d->pv.log->cursor, frame_begin, NULL);
}

/* The tables that the mode, as it is now, gives a vcpu. */
static void vcpu_load(struct vcpu *v)
{
	struct pv_vcpu *pv = &v->pv;

	logdirty_vcpu_init(v);
	pv->kernel_cr3 = pv->cr3_kernel ? pv_cr3_of(pv->cr3_kernel) : 0;
	pv->user_cr3 = pv->cr3_user ? pv_cr3_of(pv->cr3_user) : 0;
}

static int step_load(struct domain *d, struct logdirty_report *unused)
{
	for (unsigned int i = 0; i < d->nr_vcpus_max; i++)
		if (d->vcpu[i])
			vcpu_load(d->vcpu[i]);
	return 0;
}

/* Tables stay LOGGED, without shadows, until the next step; none becomes it any more. */
static int step_free_pool(struct domain *d, struct logdirty_report *unused)
{
	d->pv.log->is_on = false;
	step_load(d, NULL);
	return shadow_pool_free(&d->pv.log->pool);
}

static int frame_end(struct frame *f, void *unused)
{
	if (is_table(f))
		f->type &= ~FT_LOGGED;
	return 0;
}

static int step_end(struct domain *d, struct logdirty_report *unused)
{
	return sweep_frames(d, &d->pv.log->cursor, frame_end, NULL);
}

static const step_fn enable_steps[] = { step_make_pool, step_begin, step_load };
static const step_fn off_steps[] = { step_free_pool, step_end };

static void log_free(struct domain *d)
{
	xfree(d->pv.log);
	d->pv.log = NULL;
}

int logdirty_enable(struct domain *d)
{
	static const struct operation enable = OPERATION(LOGDIRTY_ENABLE, enable_steps);
	int rc;

	if (d->is_dying || (d->pv.log && d->pv.log->op == LOGDIRTY_IDLE))
		return -EINVAL;
	if (!d->pv.log) {
		d->pv.log = xzalloc_obj(struct log_dirty);
		if (!d->pv.log)
			return -ENOMEM;
	}
	rc = run(d, &enable, NULL);
	if (rc == -ENOMEM) {
		/* others took it meanwhile: rare enough to be undone in one go */
		while (shadow_pool_free(&d->pv.log->pool) == -ERESTART)
			;
		log_free(d);
	}
	return rc;
}

int logdirty_disable(struct domain *d)
{
	static const struct operation off = OPERATION(LOGDIRTY_OFF, off_steps);
	int rc;

	if (d->is_dying || !d->pv.log)
		return 0;
	rc = run(d, &off, NULL);
	if (!rc)
		log_free(d);
	return rc;
}

int logdirty_end(struct domain *d)
{
	int rc;

	if (!d->pv.log)
		return 0;
	d->pv.log->is_on = false;
	rc = shadow_pool_free(&d->pv.log->pool);
	if (!rc)
		log_free(d);
	return rc;
}

u32 logdirty_nr_pages(const struct domain *d)
{
	return d->pv.log && d->pv.log->pool ? d->pv.log->pool->nr : 0;
}

/* --- tables --- */

void logdirty_vcpu_init(struct vcpu *v)
{
	v->pv.fault_range = v->domain->pv.log && v->domain->pv.log->is_on ? 0 : GUEST_VA_SIZE;
}

u64 logdirty_cr3_of(struct frame *l4)
{
	struct domain *d = frame_owner(l4);

	if (d->pv.log && d->pv.log->is_on)
		return shadow_of_l4(d, l4);
	return mfn_to_maddr(frame_to_mfn(l4));
}

void logdirty_table_begins(struct frame *f)
{
	if (!frame_owner(f)->pv.log->is_on)
		return;
	f->type |= FT_LOGGED;
	f->shadow = 0;
	/* What was sent as data is to be sent as a table, whose entries name pages by pfn; and back. */
	frame_note_write(f);
}

void logdirty_table_ends(struct frame *f)
{
	struct domain *d = frame_owner(f);

	/* a dying domain has no shadows any more */
	if (d->pv.log)
		shadow_forget(d, f);
	f->type &= ~FT_LOGGED;
	frame_note_write(f);
}

void logdirty_entry_changes(struct frame *f, unsigned int idx)
{
	struct domain *d = frame_owner(f);

	frame_note_write(f);
	if (d->pv.log)
		shadow_entry_forget(d, f, idx);
}

/* --- the question --- */

static int step_clear_bitmap(struct domain *d, struct logdirty_report *r)
{
	u64 *at = &d->pv.log->cursor, len = r->bitmap ? (r->nr_pages + 7) / 8 : 0;

	d->pv.log->dirty_count = 0;
	while (*at < len) {
		u64 n = MIN(len - *at, (u64)CLEAR_STEP);

		if (clear_guest(r->bitmap + *at, n))
			return -EFAULT;
		*at += n;
		if (*at < len && hypercall_should_preempt())
			return -ERESTART;
	}
	return 0;
}

/* Granted frames that somebody may write now. */
static int step_grants(struct domain *d, struct logdirty_report *r)
{
	return gnttab_note_writers(d, &d->pv.log->cursor);
}

/* True: @table, FOREIGN, has entries that are not its owner's own. */
static bool foreign_note(const struct frame *table, const struct domain *d)
{
	const u64 *entry = mfn_to_virt(frame_to_mfn(table));
	bool has_any = false;

	for (unsigned int i = 0; i < PT_ENTRIES; i++) {
		u64 e = READ_ONCE(entry[i]);
		struct frame *f;

		if ((e & (PTE_P | PTE_RW | PTE_GRANT)) != (PTE_P | PTE_RW) ||
		    !mfn_is_ram(pte_mfn(e)))
			continue;
		f = mfn_to_frame(pte_mfn(e));
		has_any |= f->owner != table->owner;
		if (f->owner == d->domain_id)
			frame_note_write(f);
	}
	return has_any;
}

static bool is_foreign(const struct frame *f)
{
	return unlikely(f->type & FT_FOREIGN) && f->owner < DOMID_FIRST_RESERVED &&
	       !(f->ref & FRAME_FREE) &&
	       frame_type_of(f) == FT_L1 && frame_type_count(f);
}

/* Frames that are in other domains' tables, writable. */
static int step_foreign(struct domain *d, struct logdirty_report *r)
{
	u64 *at = &d->pv.log->cursor;

	while (*at < frame_table_nr) {
		struct frame *f = &frame_table[*at];
		bool is_table = is_foreign(f);

		if (is_table && !foreign_note(f, d))
			f->type &= ~FT_FOREIGN;
		/* to look through a table takes as long as to pass by so many records */
		if ((++*at % RECORDS_PER_CHECK == 0 || is_table) && hypercall_should_preempt())
			return -ERESTART;
	}
	return 0;
}

/* What the hypervisor writes whenever it likes. */
static int step_vcpus(struct domain *d, struct logdirty_report *r)
{
	for (unsigned int i = 0; i < d->nr_vcpus_max; i++)
		if (d->vcpu[i] && d->vcpu[i]->vcpu_info_frame)
			frame_note_write(d->vcpu[i]->vcpu_info_frame);
	return 0;
}

static int step_drop(struct domain *d, struct logdirty_report *r)
{
	shadow_drop_all(d);
	return 0;
}

/* The answer: what a step knows of it, and bits that are not in the guest's memory yet. */
struct answer {
	struct log_dirty *log;
	const struct logdirty_report *r;
	bool is_clean;
	u64 first, bits; /* of pages first, first + 1, ...; 0: none */
};

static int answer_write(struct answer *a)
{
	u64 va = a->r->bitmap + a->first / 8, len = MIN((a->r->nr_pages - a->first + 7) / 8, 8ULL),
	    old = 0;

	if (!a->bits)
		return 0;
	if (copy_from_guest(&old, va, len))
		return -EFAULT;
	old |= a->bits;
	a->bits = 0;
	return copy_to_guest(va, &old, len);
}

static int answer_put(struct answer *a, u64 pfn)
{
	int rc = 0;

	if (pfn / BITS * BITS != a->first) {
		rc = answer_write(a);
		a->first = pfn / BITS * BITS;
	}
	a->bits |= 1ULL << pfn % BITS;
	return rc;
}

static int frame_tell(struct frame *f, void *arg)
{
	struct answer *a = arg;
	u64 pfn = m2p_get(frame_to_mfn(f));

	if (!(f->ref & FRAME_WRITTEN) && !a->log->all_written)
		return 0;
	if (a->r->bitmap) {
		if (pfn >= a->r->nr_pages) {
			frame_note_write(f);
			return 0;
		}
		if (answer_put(a, pfn))
			return -EFAULT;
	}
	a->log->dirty_count++;
	if (a->is_clean)
		f->ref &= ~FRAME_WRITTEN;
	return 0;
}

static int tell(struct domain *d, struct logdirty_report *r, bool is_clean)
{
	struct log_dirty *log = d->pv.log;
	struct answer a = { .log = log, .r = r, .is_clean = is_clean };
	int rc, written;

	if (is_clean)
		flush_others(d);
	rc = sweep_frames(d, &log->cursor, frame_tell, &a);
	written = answer_write(&a);
	if (written)
		rc = written;
	if (is_clean && rc != -ERESTART)
		log->all_written = rc != 0;
	return rc;
}

static int step_tell(struct domain *d, struct logdirty_report *r)
{
	return tell(d, r, false);
}

static int step_tell_and_clean(struct domain *d, struct logdirty_report *r)
{
	return tell(d, r, true);
}

static int step_count(struct domain *d, struct logdirty_report *r)
{
	r->fault_count = d->pv.log->fault_count;
	r->dirty_count = d->pv.log->dirty_count;
	return 0;
}

static int step_count_again(struct domain *d, struct logdirty_report *r)
{
	step_count(d, r);
	d->pv.log->fault_count = 0;
	return 0;
}

static const step_fn peek_steps[] = {
	step_clear_bitmap, step_grants, step_foreign, step_vcpus, step_tell, step_count,
};
static const step_fn clean_steps[] = {
	step_clear_bitmap, step_grants,		step_foreign,	  step_vcpus,
	step_drop,	   step_tell_and_clean, step_count_again,
};

int logdirty_report(struct domain *d, struct logdirty_report *r, bool is_clean)
{
	static const struct operation ops[] = { OPERATION(LOGDIRTY_PEEK, peek_steps),
						OPERATION(LOGDIRTY_CLEAN, clean_steps) };

	if (d->is_dying || !d->pv.log)
		return -EINVAL;
	return run(d, &ops[is_clean], r);
}
