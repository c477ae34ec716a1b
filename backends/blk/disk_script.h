/* SPDX-License-Identifier: MIT */
/*
 * disk_script.h - a disk that a script makes (script:SCRIPT:WHAT), by Xen's contract: `SCRIPT add`
 * and `SCRIPT remove` with script, XENBUS_PATH, XENBUS_TYPE, XENBUS_BASE_PATH in the environment;
 * the script reads XENBUS_PATH/params and mode, and writes physical-device (MAJOR:MINOR, in hex),
 * maybe physical-device-path, and whatever it wants to find again at its end.
 *
 * XENBUS_PATH is a directory of its own, disk-script/DOMID/DEVID, which lives from before `add`
 * until `remove` has ended: the backend directory may be gone by then.
 */
#ifndef BACKENDS_DISK_SCRIPT_H
#define BACKENDS_DISK_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <xenstore.h>

#include "script.h"

#define DISK_SCRIPTS "/local/domain/0/disk-script"
#define DISK_SCRIPT_SECONDS 25 /* xend waits for 30 */

struct disk_script {
	char script[SCRIPT_PATH]; /* absolute; "": none makes this disk */
	char params[1024];	  /* in the script's words */
	unsigned int domid, devid;
	bool readonly;
};

/* Of @name, a disk's, script and what it is to make. 0; -ENOENT: no script makes it; -EINVAL. */
int disk_script_of(struct disk_script *s, const char *name, unsigned int domid,
		   unsigned int devid);

/* Whether both are made by the same script of the same words. */
bool disk_script_same(const struct disk_script *a, const struct disk_script *b);

/*
 * The device that the script has made, or makes now, to @device. A script that still takes away
 * what it made of the same, for a device that is gone, is waited for; what was made for an earlier
 * device in the same place is taken away. 0; -EINVAL: @why says it in the user's words, and what
 * was begun is taken away; -ENOENT: the device is gone; -EIO: to be tried again.
 *
 * A process of its own does the work, with a connection of its own to the store: the disk's process
 * may be killed while a script runs, and its connection is good for its device only.
 */
int disk_script_add(const struct disk_script *s, char *device, size_t len, char *why,
		    size_t why_len);

/*
 * The script takes away what it has made, if it has and no device in that place is to have the
 * same, and its directory goes: nobody has it open. Waits for a script that works for that device.
 */
void disk_script_remove(const struct disk_script *s, struct xs_handle *xs);

/* Calls @fn for each that has been made for a device that is no longer there. */
void disk_script_left(struct xs_handle *xs, void (*fn)(const struct disk_script *s, void *arg),
		      void *arg);

#endif
