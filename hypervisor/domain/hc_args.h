/* SPDX-License-Identifier: MIT */
/*
 * hc_args.h - what a hypercall's handler is given and what it returns: for hypercall/, which calls
 * them, and pv/, which has some.
 */
#ifndef HV_DOMAIN_HC_ARGS_H
#define HV_DOMAIN_HC_ARGS_H

#include "lib/types.h"

/*
 * The six argument registers, guest-controlled. A handler that must be preempted updates them so
 * that the call goes on where it stopped, and returns -ERESTART: the dispatcher writes them back
 * and rewinds RIP (multicall: the entry). Nothing else survives a restart; everything is
 * validated again.
 */
struct hc_args {
	u64 a[6];
	long value; /* what a call that succeeds tells beside that: any number, 0 at first */
};

/*
 * 0, or a negative errno. A number that the guest gets goes to args->value: returned, it could be
 * taken for -ERESTART or HC_REGS_SET, and a guest may choose it. Checked builds stop at one.
 */
typedef long (*hc_handler_t)(struct hc_args *args);

/* No errno is larger. */
#define HC_ERRNO_MAX 4095L
/*
 * A hypercall that sets the guest's whole register state (iret, or a crash) returns this: the
 * dispatcher then leaves RAX and the rest alone.
 */
#define HC_REGS_SET (-0x10000L)

#endif
