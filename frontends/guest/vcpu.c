/* SPDX-License-Identifier: MIT */
/* vcpu.c - starting vcpus by VCPUOP_initialise. ABI: xen/vcpu.h. */
#include "guest/vcpu.h"

#include "guest/hypercall.h"
#include "guest/mm.h"
#include "guest/traps.h"

void vcpu_entry(void);
void vcpu_start(void *job) __attribute__((noreturn));

struct job {
	unsigned int id;
	void (*fn)(void *);
	void *arg;
};

/* First C code of a further vcpu; the job lies at the bottom of its stack page. */
void vcpu_start(void *job)
{
	const struct job *j = job;

	traps_init_vcpu();
	j->fn(j->arg);
	for (;;)
		hc_vcpu(VCPUOP_down, j->id, NULL);
}

void vcpu_context(struct vcpu_guest_context *ctx, unsigned int id, void (*fn)(void *), void *arg)
{
	struct job *job = page_alloc();

	*job = (struct job){ id, fn, arg };
	memset(ctx, 0, sizeof(*ctx));
	ctx->flags = VGCF_in_kernel;
	ctx->user_regs.rip = (unsigned long)vcpu_entry;
	ctx->user_regs.rsp = (unsigned long)job + PAGE_SIZE;
	ctx->user_regs.rdi = (unsigned long)job;
	ctx->user_regs.rflags = 0x200;
	ctx->user_regs.cs = FLAT_KERNEL_CS;
	ctx->user_regs.ss = FLAT_KERNEL_SS;
	ctx->kernel_ss = FLAT_KERNEL_SS;
	ctx->kernel_sp = ctx->user_regs.rsp;
	ctx->ctrlreg[3] = xen_pfn_to_cr3(virt_to_mfn(pt_base()));
}

long vcpu_run(unsigned int id, void (*fn)(void *), void *arg)
{
	static struct vcpu_guest_context ctx; /* larger than a page */
	long rc;

	shared_info->vcpu_info[id].evtchn_upcall_mask = 1;
	vcpu_context(&ctx, id, fn, arg);
	rc = hc_vcpu(VCPUOP_initialise, id, &ctx);
	return rc ? rc : hc_vcpu(VCPUOP_up, id, NULL);
}

long vcpu_is_up(unsigned int id)
{
	return hc_vcpu(VCPUOP_is_up, id, NULL);
}
