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

static void print(const struct disk_script *s, void *arg)
{
	printf("%u %u %s %s %s\n", s->domid, s->devid, s->script, s->readonly ? "r" : "w", s->params);
}

static int add(const struct disk_script *s)
{
	char device[1024] = "", why[1400] = "";
	int rc = disk_script_add(s, device, sizeof(device), why, sizeof(why));

	printf("%s\n", rc ? why : device);
	return rc != 0;
}

int main(int argc, char **argv)
{
	struct disk_script s;
	struct xs_handle *xs;

	if (argc == 5 && disk_script_of(&s, argv[2], (unsigned int)atoi(argv[3]),
					(unsigned int)atoi(argv[4])) < 0)
		return 1;
	if (argc == 5 && !strcmp(argv[1], "add"))
		return add(&s);
	xs = argc > 1 ? store_open() : NULL;
	if (!xs)
		return 2;
	if (argc == 5)
		disk_script_remove(&s, xs);
	else
		disk_script_left(xs, print, NULL);
	xs_close(xs);
	return 0;
}
