/* SPDX-License-Identifier: MIT */
/*
 * ucode.c - see ucode.h. The CPU itself looks whether its vendor made an update; what is looked at
 * here is only which, and that nothing outside the file is read. Sources: Intel SDM vol. 3, chapter
 * 10.11; for AMD's containers Linux' arch/x86/kernel/cpu/microcode/amd.c.
 */
#include "x86/ucode.h"

#include "lib/log.h"
#include "lib/string.h"
#include "x86/asm.h"
#include "x86/cpu.h"

#define MSR_PLATFORM_ID 0x17u
#define PLATFORM_SHIFT 50
#define MSR_UCODE_WRITE 0x79u
#define MSR_UCODE_REV 0x8bu
#define MSR_AMD_PATCH_LOADER 0xc0010020u

static const void *chosen; /* fixed after boot; NULL: none */
static u32 chosen_revision, chosen_signature;

const char *ucode_file_name(const char *vendor)
{
	if (!strcmp(vendor, "GenuineIntel"))
		return "kernel/x86/microcode/GenuineIntel.bin";
	if (!strcmp(vendor, "AuthenticAMD"))
		return "kernel/x86/microcode/AuthenticAMD.bin";
	return NULL;
}

/* --- Intel: updates, one behind the other --- */

struct intel_header {
	u32 header_version, revision, date, signature, checksum, loader_version, platforms;
	u32 data_size, total_size, reserved[3];
};
_Static_assert(sizeof(struct intel_header) == 48, "Intel SDM vol. 3, table 10-7");
#define INTEL_DEFAULT_DATA 2000u

/* Behind the data: others that the same update is for. */
struct intel_extension {
	u32 nr, checksum, reserved[3];
};
struct intel_extended {
	u32 signature, platforms, checksum;
};

static bool is_for(const struct ucode_cpu *cpu, u32 signature, u32 platforms)
{
	return signature == cpu->signature && (!platforms || platforms & cpu->platform);
}

static bool intel_is_for(const struct ucode_cpu *cpu, const u8 *at, u64 data_end, u64 total)
{
	struct intel_header h;
	struct intel_extension x;

	memcpy(&h, at, sizeof(h));
	if (is_for(cpu, h.signature, h.platforms))
		return true;
	if (total - data_end < sizeof(x))
		return false;
	memcpy(&x, at + data_end, sizeof(x));
	for (u64 off = data_end + sizeof(x); x.nr && off + sizeof(struct intel_extended) <= total;
	     x.nr--, off += sizeof(struct intel_extended)) {
		struct intel_extended e;

		memcpy(&e, at + off, sizeof(e));
		if (is_for(cpu, e.signature, e.platforms))
			return true;
	}
	return false;
}

/* All words of an update add up to 0. */
static bool intel_is_whole(const u8 *at, u64 total)
{
	u32 sum = 0, word;

	for (u64 off = 0; off < total; off += sizeof(word)) {
		memcpy(&word, at + off, sizeof(word));
		sum += word;
	}
	return sum == 0;
}

static const void *intel_pick(const u8 *at, u64 len, const struct ucode_cpu *cpu, u64 *size,
			      u32 *revision)
{
	const void *best = NULL;
	struct intel_header h;
	u64 data_end, total;

	*revision = cpu->revision;
	for (; len >= sizeof(h); at += total, len -= total) {
		memcpy(&h, at, sizeof(h));
		data_end = sizeof(h) + (u64)(h.data_size ? h.data_size : INTEL_DEFAULT_DATA);
		total = h.data_size ? h.total_size : data_end;
		if (h.header_version != 1 || data_end > total || total > len || total % sizeof(u32))
			break;
		if (h.revision > *revision && h.loader_version == 1 &&
		    intel_is_for(cpu, at, data_end, total) &&
		    intel_is_whole(at, total)) {
			best = at;
			*size = total;
			*revision = h.revision;
		}
	}
	return best;
}

/* --- AMD: containers, each a table of which CPUs are alike, and updates for those --- */

#define AMD_MAGIC 0x00414d44u
#define AMD_TABLE 0u
#define AMD_UPDATE 1u

struct amd_section {
	u32 type, size;
};

struct amd_alike {
	u32 signature, errata_mask, errata_compare;
	u16 id, reserved;
};
_Static_assert(sizeof(struct amd_alike) == 16, "Linux' struct equiv_cpu_entry");

struct amd_header {
	u32 date, revision;
	u16 data_id;
	u8 data_len, init_flag;
	u32 checksum, northbridge, southbridge; /* not 0: for boards with those only */
	u16 id;
	u8 reserved[38];
};
_Static_assert(sizeof(struct amd_header) == 64, "Linux' struct microcode_header_amd");

