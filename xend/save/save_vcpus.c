/* SPDX-License-Identifier: MIT */
/* save_vcpus.c - a suspended domain's virtual CPUs and clock, as records of stream.h. */
#include <errno.h>
#include <string.h>

#include "save_priv.h"
#include "stream.h"

#define FPU_MAX 16384u

/* From mfns to pfns, all that a context names. */
static int translate_context(struct save *s, unsigned int vcpu, struct vcpu_guest_context *c)
{
	uint64_t top = save_pfn_of(s, xen_cr3_to_pfn(c->ctrlreg[3]));
	uint64_t user = c->ctrlreg[1] ? save_pfn_of(s, xen_cr3_to_pfn(c->ctrlreg[1])) : 0;
	/* SCHEDOP_shutdown's third argument: the frame of start_info */
	uint64_t start = vcpu ? 0 : save_pfn_of(s, c->user_regs.rdx);

	if (top == PV_NO_FRAME || user == PV_NO_FRAME || start == PV_NO_FRAME)
		return -EFAULT;
	c->ctrlreg[3] = xen_pfn_to_cr3(top);
	if (c->ctrlreg[1])
		c->ctrlreg[1] = user << 12 | 1;
	if (!vcpu)
		c->user_regs.rdx = start;
	for (unsigned int i = 0; i * 512 < c->gdt_ents && i < 16; i++) {
		c->gdt_frames[i] = save_pfn_of(s, c->gdt_frames[i]);
		if (c->gdt_frames[i] == PV_NO_FRAME)
			return -EFAULT;
	}
	return 0;
}

static int put_vcpu(struct save *s, unsigned int i)
{
	const struct stream_vcpu id = { i, 0 };
	static const char what[] = "the hypervisor does not give its virtual CPUs";
	struct vcpu_guest_context ctx;
	uint8_t ext[HV_CALLBACKS_SIZE], fpu[FPU_MAX], msrs[HV_MSRS_MAX * HV_MSR_SIZE];
	size_t fpu_len = sizeof(fpu), msrs_len = sizeof(msrs);
	int err = hv_domain_get_vcpu(s->hv, s->domid, i, &ctx);

	if (!err)
		err = hv_vcpu_get_callbacks(s->hv, s->domid, i, ext);
	if (!err)
		err = hv_vcpu_get_fpu(s->hv, s->domid, i, fpu, &fpu_len);
	if (!err)
		err = hv_vcpu_get_msrs(s->hv, s->domid, i, msrs, &msrs_len);
	if (err)
		return save_fail(s, err, what);
	if (translate_context(s, i, &ctx))
		return worker_fail(&s->worker, -EFAULT,
				   "virtual CPU %u uses frames that are not the domain's", i);
	err = save_put_record(s, STREAM_VCPU_BASIC, &id, sizeof(id), &ctx, sizeof(ctx));
	if (!err)
		err = save_put_record(s, STREAM_VCPU_EXTENDED, &id, sizeof(id), ext, sizeof(ext));
	if (!err && fpu_len)
		err = save_put_record(s, STREAM_VCPU_XSAVE, &id, sizeof(id), fpu, fpu_len);
	if (!err && msrs_len)
		err = save_put_record(s, STREAM_VCPU_MSRS, &id, sizeof(id), msrs, msrs_len);
	return err;
}

int save_put_vcpus(struct save *s)
{
	struct hv_vcpu info;
	int err = 0;

	for (unsigned int i = 0; !err && i < RECORD_VCPUS_MAX; i++) {
		if (hv_vcpu_info(s->hv, s->domid, i, &info) == 0 && info.online)
			err = put_vcpu(s, i);
	}
	return err;
}

int save_put_clock(struct save *s)
{
	struct hv_clock clock;
	int err = hv_domain_get_clock(s->hv, s->domid, &clock);
	struct stream_tsc tsc;

	if (err)
		return save_fail(s, err, "the hypervisor does not give its clock");
	tsc = (struct stream_tsc){ clock.mode, clock.khz, clock.elapsed_ns, clock.incarnation, 0 };
	return save_put_record(s, STREAM_TSC_INFO, &tsc, sizeof(tsc), NULL, 0);
}
