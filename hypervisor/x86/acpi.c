/* SPDX-License-Identifier: MIT */
/*
 * acpi.c - reads the few ACPI tables the hypervisor itself needs (MADT, FADT, HPET) and enters
 * sleep states. Everything else of ACPI is dom0's. Tables come from firmware: lengths are checked,
 * so that a broken table is ignored with a message and not followed out of its bounds. Source:
 * ACPI 6.4, chapters 5.2 and 4.8.3.
 */
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "x86/acpi.h"
#include "x86/asm.h"
#include "x86/efi.h"
#include "x86/layout.h"
#include "x86/pagetable.h"

struct acpi_facts acpi_facts;
maddr_t boot_rsdp;

struct rsdp {
	char signature[8];
	u8 checksum;
	char oem[6];
	u8 revision;
	u32 rsdt;
	u32 length;
	u64 xsdt;
} __attribute__((packed));
#define RSDP_V1_SIZE 20

struct table_header {
	char signature[4];
	u32 length;
	u8 revision, checksum;
	char oem[6], oem_table[8];
	u32 oem_revision, creator, creator_revision;
};
_Static_assert(sizeof(struct table_header) == 36, "ACPI 5.2.6");
#define TABLE_MAX_LENGTH (4u << 20)

#define FADT_DSDT 40
#define FADT_PM1A_CNT 64
#define FADT_PM1B_CNT 68
#define FADT_FLAGS 112
#define FADT_RESET_REG 116
#define FADT_RESET_VALUE 128
#define FADT_FLAG_RESET (1u << 10)

#define MADT_LAPIC_ADDR 36
#define MADT_ENTRIES 44
#define MADT_CPU 0
#define MADT_CPU_ENABLED 1
#define MADT_X2APIC 9
#define MADT_IOAPIC 1
#define MADT_OVERRIDE 2
#define HPET_ADDR 44

#define SLP_EN (1u << 13)
#define SLP_TYP_SHIFT 10

static u8 checksum(const void *p, size_t len)
{
	const u8 *b = p;
	u8 sum = 0;

	while (len--)
		sum = (u8)(sum + *b++);
	return sum;
}

static maddr_t scan_rsdp(maddr_t start, maddr_t end)
{
	const u8 *p = ioremap(start, end - start);

	for (maddr_t at = 0; p && at + RSDP_V1_SIZE <= end - start; at += 16)
		if (!memcmp(p + at, "RSD PTR ", 8) && !checksum(p + at, RSDP_V1_SIZE))
			return start + at;
	return 0;
}

/* BIOS machines: first KiB of the extended BIOS data area, then the BIOS area. */
static maddr_t find_rsdp(void)
{
	const u16 *bda = ioremap(0x40e, 2);
	maddr_t ebda = bda ? (maddr_t)*bda << 4 : 0, at = 0;

	if (ebda >= 0x80000 && ebda < 0xa0000)
		at = scan_rsdp(ebda, ebda + 1024);
	return at ? at : scan_rsdp(0xe0000, 0x100000);
}

/* Maps a whole table; NULL: nonsense in its header. */
static const u8 *map_table(maddr_t at)
{
	const struct table_header *h = ioremap(at, sizeof(*h));

	if (!h || h->length < sizeof(*h) || h->length > TABLE_MAX_LENGTH)
		return NULL;
	return ioremap(at, h->length);
}

static u32 get32(const u8 *p, u32 off)
{
	u32 v;

	memcpy(&v, p + off, sizeof(v));
	return v;
}

static u64 get64(const u8 *p, u32 off)
{
	u64 v;

	memcpy(&v, p + off, sizeof(v));
	return v;
}

static void take_cpu(u32 apic_id, u32 acpi_id, u32 flags)
{
	unsigned int n = acpi_facts.nr_cpus;

	if (!(flags & MADT_CPU_ENABLED) || apic_id >= 0xff || n == ACPI_MAX_CPUS)
		return; /* xAPIC mode reaches ids below 255 */
	acpi_facts.cpu[n].apic_id = apic_id;
	acpi_facts.cpu[n].acpi_id = acpi_id;
	acpi_facts.nr_cpus = n + 1;
}

static void take_ioapic(const u8 *e)
{
	unsigned int n = acpi_facts.nr_ioapics;

	if (n == ACPI_MAX_IOAPICS)
		return;
	acpi_facts.ioapic[n].base = get32(e, 4);
	acpi_facts.ioapic[n].gsi_base = get32(e, 8);
	acpi_facts.nr_ioapics = n + 1;
}

static void take_override(const u8 *e)
{
	u8 irq = e[3];
	u16 flags = (u16)(e[8] | e[9] << 8);

	if (irq >= ARRAY_SIZE(acpi_facts.isa))
		return;
	acpi_facts.isa[irq].gsi = get32(e, 4);
	acpi_facts.isa[irq].active_low = (flags & 3) == 3;
	acpi_facts.isa[irq].level = (flags >> 2 & 3) == 3;
}

static void parse_madt(const u8 *t, u32 len)
{
	acpi_facts.lapic = get32(t, MADT_LAPIC_ADDR);
	for (u32 off = MADT_ENTRIES; off + 2 <= len && t[off + 1] >= 2; off += t[off + 1]) {
		if (off + t[off + 1] > len)
			break;
		if (t[off] == MADT_CPU && t[off + 1] >= 8)
			take_cpu(t[off + 3], t[off + 2], get32(t + off, 4));
		else if (t[off] == MADT_X2APIC && t[off + 1] >= 16)
			take_cpu(get32(t + off, 4), get32(t + off, 12), get32(t + off, 8));
		else if (t[off] == MADT_IOAPIC && t[off + 1] >= 12)
			take_ioapic(t + off);
		else if (t[off] == MADT_OVERRIDE && t[off + 1] >= 10)
			take_override(t + off);
	}
}

