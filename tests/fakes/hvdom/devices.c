/* SPDX-License-Identifier: MIT */
/*
 * devices.c - the fakes of interrupt lines, clock, console, watchdog and power that domain/ and
 * hypercall/ run on.
 */
#include <stdlib.h>

#include "world.h"

#include "lib/boot_options.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "x86/acpi.h"
#include "x86/clock.h"
#include "x86/console.h"
#include "x86/cpu.h"
#include "x86/e820.h"
#include "x86/efi.h"
#include "x86/ioapic.h"
#include "x86/irq.h"
#include "x86/msi.h"
#include "x86/pci.h"
#include "x86/shutdown.h"
#include "x86/watchdog.h"

struct efi_facts efi_facts; /* a BIOS, until a test says otherwise */
struct boot_options boot_options = { .noreboot = true, .cmdline = "loglvl=all" };
char cpu_vendor[13] = "FakeCPUVendo";
unsigned int cpu_maxphys_bits = 40;
bool cpu_has_xsave, cpu_has_fsgsbase = true;

__attribute__((constructor)) static void memory_map_make(void)
{
	e820_add(&machine_e820, 0, (u64)WORLD_FRAMES << PAGE_SHIFT, E820_RAM);
}

void clock_get_params(struct clock_params *out)
{
	*out = (struct clock_params){ .tsc_base = 5, .ns_base = 7, .mul = 1u << 31, .shift = 1, .tsc_khz = 2000000 };
}

void clock_get_wall(u64 *sec, u32 *nsec)
{
	*sec = world.wall.sec ? world.wall.sec : 1700000000;
	*nsec = world.wall.sec ? world.wall.nsec : 5;
}

void clock_set_wall(u64 sec, u32 nsec, u64 system_time_ns)
{
	world.wall.sec = sec;
	world.wall.nsec = nsec;
	world.wall.system_ns = system_time_ns;
}

unsigned int gsi_count(void)
{
	return 24;
}

int gsi_setup(unsigned int gsi, bool level, bool active_low)
{
	world.gsi_set.gsi = gsi;
	world.gsi_set.level = level;
	world.gsi_set.active_low = active_low;
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
	world.eois[gsi]++;
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
	world.sleep.a = a;
	world.sleep.b = b;
	world.sleep.state = state;
	return 0;
}

static _Noreturn void machine_stop(char how)
{
	world.stopped_by = how;
	world.machine_stops++;
	if (!world.on_stop)
		abort();
	longjmp(*world.on_stop, 1);
}

void machine_halt(void)
{
	machine_stop('h');
}

void machine_reboot(void)
{
	machine_stop('r');
}

void machine_power_off(void)
{
	machine_stop('p');
}

void console_write_guest(domid_t domid, const char *buf, size_t len)
{
	len = MIN(len, sizeof(world.console) - world.console_len);
	memcpy(world.console + world.console_len, buf, len);
	world.console_len += len;
}

size_t console_read(char *buf, size_t len)
{
	size_t n = world.typed ? MIN(len, strlen(world.typed)) : 0;

	if (n) {
		memcpy(buf, world.typed, n);
		world.typed += n;
	}
	return n;
}

size_t conring_read(char *buf, size_t len, u32 *idx)
{
	size_t n = *idx < world.ring_len ? MIN(len, (size_t)(world.ring_len - *idx)) : 0;

	memcpy(buf, world.ring + *idx, n);
	*idx += n;
	return n;
}

void conring_clear(void)
{
	world.ring_len = 0;
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
	world.msi = *req;
	*line = world.msi_line;
	return world.msi_line ? 0 : -ENODEV;
}

void msi_unmap(unsigned int line)
{
	world.msi_unmapped = line;
}

void msi_restore(struct pci_device dev)
{
	world.msi_restored = dev;
	world.msi_restores++;
}
