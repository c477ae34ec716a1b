/* SPDX-License-Identifier: MIT */
/*
 * fuzz_hypercall.c - any hypercall with any arguments, in any order, by any of three domains: the
 * books stay right, and nothing is lost.
 */
#include "fuzz_hv.h"

#include <xen/platform.h>
#include <xen/sysctl.h>

#include "domain/gnttab.h"

#define REFS 16

static u8 *take_place(size_t len)
{
	return fuzz_memory + (take(2) * 8) % (sizeof(fuzz_memory) - len);
}

static void write_values(u64 op)
{
	unsigned int nr = 1 + (op & 7);
	u64 *word = (u64 *)take_place(nr * sizeof(*word));

	for (unsigned int i = 0; i < nr; i++)
		word[i] = take_value();
}

static void write_bytes(u64 op)
{
	unsigned int nr = 4 * (1 + (op & 7));
	u8 *at = take_place(nr);

	for (unsigned int i = 0; i < nr; i++)
		at[i] = (u8)take(1);
}

/* What the calls of the control interfaces begin with. */
static void write_head(u64 op)
{
	static const u32 version[] = { XEN_DOMCTL_INTERFACE_VERSION, XEN_SYSCTL_INTERFACE_VERSION,
				       XENPF_INTERFACE_VERSION, 0 };
	u32 *at = (u32 *)take_place(16);

	at[0] = (u32)take(1);
	at[1] = version[op & 3];
	at[2] = (u32)take(1) & 7;
	at[3] = 0;
}

/* The guest's own shared table holds whatever it likes. */
static void write_grant(u64 op)
{
	grant_entry_v1_t *e = &current->domain->gnttab->shared[0][op % REFS];
	u64 b = take(1);

	e->frame = b & 0x80 ? (u32)take(4) : take_frame();
	e->domid = (domid_t)(b >> 5 & 3);
	e->flags = b & 0x10 ? (u16)take(2) :
			      GTF_permit_access | (u16)(b & 1 ? GTF_readonly : 0);
}

static void touch(u64 op)
{
	u64 b = take(1), value;

	if (op & 1)
		guest_write(b % NR_VAS, (u32)(op >> 1 & 7), take_entry());
	else
		guest_read(b % NR_VAS, 0, &value);
}

static void time_passes(u64 op)
{
	machine_advance((s_time_t)(op & 3) << 16);
	if (op & 4)
		pv_deliver_pending(guest_regs());
	if (op & 16)
		fuzz_want_domain(op >> 3 & 1 ? 2 : (domid_t)(op & 1));
}

static void step(void)
{
	u64 op = take(1), a[4];

	switch (op >> 5) {
	case 0:
	case 1:
		for (unsigned int i = 0; i < 4; i++)
			a[i] = take_value();
		fuzz_hypercall(op, a[0], a[1], a[2], a[3]);
		break;
	case 2:
		write_values(op);
		break;
	case 3:
		write_bytes(op);
		break;
	case 4:
		write_head(op);
		break;
	case 5:
		write_grant(op);
		break;
	case 6:
		touch(op);
		break;
	default:
		time_passes(op);
		break;
	}
}

int fuzz_one(const uint8_t *data, size_t size)
{
	fuzz_hv_run(data, size, step, NULL);
	return 0;
}
