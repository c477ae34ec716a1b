/* SPDX-License-Identifier: MIT */
/* upward.h - what the machine tells the floors above it. */
#ifndef HV_BOOT_UPWARD_H
#define HV_BOOT_UPWARD_H

/* Boot list, before the first interrupt: the machine's floor knows whom to call. */
void upward_init(void);

#endif
