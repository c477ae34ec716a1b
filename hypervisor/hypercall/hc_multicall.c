/* SPDX-License-Identifier: MIT */
/*
 * hc_multicall.c - many hypercalls in one: each entry goes through the same table as a single
 * call. A restart continues at the first entry not finished. ABI: xen/xen.h, struct
 * multicall_entry.
 */
#include "domain/preempt.h"
#include "hypercall/handlers.h"
#include "lib/errno.h"
#include "x86/guest_access.h"

_Static_assert(sizeof(struct multicall_entry) == 64, "xen/xen.h: struct multicall_entry");

/* An entry that wants to go on later: its new arguments replace the old ones in the list. */
static int entry_save(u64 va, const struct multicall_entry *e, const struct hc_args *args)
{
	struct multicall_entry again = *e;

	for (unsigned int i = 0; i < 6; i++)
		again.args[i] = args->a[i];
	return copy_to_guest(va, &again, sizeof(again));
}

long hc_multicall(struct hc_args *a)
{
	u64 list = a->a[0];
	u32 nr = (u32)a->a[1];

	if (!guest_range_ok(list, nr, sizeof(struct multicall_entry)))
		return -EFAULT;
	for (u32 i = 0; i < nr; i++) {
		u64 va = list + (u64)i * sizeof(struct multicall_entry);
		struct multicall_entry e;
		struct hc_args args = { 0 };
		long result;

		if (i && hypercall_should_preempt()) {
			a->a[0] = va;
			a->a[1] = nr - i;
			return -ERESTART;
		}
		if (copy_from_guest(&e, va, sizeof(e)))
			return -EFAULT;
		for (unsigned int j = 0; j < 6; j++)
			args.a[j] = e.args[j];
		result = hypercall_call(e.op, &args, true);
		if (result == -ERESTART) {
			if (entry_save(va, &e, &args))
				return -EFAULT;
			a->a[0] = va;
			a->a[1] = nr - i;
			return -ERESTART;
		}
		if (!result)
			result = args.value;
		if (copy_to_guest(va + offsetof(struct multicall_entry, result), &result,
				  sizeof(result)))
			return -EFAULT;
	}
	return 0;
}
