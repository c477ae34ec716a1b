/* SPDX-License-Identifier: MIT */
/*
 * zeroed.c - stands before domain_frames_alloc() (the linker's --wrap): memory that a domain is
 * given is zero, whoever had it.
 */
#include "machine.h"

#include "domain/domain.h"
#include "mm/frame.h"
#include "x86/layout.h"

int __real_domain_frames_alloc(struct domain *d, unsigned int order, unsigned int bits,
			       struct frame **out);
int __wrap_domain_frames_alloc(struct domain *d, unsigned int order, unsigned int bits,
			       struct frame **out);
int __wrap_domain_frames_alloc(struct domain *d, unsigned int order, unsigned int bits,
			       struct frame **out)
{
	int rc = __real_domain_frames_alloc(d, order, bits, out);
	const u64 *word;

	if (rc || !dom0)
		return rc;
	word = mfn_to_virt(frame_to_mfn(*out));
	for (u64 i = 0; i < PAGE_SIZE / sizeof(*word) << order; i++)
		if (word[i])
			machine_fail("domain %u is given a frame (%lu) that is not zero",
				     d->domain_id, (unsigned long)mfn_x(frame_to_mfn(*out)));
	return 0;
}
