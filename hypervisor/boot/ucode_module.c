/* SPDX-License-Identifier: MIT */
/* ucode_module.c - see ucode_module.h. */
#include "boot/ucode_module.h"

#include "boot/bootmem.h"
#include "lib/cpio.h"
#include "lib/log.h"
#include "lib/string.h"
#include "x86/layout.h"
#include "x86/ucode.h"

#define MAX_SIZE (16u << 20) /* far above any, and far below what a machine has */

unsigned int ucode_module(const struct boot_info *info, const struct boot_options *o)
{
	int nr = (int)info->nr_modules, n = o->ucode_module;

	if (n < 0)
		n += nr;
	return n > 0 && n < nr ? (unsigned int)n : 0;
}

/* What the vendor gives, in module @i; NULL: it has none. */
static const void *file_in(const struct boot_info *info, const struct boot_options *o,
			   unsigned int i, const char *name, u64 *len)
{
	const struct boot_module *m = &info->module[i];
	const void *data = maddr_to_virt(m->start);

	*len = m->len;
	if (i == ucode_module(info, o))
		return data;
	return o->ucode_scan ? cpio_find(data, m->len, name, len) : NULL;
}

static void *copy_of(const void *update, u64 size)
{
	return memcpy(maddr_to_virt(bootmem_alloc(size, PAGE_SIZE)), update, size);
}

void ucode_find(const struct boot_info *info, const struct boot_options *o)
{
	const void *file = NULL, *update = NULL;
	struct ucode_cpu cpu;
	char vendor[13];
	const char *name;
	u64 len, size;
	u32 revision;

	if (!o->ucode_scan && !o->ucode_module)
		return;
	cpu = ucode_this_cpu(vendor);
	name = ucode_file_name(vendor);
	for (unsigned int i = 1; name && !file && i < info->nr_modules; i++)
		file = file_in(info, o, i, name, &len);
	if (file)
		update = ucode_pick(file, len, &cpu, &size, &revision);
	if (update && size <= MAX_SIZE)
		ucode_set(copy_of(update, size), revision);
	else
		log_info("microcode: revision %x stays: %s", cpu.revision,
			 !name ? "nobody makes any for this CPU" :
			 file  ? "there is none newer for this CPU" :
				 "no module has any");
}
