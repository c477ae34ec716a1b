/* SPDX-License-Identifier: MIT */
/* cmos.h - the battery clock (cmos.c). */
#ifndef HV_X86_CMOS_H
#define HV_X86_CMOS_H

#include "lib/types.h"

/* Seconds since 1970 by it (taken as UTC). */
u64 cmos_read_seconds(void);

#endif