/* A small integer of AML: ZeroOp, OneOp, or BytePrefix and a byte. */
static const u8 *aml_byte(const u8 *p, u8 *value)
{
	if (*p == 0x0a)
		p++;
	*value = *p;
	return p + 1;
}

/*
 * The package \_S5 holds the sleep types for power-off. Looking for its encoded name is enough for
 * the one case it serves: turning the machine off when no dom0 can tell the values.
 */
static void find_s5(const u8 *dsdt, u32 len)
{
	for (u32 i = sizeof(struct table_header); i + 16 < len; i++) {
		const u8 *p = dsdt + i;

		if (memcmp(p, "_S5_", 4) || p[4] != 0x12)
			continue;
		p += 5;
		p += 1 + (*p >> 6); /* package length */
		p++;		    /* number of elements */
		aml_byte(aml_byte(p, &acpi_facts.s5_a), &acpi_facts.s5_b);
		return;
	}
}

static void parse_fadt(const u8 *t, u32 len)
{
	const u8 *dsdt;

	if (len < FADT_PM1B_CNT + 4)
		return;
	acpi_facts.pm1a_cnt = (u16)get32(t, FADT_PM1A_CNT);
	acpi_facts.pm1b_cnt = (u16)get32(t, FADT_PM1B_CNT);
	if (len > FADT_RESET_VALUE && (get32(t, FADT_FLAGS) & FADT_FLAG_RESET)) {
		acpi_facts.has_reset = true;
		acpi_facts.reset_space = t[FADT_RESET_REG];
		acpi_facts.reset_addr = get64(t, FADT_RESET_REG + 4);
		acpi_facts.reset_value = t[FADT_RESET_VALUE];
	}
	dsdt = map_table(get32(t, FADT_DSDT));
	if (dsdt)
		find_s5(dsdt, get32(dsdt, 4));
}

static void parse_hpet(const u8 *t, u32 len)
{
	if (len >= HPET_ADDR + 8)
		acpi_facts.hpet = get64(t, HPET_ADDR);
}

static void parse_table(maddr_t at)
{
	static const struct {
		char signature[5];
		void (*parse)(const u8 *t, u32 len);
	} parsers[] = {
		{ "APIC", parse_madt },
		{ "FACP", parse_fadt },
		{ "HPET", parse_hpet },
	};
	const u8 *t = map_table(at);

	if (!t) {
		log_warn("acpi: table at %lx has a bad length, ignored", at);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(parsers); i++)
		if (!memcmp(t, parsers[i].signature, 4))
			parsers[i].parse(t, get32(t, 4));
}

static void parse_root(const struct rsdp *r)
{
	bool wide = r->revision >= 2 && r->xsdt;
	const u8 *root = map_table(wide ? r->xsdt : r->rsdt);
	u32 len = root ? get32(root, 4) : 0, entry = wide ? 8 : 4;

	for (u32 off = sizeof(struct table_header); off + entry <= len; off += entry)
		parse_table(wide ? get64(root, off) : get32(root, off));
}

void acpi_init(maddr_t efi)
{
	const struct rsdp *r;

	acpi_facts.lapic = 0xfee00000;
	for (u32 i = 0; i < ARRAY_SIZE(acpi_facts.isa); i++)
		acpi_facts.isa[i].gsi = i;
	boot_rsdp = efi ? efi_find_rsdp(efi) : 0;
	if (!boot_rsdp)
		boot_rsdp = find_rsdp();
	if (!boot_rsdp) {
		log_error("acpi: no tables found");
		return;
	}
	r = ioremap(boot_rsdp, sizeof(*r));
	if (r)
		parse_root(r);
}

int acpi_enter_sleep(u16 pm1a_val, u16 pm1b_val, u8 sleep_state)
{
	if (sleep_state < 1 || sleep_state > 5)
		return -EINVAL;
	/* The way back from the others would be a restart of every CPU, without its guests. */
	if (sleep_state != 5)
		return -EOPNOTSUPP;
	if (!acpi_facts.pm1a_cnt)
		return -ENODEV;
	log_info("acpi: entering S%u", sleep_state);
	outw(acpi_facts.pm1a_cnt, pm1a_val | SLP_EN);
	if (acpi_facts.pm1b_cnt)
		outw(acpi_facts.pm1b_cnt, pm1b_val | SLP_EN);
	return 0;
}

bool acpi_power_off(void)
{
	return acpi_enter_sleep((u16)(acpi_facts.s5_a << SLP_TYP_SHIFT),
				(u16)(acpi_facts.s5_b << SLP_TYP_SHIFT), 5) == 0;
}

void acpi_reset(void)
{
	volatile u8 *reg;

	if (!acpi_facts.has_reset)
		return;
	if (acpi_facts.reset_space == 1) {
		outb((u16)acpi_facts.reset_addr, acpi_facts.reset_value);
	} else if (acpi_facts.reset_space == 0) {
		reg = ioremap(acpi_facts.reset_addr, 1);
		if (reg)
			*reg = acpi_facts.reset_value;
	}
}
