/* SPDX-License-Identifier: MIT */
/* clock.h - time by the TSC, calibrated against the PIT or HPET at boot (clock.c). */
#ifndef HV_X86_CLOCK_H
#define HV_X86_CLOCK_H

#include "lib/types.h"

/* Boot: calibrates TSC and APIC timer, reads the CMOS clock. */
void clock_init(void);

s_time_t now_ns(void);
/* Parameters for vcpu_time_info: ns = ((tsc - tsc_base) << shift or >> -shift) * mul >> 32 +
 * ns_base. */
struct clock_params {
	u64 tsc_base, ns_base;
	u32 mul;
	s8 shift;
	u64 tsc_khz;
};
void clock_get_params(struct clock_params *out);
/* Seconds and ns of wall time at now_ns() == 0 (CMOS at boot; XENPF_settime64 later). */
void clock_get_wall(u64 *sec, u32 *nsec);
void clock_set_wall(u64 sec, u32 nsec, u64 system_time_ns);

#endif
