/* SPDX-License-Identifier: MIT */
/*
 * fake_device.c - stands in for blkback under the real supervisor: takes the journal's lock,
 * says so in $FAKE_LOG ("start DEVID PID"), and ends or stays as its device number asks. From
 * number 20 on it serves its frontend, as far as its journal says.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "journal.h"

/* Exit with this code, device 4 only once the test says so; others stay until killed. */
static const int exits[] = { [2] = 78, [3] = 75, [4] = 0 };

/* Waits for the file that a test makes beside the log. */
static void wait_for_leave(void)
{
	char leave[256];

	snprintf(leave, sizeof(leave), "%s.leave", getenv("FAKE_LOG"));
	while (access(leave, F_OK) != 0)
		usleep(10000);
}

int main(int argc, char **argv)
{
	unsigned int domid, devid;
	struct journal journal;
	char name[256];
	FILE *log;

	if (sscanf(argv[argc - 1], "/local/domain/0/backend/vbd/%u/%u", &domid, &devid) != 2)
		return 1;
	if (journal_name(name, sizeof(name), "vbd", domid, devid) < 0)
		return 1;
	if (journal_open(&journal, name, 0) < 0)
		return 75;
	if (devid >= 20)
		journal.page->server = getpid();
	log = fopen(getenv("FAKE_LOG"), "a");
	if (!log)
		return 1;
	fprintf(log, "start %u %d\n", devid, getpid());
	fclose(log);
	if (devid == 4)
		wait_for_leave();
	if (devid >= 2 && devid <= 4)
		return exits[devid];
	for (;;)
		pause();
}
