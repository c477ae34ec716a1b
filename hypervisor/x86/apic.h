/* SPDX-License-Identifier: MIT */
/* apic.h - the local APIC: its timer, and interrupts between CPUs (apic.c). */
#ifndef HV_X86_APIC_H
#define HV_X86_APIC_H

#include "lib/types.h"

/* Vectors of the hypervisor's own interrupts. */
#define VECTOR_TIMER 0xf0
#define VECTOR_KICK 0xf1    /* leave the guest: a softirq or an event is there */
#define VECTOR_REQUEST 0xf2 /* smp.c: serve what is in cpu_info.requests */
#define VECTOR_ERROR 0xfe
#define VECTOR_SPURIOUS 0xff

/* Every CPU, at boot: enabled, timer stopped. */
void apic_init(void);
void apic_eoi(void);
u32 apic_id(void);

/* Programs the local APIC timer for an absolute deadline; <= 0: stop. Fires SOFTIRQ_TIMER. */
void apic_timer_set(s_time_t deadline_ns);
void apic_timer_start_raw(u32 count);
u32 apic_timer_read_raw(void);
/* Ticks a second, found by clock_init(). */
void apic_timer_set_khz(u64 khz);
/* On every CPU, once the ticks are known: lets the timer interrupt. */
void apic_timer_start(void);
/* Interrupts between CPUs, by APIC id. */
void apic_send(u32 apic_id, u8 vector);
void apic_send_init(u32 apic_id);
/* @page: number of the real-mode page to start at. */
void apic_send_startup(u32 apic_id, u8 page);
void apic_send_nmi_to_others(void);

#endif
