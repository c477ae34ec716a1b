/* SPDX-License-Identifier: MIT */
/* test_msi.c - messages are written where the device has them, and nowhere else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/errno.h"
#include "lib/log.h"
#include "x86/e820.h"
#include "x86/ioports.h"
#include "x86/irq.h"
#include "x86/irq_route.h"
#include "x86/msi.h"
#include "x86/pagetable.h"
#include "x86/pci.h"

#define CAP_AT 0x80
#define NR_ENTRIES 4
#define RAM_END 0x80000000ULL
#define LAPIC 0xfee00000ULL
#define FIRST_LINE 24

static const struct pci_device card = { .bus = 2, .devfn = 0x18 };
static u8 config[256], cap_id;
static u32 table[NR_ENTRIES][4]; /* the card's, at bar + 0x800 */
static u64 bar;
static unsigned int next_line, nr_maps, restored;

/* --- the machine below --- */

void hv_log(enum log_level level, const char *fmt, ...)
{
	fail_msg("log: %s", fmt);
}

u32 pci_read32(struct pci_device dev, u8 reg)
{
	u32 v = ~0u;

	if (dev.bus == card.bus && dev.devfn == card.devfn)
		memcpy(&v, config + reg, 4);
	return v;
}

u16 pci_read16(struct pci_device dev, u8 reg)
{
	return (u16)(pci_read32(dev, reg & 0xfc) >> 8 * (reg & 2));
}

void pci_write32(struct pci_device dev, u8 reg, u32 value)
{
	memcpy(config + reg, &value, 4);
}

void pci_write16(struct pci_device dev, u8 reg, u16 value)
{
	memcpy(config + reg, &value, 2);
}

u8 pci_find_capability(struct pci_device dev, u8 id)
{
	return dev.bus == card.bus && dev.devfn == card.devfn && id == cap_id ? CAP_AT : 0;
}

void *ioremap(maddr_t ma, size_t len)
{
	assert_in_range(ma, bar + 0x800, bar + 0x800 + sizeof(table) - len);
	nr_maps++;
	return (u8 *)table + (ma - bar - 0x800);
}

bool mmio_is_hv(mfn_t mfn)
{
	return mfn_to_maddr(mfn) == LAPIC;
}

int irq_line_alloc(unsigned int *line)
{
	if (next_line >= GSI_LIMIT)
		return -ENOSPC;
	*line = next_line++;
	return 0;
}

void irq_line_free(unsigned int line)
{
}

void irq_line_restore(unsigned int line)
{
	restored |= 1u << (line - FIRST_LINE);
}

/* --- */

static void set_bar(u64 at)
{
	bar = at;
	pci_write32(card, PCI_BAR(4), (u32)at | 4); /* 64 bits wide */
	pci_write32(card, PCI_BAR(5), (u32)(at >> 32));
}

static int map(unsigned int entry, unsigned int *line)
{
	struct msi_request req = { .dev = card, .entry = entry, .table_base = bar };

	return msi_map(&req, line);
}

static int setup(void **state)
{
	machine_e820 = (struct e820_map){ .nr = 1, .entry = { { 0, RAM_END, E820_RAM } } };
	for (unsigned int i = FIRST_LINE; i < next_line; i++)
		msi_unmap(i);
	next_line = FIRST_LINE;
	restored = 0;
	memset(config, 0, sizeof(config));
	memset(table, 0, sizeof(table));
	cap_id = 0x11;
	pci_write16(card, PCI_COMMAND, PCI_COMMAND_MEMORY);
	pci_write16(card, CAP_AT + 2, 0x8000 | (NR_ENTRIES - 1));
	pci_write32(card, CAP_AT + 4, 0x800 | 4); /* the table, in BAR 4 */
	set_bar(0x1fe000000ULL);
	return 0;
}

static void test_an_entry_of_the_table_is_closed_until_it_is_written(void **state)
{
	const struct irq_route route = { .apic_id = 3, .vector = 0x51 };
	unsigned int line;

	assert_int_equal(map(2, &line), 0);
	assert_int_equal(table[2][3], 1);
	assert_int_equal(table[2][0], 0);

	msi_write(line, &route);
	assert_int_equal(table[2][0], 0xfee03000);
	assert_int_equal(table[2][1], 0);
	assert_int_equal(table[2][2], 0x51);
	assert_int_equal(table[2][3], 0);
	assert_int_equal(table[1][0] | table[3][0], 0);

	msi_mask(line, true);
	assert_int_equal(table[2][3], 1);
	msi_mask(line, false);
	assert_int_equal(table[2][3], 0);
	msi_unmap(line);
	assert_int_equal(table[2][3], 1);
}

