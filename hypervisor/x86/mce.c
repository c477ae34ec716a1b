/* SPDX-License-Identifier: MIT */
/*
 * mce.c - machine checks: the CPU found broken hardware and nothing computed can be trusted any
 * more. Says what the CPU knows and ends the machine; errors the hardware corrected itself are not
 * collected. Source: Intel SDM vol. 3, chapter 15.
 */
#include "lib/log.h"
#include "x86/asm.h"
#include "x86/mce.h"
#include "x86/shutdown.h"

#define CPUID_1_EDX_MCA (1u << 14)
#define MSR_MCG_CAP 0x179u
#define MSR_MCG_STATUS 0x17au
#define MSR_MCG_CTL 0x17bu
#define MSR_BANK(n, what) (0x400u + 4 * (n) + (what))
#define MCG_CAP_BANKS 0xff
#define MCG_CAP_CTL (1UL << 8)
#define MAX_BANKS 32
#define STATUS_VALID (1UL << 63)
#define STATUS_MISC (1UL << 59)
#define STATUS_ADDRESS (1UL << 58)
/* Long enough for the CPU that knows to say it, roughly a second. */
#define WAIT_FOR_OTHERS 20000000

enum { BANK_CTL, BANK_STATUS, BANK_ADDRESS, BANK_MISC };

static unsigned int nr_banks; /* fixed after the boot CPU's mce_init() */

void mce_init(void)
{
	u32 a, b, c, d;
	u64 cap;

	cpuid(1, 0, &a, &b, &c, &d);
	if (!(d & CPUID_1_EDX_MCA) || rdmsr_safe(MSR_MCG_CAP, &cap))
		return;
	nr_banks = MIN((unsigned int)(cap & MCG_CAP_BANKS), (unsigned int)MAX_BANKS);
	if (cap & MCG_CAP_CTL)
		wrmsr_safe(MSR_MCG_CTL, ~0ULL);
	for (unsigned int i = 0; i < nr_banks; i++) {
		wrmsr_safe(MSR_BANK(i, BANK_CTL), ~0ULL);
		wrmsr_safe(MSR_BANK(i, BANK_STATUS), 0);
	}
}

static u64 bank_read(unsigned int bank, unsigned int what)
{
	u64 value = 0;

	return rdmsr_safe(MSR_BANK(bank, what), &value) ? 0 : value;
}

void mce_handle(const struct cpu_user_regs *regs)
{
	u64 global = 0;

	rdmsr_safe(MSR_MCG_STATUS, &global);
	for (unsigned int i = 0; i < nr_banks; i++) {
		u64 status = bank_read(i, BANK_STATUS);

		if (status & STATUS_VALID)
			hv_panic_at(regs,
				    "machine check: bank %u status %016lx address %lx misc %lx, "
				    "global status %lx: replace the hardware",
				    i, status,
				    status & STATUS_ADDRESS ? bank_read(i, BANK_ADDRESS) : 0,
				    status & STATUS_MISC ? bank_read(i, BANK_MISC) : 0, global);
	}
	/* Every CPU gets it, one has the reason. */
	for (unsigned int i = 0; i < WAIT_FOR_OTHERS; i++)
		cpu_relax();
	hv_panic_at(regs, "machine check without a reason, global status %lx", global);
}
