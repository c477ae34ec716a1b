/* SPDX-License-Identifier: MIT */
/*
 * devices.c - the fakes of interrupt lines, clock, console, watchdog and power that domain/ and
 * hypercall/ run on.
 */
#include <stdlib.h>

#include "world.h"

#include "lib/boot_options.h"
#include "lib/errno.h"
#include "x86/e820.h"
#include "x86/machine.h"

struct e820_map machine_e820 = {.nr = 1, .entry = {{0, (u64)WORLD_FRAMES << PAGE_SHIFT, E820_RAM}}};
struct boot_options boot_options = {.noreboot = true, .cmdline = "loglvl=all"};
char cpu_vendor[13] = "FakeCPUVendo";
unsigned int cpu_maxphys_bits = 40;
bool cpu_has_xsave, cpu_has_fsgsbase = true;

void clock_get_params(struct clock_params *out)
{
	*out = (struct clock_params){.tsc_base = 5, .ns_base = 7, .mul = 1u << 31, .shift = 1};
}

void clock_get_wall(u64 *sec, u32 *nsec)
{
	*sec = 1700000000;
	*nsec = 5;
}

void clock_set_wall(u64 sec, u32 nsec, u64 system_time_ns)
{
}

unsigned int gsi_count(void)
{
	return 24;
}

int gsi_setup(unsigned int gsi, bool level, bool active_low)
{
	return 0;
}

int gsi_bind_guest(unsigned int gsi)
{
	if (world.gsi_bound[gsi])
		return -EBUSY;
	world.gsi_bound[gsi] = 1;
	return 0;
}

void gsi_unbind_guest(unsigned int gsi)
{
	world.gsi_bound[gsi] = 0;
}

void gsi_guest_eoi(unsigned int gsi)
{
}

bool gsi_needs_eoi(unsigned int gsi)
{
	return gsi >= 9;
}

int ioapic_guest_read(u64 base, u32 reg, u32 *value)
{
	*value = reg;
	return 0;
}

int acpi_enter_sleep(u16 a, u16 b, u8 state)
{
	world.machine_stops++;
	return 0;
}

static _Noreturn void machine_stop(void)
{
	world.machine_stops++;
	if (!world.on_stop)
		abort();
	longjmp(*world.on_stop, 1);
}

void machine_halt(void)
{
	machine_stop();
}

void machine_reboot(void)
{
	machine_stop();
}

void machine_power_off(void)
{
	machine_stop();
}

void console_write_guest(domid_t domid, const char *buf, size_t len)
{
}

size_t console_read(char *buf, size_t len)
{
	return 0;
}

size_t conring_read(char *buf, size_t len, u32 *idx)
{
	return 0;
}

void conring_clear(void)
{
}

/* --- watchdog.c --- */

bool watchdog_is_on(void)
{
	return false;
}

bool gsi_is_msi(unsigned int gsi)
{
	return gsi >= gsi_count();
}

void irq_print(void)
{
}

int msi_map(const struct msi_request *req, unsigned int *line)
{
	return -ENODEV;
}

void msi_unmap(unsigned int line)
{
}

void msi_restore(struct pci_device dev)
{
}
