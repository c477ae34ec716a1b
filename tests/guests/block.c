/* SPDX-License-Identifier: MIT */
#include "blkfront.h"
#include "claim.h"

#define XVDA 51712
#define SECTORS_A_PAGE 8
#define PAGES 16

static void fill(u64 *page, u64 seed)
{
	for (unsigned int i = 0; i < PAGE_SIZE / sizeof(u64); i++)
		page[i] = seed * 0x9e3779b97f4a7c15UL + i;
}

GUEST_TEST(block, "what is written to the disk is read back, also after a reconnect", 0)
{
	static struct blkfront disk;
	u64 *out = page_alloc(), *in = page_alloc();

	for (unsigned int round = 0; round < 2; round++) {
		check_is(blkfront_open(&disk, XVDA), 0);
		check(disk.nr_sectors >= PAGES * SECTORS_A_PAGE);
		check(disk.writable);
		for (u64 i = 0; i < PAGES; i++) {
			fill(out, i);
			if (round == 0)
				check_is(blkfront_write(&disk, i * SECTORS_A_PAGE, out), 0);
			check_is(blkfront_read(&disk, i * SECTORS_A_PAGE, in), 0);
			check(memcmp(in, out, PAGE_SIZE) == 0);
		}
		check_is(blkfront_flush(&disk), 0);
		check(blkfront_read(&disk, disk.nr_sectors, in) < 0);
		check_is(blkfront_close(&disk), 0);
		if (round == 0)
			need(device_set_state(&disk.device, XenbusStateInitialising));
	}
}
