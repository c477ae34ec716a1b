/* SPDX-License-Identifier: MIT */
/*
 * granted.h - own memory that domain 0 has granted to itself, so that a grant copy names it by
 * reference. By address, Linux looks each page up in the page tables and pins it, for each copy:
 * twice what the copy itself costs.
 *
 * Linux bounds how many such pages there are on the machine (xen_gntalloc's limit); what was not to
 * be had is ordinary memory, and copies to and from it go by address.
 */
#ifndef BACKENDS_GRANTED_H
#define BACKENDS_GRANTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct granted {
	char *mem;	       /* page-aligned */
	size_t nr_pages;       /* all of it */
	size_t nr_granted;     /* of these, the first ones */
	uint32_t *ref;	       /* of each granted page */
};

/*
 * Makes @nr_pages pages of zeroes, of which the first @nr_wanted are granted if Linux allows it:
 * all of these or none. The granted ones take memory at once, the others when they are used. Opens
 * a device and closes it: before rights are given up. 0 or -ENOMEM.
 */
int granted_make(struct granted *g, size_t nr_pages, size_t nr_wanted);
/* No copy may be under way. Nothing, of what was never made (zeroes). */
void granted_drop(struct granted *g);

/*
 * Is [@mem, @mem + @len) granted, and within one page, as a copy by reference has to be? Then *@ref
 * and *@offset say where.
 */
bool granted_find(const struct granted *g, const void *mem, size_t len, uint32_t *ref,
		  uint32_t *offset);

#endif
