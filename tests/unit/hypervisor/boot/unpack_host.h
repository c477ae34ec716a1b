/* SPDX-License-Identifier: MIT */
/* unpack_host.h - included before everything: test_unpack.c's memory is the direct map. */
#ifndef TEST_UNPACK_HOST_H
#define TEST_UNPACK_HOST_H

extern unsigned char fake_ram[];
#define DIRECTMAP_START ((unsigned long)fake_ram)

#endif
