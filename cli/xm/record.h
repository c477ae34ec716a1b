/* SPDX-License-Identifier: MIT */
/*
 * record.h - a domain's record as plain data: what /config/domain/NAME says.
 *
 * Made from a configuration (keys.c), written to and read from the store (record_store.c), shown as
 * JSON (record_json.c). Units are the record's: MiB. Source: docs/store-paths.md.
 */
#ifndef XM_RECORD_H
#define XM_RECORD_H

#include <stdbool.h>
#include <stddef.h>

#include "disk_spec.h"
#include "vif_spec.h"

#define RECORD_NAME_MAX 64
#define RECORD_UUID_LEN 36
#define RECORD_CMDLINE_MAX 1023 /* xen/xen.h: MAX_GUEST_CMDLINE, less its NUL */
#define RECORD_DISKS_MAX 32
#define RECORD_VIFS_MAX 16
#define RECORD_VCPUS_MAX 32 /* shared_info has room for */

struct record {
	char name[RECORD_NAME_MAX + 1];
	char uuid[RECORD_UUID_LEN + 1];
	bool uuid_is_new; /* made by record_complete(): nobody has it yet */
	long memory, maxmem;				/* MiB; maxmem 0 = as memory */
	long vcpus, maxvcpus;				/* maxvcpus 0 = as vcpus */
	char *kernel, *ramdisk;				/* paths in dom0; ramdisk may be NULL */
	char *cmdline;					/* never NULL in a finished record */
	const char *on_poweroff, *on_reboot, *on_crash; /* words of record_action() */
	const char *autostart;				/* "0", "1" or "last" */
	bool paused, persistent, power;
	struct disk_spec disks[RECORD_DISKS_MAX];
	struct vif_spec vifs[RECORD_VIFS_MAX];
	size_t nr_disks, nr_vifs;
};

/* A record with every default set and no name. */
void record_init(struct record *rec);
void record_fini(struct record *rec);

/*
 * Whether @name can be a domain's: 1 to 64 letters, digits, '-', '_' (what the store allows
 * in a path), not only digits (that would be a domain ID), not a taken word (Domain-0). Returns
 * NULL or the reason, which completes "the name 'x' ...".
 */
const char *record_name_problem(const char *name);

/* The constant spelling of an on_* action, or NULL when it is not one xend carries out. */
const char *record_action(const char *word);

/* The constant spelling of an autostart value ("0", "1", "last") for any of its words, or NULL. */
const char *record_autostart(const char *word);

/* Fills in what is still open: a random uuid, a random MAC (00:16:3e:...) per card, maxmem,
 * maxvcpus. */
int record_complete(struct record *rec);

/* Whether @text is a uuid, and if so its lower case form in @out. */
bool record_uuid_parse(const char *text, char out[RECORD_UUID_LEN + 1]);

#endif
