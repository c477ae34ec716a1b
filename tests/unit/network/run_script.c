/* SPDX-License-Identifier: MIT */
/*
 * run_script.c - a card's hotplug script, run as netback does it: run_script DIRECTORY ACTION, the
 * directory in the store XENSTORED_PATH names. Says its last words; 0 when it succeeded.
 */
#include <stdio.h>
#include <string.h>

#include "vif_script.h"

int main(int argc, char **argv)
{
	struct vif_script script;
	char said[VIF_SCRIPT_SAID];
	struct xs_handle *xs = xs_open(0);
	int rc;

	if (argc != 3 || !xs)
		return 99;
	rc = vif_script_read(&script, xs, argv[1]);
	if (!rc)
		rc = vif_script_run(&script, argv[2], said);
	else
		said[0] = '\0';
	xs_close(xs);
	if (rc)
		printf("%s: %s%s\n", script.script, strerror(-rc), said);
	return rc ? 1 : 0;
}
