/* SPDX-License-Identifier: MIT */
/*
 * run_disk_script.c add|remove NAME DOMID DEVID - what blkback and backendd do with a disk that a
 * script makes; add prints the device, or why there is none. left - which are left of devices that
 * are gone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk_script.h"
#include "store.h"

static void print(const struct disk_script *s)
{
	printf("%u %u %s %s %s\n", s->domid, s->devid, s->script, s->readonly ? "r" : "w", s->params);
}

int main(int argc, char **argv)
{
	struct xs_handle *xs = store_open();
	char device[1024] = "", why[1400] = "";
	struct disk_script s;
	int rc;

	if (!xs || argc < 2)
		return 2;
	if (!strcmp(argv[1], "left")) {
		disk_script_left(xs, print);
		return 0;
	}
	if (argc < 5)
		return 2;
	rc = disk_script_of(&s, argv[2], (unsigned int)atoi(argv[3]), (unsigned int)atoi(argv[4]));
	if (rc == 0 && !strcmp(argv[1], "add"))
		rc = disk_script_add(&s, xs, device, sizeof(device), why, sizeof(why));
	else if (rc == 0)
		disk_script_remove(&s, xs);
	printf("%s\n", rc ? why : device);
	return rc != 0;
}
