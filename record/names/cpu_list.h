/* SPDX-License-Identifier: MIT */
/*
 * cpu_list.h - lists of the machine's CPUs as xl writes them: "all,^0", "0-3,^2", "node:0". Pure.
 */
#ifndef STOREVISOR_CPU_LIST_H
#define STOREVISOR_CPU_LIST_H

#include <stddef.h>
#include <stdint.h>

#define CPU_LIST_CPUS_MAX 256
#define CPU_LIST_BYTES (CPU_LIST_CPUS_MAX / 8)

/* One list into @map, a bit a CPU. 0; -EINVAL for anything else and for a list without a CPU. */
int cpu_list_parse(const char *text, uint8_t map[CPU_LIST_BYTES]);

/*
 * The list of virtual CPU @vcpu out of @text, lists with one blank between: one alone is for every
 * virtual CPU; of several each has its own, those beyond the last are "all". 0; -EINVAL.
 */
int cpu_list_of(const char *text, unsigned int vcpu, uint8_t map[CPU_LIST_BYTES]);

/*
 * Writes to @out what @text is with @list for virtual CPU @vcpu (of @nr), or for all of them with
 * @vcpu = @nr. 0; -EINVAL when @text or @list is none; -E2BIG.
 */
int cpu_list_set(const char *text, unsigned int vcpu, unsigned int nr, const char *list, char *out,
		 size_t size);

#endif
