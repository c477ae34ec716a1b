/* SPDX-License-Identifier: MIT */
/*
 * clock.c - system time from the TSC, calibrated once at boot against the HPET or the PIT; wall
 * time is an offset to it. The local APIC timer is calibrated in the same stretch. Source: IA-PC
 * HPET specification 1.0a; Intel 8254 data sheet.
 */
#include "lib/log.h"
#include "x86/acpi.h"
#include "x86/apic.h"
#include "x86/asm.h"
#include "x86/clock.h"
#include "x86/cmos.h"
#include "x86/pagetable.h"

#define CALIBRATE_MS 20

#define HPET_PERIOD 0x04 /* femtoseconds a tick */
#define HPET_CONFIG 0x10
#define HPET_COUNTER 0xf0
#define HPET_CONFIG_ON 1
#define FS_PER_NS 1000000ULL

#define PIT_HZ 1193182u
#define PIT_CH2 0x42
#define PIT_MODE 0x43
#define PIT_GATE 0x61
#define PIT_CH2_MODE0 0xb0
#define GATE_ON 0x01
#define SPEAKER_ON 0x02
#define GATE_OUT 0x20

struct sample {
	u64 tsc, ref_ns;
	u32 apic;
};

static struct clock_params params;
static u64 wall_sec; /* wall time at system time 0 */
static u32 wall_nsec;
static volatile u32 *hpet;
static u32 hpet_period_fs;

/* Never called before clock_init() set the parameters with a result that matters. */
s_time_t now_ns(void)
{
	u64 delta = rdtsc() - params.tsc_base;

	delta = params.shift < 0 ? delta >> -params.shift : delta << params.shift;
	return (s_time_t)(params.ns_base + (u64)(((unsigned __int128)delta * params.mul) >> 32));
}

void clock_get_params(struct clock_params *out)
{
	*out = params;
}

/* The smallest of a few readings: an emulator may stop us between the two counters. */
static struct sample hpet_sample(void)
{
	struct sample best = { 0 };
	u64 best_gap = ~0ULL;

	for (int i = 0; i < 8; i++) {
		u64 before = rdtsc();
		u32 ticks = hpet[HPET_COUNTER / 4];
		u32 apic = apic_timer_read_raw();
		u64 after = rdtsc();

		if (after - before >= best_gap)
			continue;
		best_gap = after - before;
		best = (struct sample){ before + best_gap / 2, ticks, apic };
	}
	return best;
}

static void calibrate_hpet(struct sample *start, struct sample *end)
{
	u64 wait_ticks = CALIBRATE_MS * 1000000ULL * FS_PER_NS / hpet_period_fs;

	*start = hpet_sample();
	while ((u32)(hpet[HPET_COUNTER / 4] - (u32)start->ref_ns) < wait_ticks)
		cpu_relax();
	*end = hpet_sample();
	/* 32 bits of the counter last for many seconds; only now are they turned into time. */
	end->ref_ns = (u64)((u32)end->ref_ns - (u32)start->ref_ns) * hpet_period_fs / FS_PER_NS;
	start->ref_ns = 0;
}

static void calibrate_pit(struct sample *start, struct sample *end)
{
	u32 count = PIT_HZ * CALIBRATE_MS / 1000;

	outb(PIT_GATE, (u8)((inb(PIT_GATE) & ~SPEAKER_ON) | GATE_ON));
	outb(PIT_MODE, PIT_CH2_MODE0);
	outb(PIT_CH2, (u8)count);
	outb(PIT_CH2, (u8)(count >> 8));
	*start = (struct sample){ rdtsc(), 0, apic_timer_read_raw() };
	for (u32 i = 0; i < 10000000 && !(inb(PIT_GATE) & GATE_OUT); i++)
		;
	*end = (struct sample){ rdtsc(), count * 1000000000ULL / PIT_HZ, apic_timer_read_raw() };
}

static bool hpet_start(void)
{
	if (!acpi_facts.hpet)
		return false;
	hpet = ioremap(acpi_facts.hpet, 1024);
	if (!hpet)
		return false;
	hpet_period_fs = hpet[HPET_PERIOD / 4];
	if (hpet_period_fs < 100000 || hpet_period_fs > 100000000)
		return false; /* outside the specification's bounds */
	hpet[HPET_CONFIG / 4] |= HPET_CONFIG_ON;
	return true;
}

/* ns = (ticks shifted) * mul >> 32, with mul in the upper half of its range. */
static void set_scale(u64 tsc_hz)
{
	u64 hz = tsc_hz;
	s8 shift = 0;

	while (hz > 2000000000ULL) {
		hz >>= 1;
		shift--;
	}
	while (hz <= 1000000000ULL) {
		hz <<= 1;
		shift++;
	}
	params.shift = shift;
	params.mul = (u32)((1000000000ULL << 32) / hz);
	params.tsc_khz = tsc_hz / 1000;
}

void clock_init(void)
{
	struct sample start, end;
	const char *source = "HPET";
	u64 ns;

	apic_timer_start_raw(~0u);
	if (hpet_start()) {
		calibrate_hpet(&start, &end);
	} else {
		source = "PIT";
		calibrate_pit(&start, &end);
	}
	ns = end.ref_ns - start.ref_ns;
	if (!ns || end.tsc <= start.tsc || start.apic <= end.apic)
		hv_panic("clock: calibration against the %s failed", source);
	set_scale((end.tsc - start.tsc) * 1000000000ULL / ns);
	params.tsc_base = rdtsc();
	apic_timer_set_khz((u64)(start.apic - end.apic) * 1000000ULL / ns);
	apic_timer_start();
	wall_sec = cmos_read_seconds();
	log_info("clock: TSC %lu.%03lu MHz, calibrated by the %s", params.tsc_khz / 1000,
		 params.tsc_khz % 1000, source);
}

void clock_get_wall(u64 *sec, u32 *nsec)
{
	*sec = wall_sec;
	*nsec = wall_nsec;
}

void clock_set_wall(u64 sec, u32 nsec, u64 system_time_ns)
{
	u64 total = sec * 1000000000ULL + nsec - system_time_ns;

	wall_sec = total / 1000000000ULL;
	wall_nsec = (u32)(total % 1000000000ULL);
}
