/* SPDX-License-Identifier: MIT */
/*
 * host.h - forced into every hypervisor file that a host test compiles: RAM is an array, and the
 * direct map starts where the array does.
 */
#ifndef TESTS_FAKES_HV_HOST_H
#define TESTS_FAKES_HV_HOST_H

#include <stddef.h>
#include <stdint.h>

extern unsigned char *fake_ram;
#define DIRECTMAP_START ((unsigned long)fake_ram)

#endif
