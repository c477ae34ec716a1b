/* SPDX-License-Identifier: MIT */
/*
 * record.h - a domain's record, /config/domain/NAME, as a checked structure.
 *
 * The record is what people wrote: every key is untrusted text until record_read() accepted it.
 */
#ifndef XEND_RECORD_H
#define XEND_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xenstore.h>

#include "xspaths.h"

#define RECORD_MAX_DISKS 32
#define RECORD_MAX_VIFS 16
#define RECORD_MAX_VCPUS 32		/* what shared_info has room for */
#define RECORD_MAX_CMDLINE 1023		/* start_info's cmd_line less its NUL */
#define RECORD_TEXT 1024

enum record_action { ACTION_DESTROY, ACTION_RESTART, ACTION_PRESERVE };
enum record_autostart { AUTOSTART_NO, AUTOSTART_YES, AUTOSTART_LAST };

struct record_disk {
	char target[RECORD_TEXT];	/* path, without file: or phy: */
	bool phy;
	char vdev[32];
	uint32_t number;		/* the guest's virtual device */
	unsigned int item;		/* its place in the record: disk/@item */
	bool writable, shared;		/* shared: w!, no exclusive lock */
};

struct record_vif {
	char mac[18], bridge[32], script[256], ip[128], vifname[16];
	unsigned int item;		/* vif/@item; also the device's number */
};

struct record {
	char name[PATH_NAME_MAX];
	char uuid_text[37];
	uint8_t uuid[16];
	uint64_t memory_mib, maxmem_mib;
	unsigned int vcpus, maxvcpus;
	char kernel[RECORD_TEXT], ramdisk[RECORD_TEXT], cmdline[RECORD_MAX_CMDLINE + 1];
	enum record_action on_poweroff, on_reboot, on_crash;
	enum record_autostart autostart;
	bool power, paused, persistent;
	char saved[RECORD_TEXT];	/* a file of xm save it goes on from; "": it boots */
	unsigned int nr_disks, nr_vifs;
	struct record_disk disk[RECORD_MAX_DISKS];
	struct record_vif vif[RECORD_MAX_VIFS];
	uint64_t hash;			/* of what needs a restart to change: not devices */
};

/*
 * Reads and checks the record of @name in one consistent view. 0, -ENOENT when there is none,
 * or -EINVAL with @why (@why_len bytes): which key, what is wrong, what would be right. Even
 * then the switches (power, autostart, persistent) and the uuid are valid if present.
 */
int record_read(struct xs_handle *xs, const char *name, struct record *r, char *why,
		size_t why_len);

/*
 * Sets power=off unless the record is gone meanwhile. 0 or -errno.
 */
int record_power_off(struct xs_handle *xs, const char *name);

/* Removes saved=. 0 or -errno. */
int record_forget_saved(struct xs_handle *xs, const char *name);

int record_remove(struct xs_handle *xs, const char *name);

/* Gives a record without one a random uuid. */
int record_ensure_uuid(struct xs_handle *xs, struct record *r);

#endif