/* The number that updates name the CPU by; 0: the table has none. */
static u16 amd_id(const u8 *table, u64 size, u32 signature)
{
	struct amd_alike a;

	for (u64 off = 0; off + sizeof(a) <= size; off += sizeof(a)) {
		memcpy(&a, table + off, sizeof(a));
		if (a.signature == signature)
			return a.id;
	}
	return 0;
}

/* Some of AMD's family 10h hang when they are given anything newer (Linux, the same file). */
static bool is_final(u32 revision)
{
	return revision == 0x01000098 || revision == 0x0100009f || revision == 0x010000af;
}

static const void *amd_pick(const u8 *at, u64 len, const struct ucode_cpu *cpu, u64 *size,
			    u32 *revision)
{
	const void *best = NULL;
	struct amd_section s;
	struct amd_header h;
	u32 magic;
	u16 id = 0;

	*revision = cpu->revision;
	if (is_final(cpu->revision))
		return NULL;
	while (len >= sizeof(s)) {
		memcpy(&magic, at, sizeof(magic));
		if (magic == AMD_MAGIC) { /* another container: its table is next */
			at += sizeof(magic);
			len -= sizeof(magic);
			id = 0;
			continue;
		}
		memcpy(&s, at, sizeof(s));
		at += sizeof(s);
		len -= sizeof(s);
		if (s.type > AMD_UPDATE || s.size > len)
			break;
		if (s.type == AMD_TABLE) {
			id = amd_id(at, s.size, cpu->signature);
		} else if (id && s.size >= sizeof(h)) {
			memcpy(&h, at, sizeof(h));
			if (h.id == id && !h.northbridge && !h.southbridge &&
			    h.revision > *revision) {
				best = at;
				*size = s.size;
				*revision = h.revision;
			}
		}
		at += s.size;
		len -= s.size;
	}
	return best;
}

const void *ucode_pick(const void *data, u64 len, const struct ucode_cpu *cpu, u64 *size,
		       u32 *revision)
{
	return (cpu->is_amd ? amd_pick : intel_pick)(data, len, cpu, size, revision);
}

/* --- this CPU --- */

static u32 revision_of(bool is_amd)
{
	u32 a, b, c, d;
	u64 val;

	if (!is_amd) {
		/* it is told by CPUID, into what was 0 before */
		if (wrmsr_safe(MSR_UCODE_REV, 0))
			return 0;
		cpuid(1, 0, &a, &b, &c, &d);
	}
	if (rdmsr_safe(MSR_UCODE_REV, &val))
		return 0;
	return (u32)(is_amd ? val : val >> 32);
}

struct ucode_cpu ucode_this_cpu(char vendor[13])
{
	struct ucode_cpu cpu = { 0 };
	u32 a, b, c, d;
	u64 val;

	cpuid(0, 0, &a, &b, &c, &d);
	memcpy(vendor, &b, 4);
	memcpy(vendor + 4, &d, 4);
	memcpy(vendor + 8, &c, 4);
	vendor[12] = '\0';
	cpu.is_amd = !strcmp(vendor, "AuthenticAMD");
	cpuid(1, 0, &cpu.signature, &b, &c, &d);
	if (!cpu.is_amd && !rdmsr_safe(MSR_PLATFORM_ID, &val))
		cpu.platform = 1u << (val >> PLATFORM_SHIFT & 7);
	cpu.revision = revision_of(cpu.is_amd);
	return cpu;
}

void ucode_set(const void *update, u32 revision)
{
	char vendor[13];

	chosen = update;
	chosen_revision = revision;
	chosen_signature = ucode_this_cpu(vendor).signature;
}

/* Siblings share it, but an AMD may change what is a thread's own only for who is told. */
static bool has_it(const struct ucode_cpu *cpu)
{
	return cpu->revision > chosen_revision || (cpu->revision == chosen_revision && !cpu->is_amd);
}

bool ucode_load(void)
{
	char vendor[13];
	struct ucode_cpu cpu;
	u64 at = (u64)(uintptr_t)chosen;
	u32 now;

	if (!chosen)
		return true;
	cpu = ucode_this_cpu(vendor);
	if (has_it(&cpu))
		return true;
	now = cpu.revision;
	if (cpu.signature == chosen_signature &&
	    !wrmsr_safe(cpu.is_amd ? MSR_AMD_PATCH_LOADER : MSR_UCODE_WRITE,
			cpu.is_amd ? at : at + sizeof(struct intel_header)))
		now = revision_of(cpu.is_amd);
	if (now == chosen_revision) {
		if (now != cpu.revision)
			log_info("microcode: revision %x, was %x", now, cpu.revision);
		return true;
	}
	log_warn("microcode: revision %x is not taken, it stays %x", chosen_revision, now);
	return false;
}
