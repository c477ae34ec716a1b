/* SPDX-License-Identifier: MIT */
/* debug_keys.h - diagnostics by key: from the serial console and by sysctl. */
#ifndef HV_HYPERCALL_DEBUG_KEYS_H
#define HV_HYPERCALL_DEBUG_KEYS_H

#include "lib/types.h"

/* Prints what @key (any value) stands for into the log. Hypervisor lock held. False: none such. */
bool debug_key(char key);

#endif
