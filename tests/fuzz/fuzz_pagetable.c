/* SPDX-License-Identifier: MIT */
/*
 * fuzz_pagetable.c - any contents in page tables of any level, by each way there is to put them
 * there: written before the page is a table, by mmu_update and update_va_mapping, by a store that
 * traps; pinned, loaded, given back and exchanged meanwhile.
 */
#include "fuzz_hv.h"

#include <xen/memory.h>

#include "pv/insn.h"
#include "pv/ptwr.h"
#include "x86/lock.h"

static void store(u64 op)
{
	u64 b = take(1);

	guest_write(b % NR_VAS, (u32)(op & 7), take_entry());
}

static void touch(u64 op)
{
	u64 value;

	guest_read((u32)take(1) % NR_VAS, (u32)(op & 7), &value);
}

/* Up to eight entries in one call; now and then another domain's. */
static void update(u64 op)
{
	struct mmu_update *req = (struct mmu_update *)fuzz_memory;
	u32 nr = 1 + (op & 7), foreign = DOMID_SELF;

	for (u32 i = 0; i < nr; i++) {
		req[i].ptr = take_slot();
		req[i].val = take_entry();
	}
	if (op & 8) {
		u64 b = take(1);

		foreign = (u32)(b & 3) | (u32)(b >> 4 & 3) << 16;
	}
	fuzz_hypercall(__HYPERVISOR_mmu_update, FUZZ_PTR(req), nr, 0, foreign);
}

static void ext(u32 cmd, u64 arg1, u64 arg2, u32 foreign)
{
	struct mmuext_op *e = (struct mmuext_op *)fuzz_memory;

	*e = (struct mmuext_op){ .cmd = cmd };
	e->arg1.mfn = arg1;
	e->arg2.src_mfn = arg2;
	fuzz_hypercall(__HYPERVISOR_mmuext_op, FUZZ_PTR(e), 1, 0, foreign);
}

static void pin(u64 op)
{
	u32 foreign = op & 8 ? (u32)take(1) & 3 : DOMID_SELF;

	ext(MMUEXT_PIN_L1_TABLE + (op & 3), take_frame(), 0, foreign);
}

static void other_ext(u64 op)
{
	static const u32 cmds[] = {
		MMUEXT_UNPIN_TABLE,	MMUEXT_UNPIN_TABLE,  MMUEXT_NEW_BASEPTR,
		MMUEXT_NEW_USER_BASEPTR, MMUEXT_CLEAR_PAGE,   MMUEXT_COPY_PAGE,
		MMUEXT_TLB_FLUSH_LOCAL, MMUEXT_INVLPG_ALL,
	};
	u32 cmd = cmds[op & 7];
	u64 arg1 = cmd == MMUEXT_INVLPG_ALL ? va_of(take(1) % NR_VAS) : take_frame();

	ext(cmd, arg1, take_frame(), DOMID_SELF);
}

static void va_mapping(u64 op)
{
	static const u64 flush[] = { UVMF_NONE, UVMF_NONE, UVMF_INVLPG | UVMF_LOCAL,
				     UVMF_TLB_FLUSH | UVMF_ALL };
	u64 va = va_of(take(1) % NR_VAS), entry = take_entry();

	fuzz_hypercall(__HYPERVISOR_update_va_mapping, va, entry, flush[op & 3], 0);
}

/* mov %rax,(%rdi) to a table mapped read-only. */
static void trapped_store(u64 op)
{
	static const u8 code[] = { 0x48, 0x89, 0x07 };
	u64 at = va_of(take(1) % NR_VAS) + (op & 15) * 8;
	struct cpu_user_regs regs = { .rip = FUZZ_PTR(fuzz_memory), .rdi = at, .cs = FLAT_KERNEL_CS };

	regs.rax = take_entry();
	memcpy(fuzz_memory, code, sizeof(code));
	if (pv_ptwr_fault(&regs, at) && regs.rip != FUZZ_PTR(fuzz_memory))
		FUZZ_CHECK(regs.rip == FUZZ_PTR(fuzz_memory) + sizeof(code));
}

static void reservation(u64 op)
{
	struct xen_memory_reservation *r = (struct xen_memory_reservation *)fuzz_memory;
	xen_pfn_t *frame = (xen_pfn_t *)(fuzz_memory + 64);

	*r = (struct xen_memory_reservation){ .nr_extents = 1 + (op & 3), .domid = DOMID_SELF };
	for (u32 i = 0; i < r->nr_extents; i++)
		frame[i] = take_frame();
	set_xen_guest_handle(r->extent_start, frame);
	fuzz_hypercall(__HYPERVISOR_memory_op,
		       op & 8 ? XENMEM_decrease_reservation : XENMEM_populate_physmap,
		       FUZZ_PTR(r), 0, 0);
}

static void exchange(u64 op)
{
	struct xen_memory_exchange *x = (struct xen_memory_exchange *)fuzz_memory;
	xen_pfn_t *in = (xen_pfn_t *)(fuzz_memory + 256), *out = in + 8;
	u32 nr = 1 + (op & 1);

	*x = (struct xen_memory_exchange){ .in = { .nr_extents = nr, .domid = DOMID_SELF },
					   .out = { .nr_extents = nr, .domid = DOMID_SELF } };
	for (u32 i = 0; i < nr; i++) {
		in[i] = take_frame();
		out[i] = 100 + i;
	}
	set_xen_guest_handle(x->in.extent_start, in);
	set_xen_guest_handle(x->out.extent_start, out);
	fuzz_hypercall(__HYPERVISOR_memory_op, XENMEM_exchange, FUZZ_PTR(x), 0, 0);
}

static void yield(u64 op)
{
	fuzz_want_domain(op % FUZZ_DOMAINS);
}

static void step(void)
{
	static void (*const kinds[16])(u64 op) = {
		store, store, update, update, update, pin, pin, other_ext, other_ext,
		va_mapping, va_mapping, trapped_store, touch, reservation, exchange, yield,
	};
	u64 op = take(1);

	kinds[op >> 4](op & 15);
}

int fuzz_one(const uint8_t *data, size_t size)
{
	fuzz_hv_run(data, size, step, NULL);
	return 0;
}
