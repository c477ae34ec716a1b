/* SPDX-License-Identifier: MIT */
/*
 * host.h - forced into every hypervisor file these tests compile: RAM is an array, the direct map
 * starts there.
 */
#ifndef TESTS_FAKES_HVDOM_HOST_H
#define TESTS_FAKES_HVDOM_HOST_H

#include <stdint.h>

extern unsigned char *fake_ram;
#define DIRECTMAP_START ((unsigned long)fake_ram)

#endif