static void test_what_the_device_has_not_is_refused(void **state)
{
	struct msi_request req = { .dev = card, .table_base = bar + 0x1000 };
	unsigned int line;

	assert_int_equal(map(NR_ENTRIES, &line), -EINVAL);
	assert_int_equal(map(~0u, &line), -EINVAL);
	assert_int_equal(msi_map(&req, &line), -EINVAL);
	req.table_base = 0; /* plain MSI, which it lacks */
	assert_int_equal(msi_map(&req, &line), -ENODEV);
	req.dev.bus++;
	assert_int_equal(msi_map(&req, &line), -ENODEV);
	pci_write16(card, PCI_COMMAND, 0);
	assert_int_equal(map(0, &line), -ENXIO);
}

static void test_an_entry_has_one_owner(void **state)
{
	unsigned int line, other;

	assert_int_equal(map(0, &line), 0);
	assert_int_equal(map(0, &other), -EBUSY);
	assert_int_equal(map(1, &other), 0);
	msi_unmap(line);
	assert_int_equal(map(0, &other), 0);
}

static void test_a_table_over_ram_or_the_hypervisors_registers_is_not_written(void **state)
{
	unsigned int line;

	set_bar(0x7fff0000);
	assert_int_equal(map(0, &line), -EINVAL);
	set_bar(LAPIC);
	pci_write32(card, CAP_AT + 4, 4); /* the table is where the BAR begins */
	assert_int_equal(map(0, &line), -EINVAL);
}

static void test_a_device_that_comes_and_goes_takes_no_more_mappings(void **state)
{
	unsigned int line, before;

	assert_int_equal(map(3, &line), 0);
	msi_unmap(line);
	before = nr_maps;
	for (int i = 0; i < 100; i++) {
		next_line = line; /* the number is free again */
		assert_int_equal(map(3, &line), 0);
		msi_unmap(line);
	}
	assert_int_equal(nr_maps, before);
}

static void test_a_device_whose_memory_is_off_is_left_alone(void **state)
{
	const struct irq_route route = { .vector = 0x60 };
	unsigned int line;

	assert_int_equal(map(0, &line), 0);
	pci_write16(card, PCI_COMMAND, 0);
	table[0][3] = 1;
	msi_write(line, &route);
	msi_mask(line, false);
	assert_int_equal(table[0][2], 0);
	assert_int_equal(table[0][3], 1);
	pci_write16(card, PCI_COMMAND, PCI_COMMAND_MEMORY);
}

static void test_plain_messages_go_to_the_capability_itself(void **state)
{
	const struct irq_route route = { .apic_id = 1, .vector = 0x77 };
	struct msi_request req = { .dev = card };
	unsigned int line;

	cap_id = 0x05;
	pci_write16(card, CAP_AT + 2, 0); /* 32-bit address: the data follows it */
	assert_int_equal(msi_map(&req, &line), 0);
	msi_write(line, &route);
	assert_int_equal(pci_read32(card, CAP_AT + 4), 0xfee01000);
	assert_int_equal(pci_read16(card, CAP_AT + 8), 0x77);

	pci_write16(card, CAP_AT + 2, 0x80);
	pci_write32(card, CAP_AT + 8, 0x12345678);
	msi_write(line, &route);
	assert_int_equal(pci_read32(card, CAP_AT + 8), 0);
	assert_int_equal(pci_read16(card, CAP_AT + 12), 0x77);
}

static void test_after_a_reset_the_devices_own_messages_are_written_again(void **state)
{
	unsigned int first, second;

	assert_int_equal(map(0, &first), 0);
	assert_int_equal(map(1, &second), 0);
	msi_unmap(first);

	msi_restore((struct pci_device){ .bus = 2, .devfn = 0x19 });
	assert_int_equal(restored, 0);
	msi_restore(card);
	assert_int_equal(restored, 1u << (second - FIRST_LINE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_an_entry_of_the_table_is_closed_until_it_is_written,
				       setup),
		cmocka_unit_test_setup(test_what_the_device_has_not_is_refused, setup),
		cmocka_unit_test_setup(test_an_entry_has_one_owner, setup),
		cmocka_unit_test_setup(
			test_a_table_over_ram_or_the_hypervisors_registers_is_not_written, setup),
		cmocka_unit_test_setup(test_a_device_that_comes_and_goes_takes_no_more_mappings,
				       setup),
		cmocka_unit_test_setup(test_a_device_whose_memory_is_off_is_left_alone, setup),
		cmocka_unit_test_setup(test_plain_messages_go_to_the_capability_itself, setup),
		cmocka_unit_test_setup(
			test_after_a_reset_the_devices_own_messages_are_written_again, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
