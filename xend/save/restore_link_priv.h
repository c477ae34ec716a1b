/* SPDX-License-Identifier: MIT */
/* restore_link_priv.h - what is said on the link. */
#ifndef XEND_RESTORE_LINK_PRIV_H
#define XEND_RESTORE_LINK_PRIV_H

#include <stdint.h>

enum restore_op {
	RESTORE_POPULATE, RESTORE_READ, RESTORE_WRITE, RESTORE_PIN, RESTORE_VCPU,
	RESTORE_CALLBACKS, RESTORE_FPU, RESTORE_MSRS,
};

struct restore_question {
	uint32_t op;			/* enum restore_op */
	uint32_t nr;			/* frames; a level; bytes of state */
	uint64_t arg;			/* an mfn; a virtual CPU */
};

struct restore_answer {
	int32_t err;
};

#endif
