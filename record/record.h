/* SPDX-License-Identifier: MIT */
/*
 * record.h - a domain's record, what /config/domain/NAME says, as a checked structure; and back.
 *
 * The only reader and writer of records: xend, xm and xs share it. A record is keys (record_keys.h)
 * that people wrote, untrusted text until record_parse() accepted it by the registry of paths
 * (docs/store-paths.md, by way of schema.h), which alone says what a value may be and what an
 * absent one counts as. Pure.
 */
#ifndef STOREVISOR_RECORD_H
#define STOREVISOR_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "disk_spec.h"
#include "domain_name.h"
#include "record_keys.h"
#include "screen_spec.h"
#include "vif_spec.h"

#define RECORD_ROOT "/config/domain"
/* The kernel of a guest whose own disk says what boots: image/pvgrub makes it. */
#define RECORD_PV_GRUB "/usr/lib/storevisor/grub-x86_64-xen.bin"
#define RECORD_DISKS_MAX 32
#define RECORD_VIFS_MAX 16
#define RECORD_VCPUS_MAX 32 /* shared_info has room for */
#define RECORD_CMDLINE_MAX 1023 /* xen/xen.h: MAX_GUEST_CMDLINE, less its NUL */
#define RECORD_CPUS_MAX 1023
#define RECORD_UUID_LEN 36
#define RECORD_MOVE_MAX 300

enum record_action { ACTION_DESTROY, ACTION_RESTART, ACTION_PRESERVE };
enum record_autostart { AUTOSTART_NO, AUTOSTART_YES, AUTOSTART_LAST };

struct record {
	char name[DOMAIN_NAME_MAX + 1];
	char uuid_text[RECORD_UUID_LEN + 1]; /* "": none yet */
	uint8_t uuid[16];
	bool uuid_is_new; /* made by record_complete(): nobody has it yet */
	uint64_t memory_mib, maxmem_mib;
	unsigned int vcpus, maxvcpus;
	char cpus[RECORD_CPUS_MAX + 1]; /* lists as cpu_list_of() has them */
	unsigned int cpu_weight, cap;	/* 256 is usual; percent of one CPU, 0: no limit */
	char kernel[DISK_PATH_MAX + 1], ramdisk[DISK_PATH_MAX + 1];
	char cmdline[RECORD_CMDLINE_MAX + 1];
	enum record_action on_poweroff, on_reboot, on_crash;
	enum record_autostart autostart;
	bool power, paused, persistent;
	char saved[DISK_PATH_MAX + 1]; /* a file of xm save it goes on from; "": it boots */
	char arriving[RECORD_MOVE_MAX + 1]; /* from another host, under this epoch; "": no */
	char moved[RECORD_MOVE_MAX + 1]; /* "EPOCH HOST": handed over; it must not run here */
	struct screen_spec screen;
	unsigned int nr_disks, nr_vifs;
	struct disk_spec disk[RECORD_DISKS_MAX]; /* in the order of their items */
	struct vif_spec vif[RECORD_VIFS_MAX];
};

/* Called for each thing that is wrong: @key ("disk/0/mode", or of the whole "") and what is. */
typedef void (*record_wrong_fn)(void *data, const char *key, const char *text);

/*
 * What @keys say about the domain @name, absent keys by the registry's defaults. 0; -EINVAL after
 * @wrong (NULL: nobody asks) was told everything that is not possible. Even then @r is whole: what
 * is wrong counts as absent in it, disks and cards that cannot be are not in it.
 */
int record_parse(struct record *r, const char *name, const struct record_keys *keys,
		 record_wrong_fn wrong, void *data);

/* All keys of @r but its name, defaults written out. 0; -ENOMEM. */
int record_format(const struct record *r, struct record_keys *keys);
/* The keys of one disk or card, at its item. */
int record_format_disk(const struct disk_spec *disk, struct record_keys *keys);
int record_format_vif(const struct vif_spec *vif, struct record_keys *keys);

/*
 * What @key of a record with @keys counts as: its value, or if that is absent or empty the
 * registry's default. NULL: nothing. @key must be of the registry.
 */
const char *record_value(const struct record_keys *keys, const char *key);

/* What an absent @key beside @keys counts as; NULL: nothing. */
const char *record_default(const struct record_keys *keys, const char *key);

/* Fills in what is still open: a random uuid, a random address per card, maxmem, maxvcpus. */
int record_complete(struct record *r);

/*
 * The address of card @vif of @r: what it says, else the one made from the uuid, which is stable.
 * "" when there is no uuid yet.
 */
void record_vif_mac(const struct record *r, const struct vif_spec *vif, char mac[VIF_MAC_LEN + 1]);

/* A record with every default and no name. */
void record_init(struct record *r);

/* A random uuid, RFC 4122 version 4. 0 or -EIO. */
int record_uuid_make(uint8_t uuid[16]);

/* FNV-1a over what needs a restart to change; devices do not. */
uint64_t record_hash(const struct record *r);

/* The words of the registry. */
const char *record_action_word(enum record_action action);
const char *record_autostart_word(enum record_autostart autostart);

#endif
