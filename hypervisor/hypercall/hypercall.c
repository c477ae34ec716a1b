/* SPDX-License-Identifier: MIT */
/*
 * hypercall.c - THE table of hypercalls, and the one dispatcher behind `syscall` from a guest
 * kernel. Owns restarts: a handler never touches the guest's registers for its result. ABI:
 * xen/xen.h.
 */
#include "hypercall/hypercall.h"

#include "domain/domain.h"
#include "hypercall/handlers.h"
#include "lib/errno.h"
#include "lib/nospec.h"
#include "lib/string.h"
#include "pv/enter.h"
#include "pv/pv.h"
#include "x86/lock.h"
#include "x86/probe.h"

/* Calls by dom0 only; everybody else gets -EPERM before any argument is looked at. */
#define HCF_PRIVILEGED (1u << 0)
/* Not inside a multicall: it would change what the multicall itself relies on. */
#define HCF_NO_MULTICALL (1u << 1)
/*
 * Touches nothing but the calling vcpu's own registers and fields that no other CPU reads while it
 * runs, and guest memory by address: needs no lock.
 */
#define HCF_OWN (1u << 2)

struct hypercall {
	hc_handler_t handler;
	u32 flags;
	const char *name;
};

#define HC(n, fl) [__HYPERVISOR_##n] = { .handler = hc_##n, .flags = (fl), .name = #n }

static const struct hypercall hypercall_table[] = {
	HC(set_trap_table, 0),
	HC(mmu_update, 0),
	HC(set_gdt, 0),
	HC(stack_switch, HCF_OWN),
	HC(set_callbacks, 0),
	HC(fpu_taskswitch, HCF_OWN),
	HC(sched_op_compat, 0),
	HC(platform_op, HCF_PRIVILEGED),
	HC(set_debugreg, HCF_OWN),
	HC(get_debugreg, HCF_OWN),
	HC(update_descriptor, 0),
	HC(memory_op, 0),
	HC(multicall, HCF_NO_MULTICALL),
	HC(update_va_mapping, 0),
	HC(set_timer_op, 0),
	HC(event_channel_op_compat, 0),
	HC(xen_version, HCF_OWN),
	HC(console_io, 0),
	HC(physdev_op_compat, 0),
	HC(grant_table_op, 0),
	HC(vm_assist, 0),
	HC(update_va_mapping_otherdomain, 0),
	HC(iret, HCF_NO_MULTICALL | HCF_OWN),
	HC(vcpu_op, 0),
	HC(set_segment_base, HCF_OWN),
	HC(mmuext_op, 0),
	HC(nmi_op, 0),
	HC(sched_op, 0),
	HC(callback_op, 0),
	HC(xenpmu_op, 0),
	HC(event_channel_op, 0),
	HC(physdev_op, 0),
	HC(sysctl, HCF_PRIVILEGED),
	HC(domctl, HCF_PRIVILEGED),
	HC(hypfs_op, HCF_PRIVILEGED),
};

/* In checked builds only: a handler returns how it went, and nothing else. */
static inline void check_status(long status)
{
	if (status > 0 || (status < -HC_ERRNO_MAX && status != HC_REGS_SET))
		CHECKED_BUG();
}

/* How it went: 0, a negative errno, -ERESTART, HC_REGS_SET. */
static inline __attribute__((always_inline)) long call(u64 nr, struct hc_args *args,
						       bool in_multicall)
{
	const struct hypercall *h;
	long result;

	if (unlikely(nr >= ARRAY_SIZE(hypercall_table) || !hypercall_table[nr].handler))
		return -ENOSYS;
	h = table_nospec(hypercall_table, nr);
	if (unlikely(h->flags)) {
		if (h->flags & HCF_PRIVILEGED && !current->domain->is_privileged)
			return -EPERM;
		if (h->flags & HCF_NO_MULTICALL && in_multicall)
			return -EINVAL;
		if (h->flags & HCF_OWN) {
			result = h->handler(args);
			check_status(result);
			return result;
		}
	}
	result = pv_enter();
	if (unlikely(result))
		return result;
	if (unlikely(probe_is_on))
		probe_hypercall(nr, args->a[0]);
	result = h->handler(args);
	pv_leave();
	check_status(result);
	return result;
}

long hypercall_call(u64 nr, struct hc_args *args, bool in_multicall)
{
	return call(nr, args, in_multicall);
}

const char *hypercall_name(u64 nr)
{
	return nr < ARRAY_SIZE(hypercall_table) ? hypercall_table[nr].name : NULL;
}

static void call_and_return(struct cpu_user_regs *regs)
{
	struct hc_args args = {
		.a = { regs->rdi, regs->rsi, regs->rdx, regs->r10, regs->r8, regs->r9 }};
	long status = call(regs->rax, &args, false);

	if (likely(!status)) {
		regs->rax = args.value;
		return;
	}
	if (status == HC_REGS_SET)
		return;
	if (status != -ERESTART) {
		regs->rax = status;
		return;
	}
	/* Again, from where the arguments now say, once softirqs and events had their turn. */
	regs->rdi = args.a[0];
	regs->rsi = args.a[1];
	regs->rdx = args.a[2];
	regs->r10 = args.a[3];
	regs->r8 = args.a[4];
	regs->r9 = args.a[5];
	regs->rip -= 2; /* length of `syscall` */
}

void hypercall_entry(struct cpu_user_regs *regs)
{
	/* Of all calls the most frequent: no arguments, and nothing for the dispatcher to do. */
	if (regs->rax == __HYPERVISOR_iret)
		hc_iret(NULL);
	else
		call_and_return(regs);
}

/* --- the hypercall page --- */

#define STUB_SIZE 32

/* push rcx; push r11; mov $nr, eax; syscall; pop r11; pop rcx; ret */
static void stub_fill(u8 *stub, u32 nr)
{
	static const u8 code[] = { 0x51, 0x41, 0x53, 0xb8, 0,	0,    0,
				   0,	0x0f, 0x05, 0x41, 0x5b, 0x59, 0xc3 };

	memcpy(stub, code, sizeof(code));
	memcpy(stub + 4, &nr, sizeof(nr));
}

/* push rcx; push r11; push rax; mov $nr, eax; syscall: the frame iret expects, and no way back */
static void stub_fill_iret(u8 *stub, u32 nr)
{
	static const u8 code[] = { 0x51, 0x41, 0x53, 0x50, 0xb8, 0, 0, 0, 0, 0x0f, 0x05 };

	memcpy(stub, code, sizeof(code));
	memcpy(stub + 5, &nr, sizeof(nr));
}

void hypercall_page_fill(u8 *page)
{
	memset(page, 0xcc, PAGE_SIZE);
	for (u32 nr = 0; nr < PAGE_SIZE / STUB_SIZE; nr++)
		if (nr == __HYPERVISOR_iret)
			stub_fill_iret(page + nr * STUB_SIZE, nr);
		else
			stub_fill(page + nr * STUB_SIZE, nr);
}
