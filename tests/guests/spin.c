/* SPDX-License-Identifier: MIT */
/* spin.c - a guest that takes all the CPU time it can get, for the tests of the scheduler. */
#include "guest/guest.h"

void guest_main(void)
{
	u64 n = 0;

	say("spin: ready\n");
	for (;;)
		__asm__ volatile("incq %0" : "+m"(n));
}
