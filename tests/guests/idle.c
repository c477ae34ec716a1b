/* SPDX-License-Identifier: MIT */
/* idle.c - the smallest guest that stays: says so, and waits for the end. */
#include "guest/events.h"
#include "guest/guest.h"

void guest_main(void)
{
	say("idle: ready\n");
	for (;;)
		sleep_ns(1000 * NS_PER_S);
}
