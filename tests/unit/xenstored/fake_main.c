/* SPDX-License-Identifier: MIT */
/* fake_main.c - makes the daemon's own main() run on the fake machine in $XS_FAKE_DIR. */
#include <stdlib.h>

#include "fake_hv.h"

struct hv *hv_xen_open(void)
{
	return fake_hv_open(getenv("XS_FAKE_DIR"));
}
