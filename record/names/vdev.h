/* SPDX-License-Identifier: MIT */
/*
 * vdev.h - names of virtual disks and cards.
 *
 * Pure. Source: Xen's xen-vbd-interface document (disk numbers).
 */
#ifndef STOREVISOR_VDEV_H
#define STOREVISOR_VDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The number a guest knows disk @name by: xvda, xvdaz, sda3, hdc, d3p1 or a plain number.
 * -EINVAL for anything else or beyond what numbers can say.
 */
int vdev_disk_number(const char *name, uint32_t *number);

#define VDEV_PATH_MAX 1023

enum vdev_backend {
	VDEV_UNKNOWN, /* not said: a block device is phy:, anything else file: */
	VDEV_FILE,
	VDEV_PHY,
	VDEV_NBD, /* its path is a URI: nbd_name.h */
	VDEV_ISCSI, /* the same: iscsi_name.h */
	VDEV_SCRIPT, /* its path is script:SCRIPT:WHAT: script_name.h */
};

static inline bool vdev_is_remote(enum vdev_backend backend)
{
	return backend == VDEV_NBD || backend == VDEV_ISCSI;
}

/* Whether the path is one of this host's, and not a name that says where the disk is to be had. */
static inline bool vdev_is_path(enum vdev_backend backend)
{
	return !vdev_is_remote(backend) && backend != VDEV_SCRIPT;
}

/*
 * A disk's target as records have it: file:/path, /path (the same), phy:/dev/x, phy:x, or as
 * remote_name.h or script_name.h say. What serves it and the absolute path or name; -EINVAL for
 * anything else and for paths beyond VDEV_PATH_MAX.
 */
int vdev_target(const char *text, enum vdev_backend *backend, char path[VDEV_PATH_MAX + 1]);

/* XX:XX:XX:XX:XX:XX of hex digits, neither a group address nor all zeros. */
bool vdev_mac_ok(const char *mac);

/* A card without an address gets a stable one in Xen's range from its domain and place. */
void vdev_mac_default(const uint8_t uuid[16], unsigned int index, char out[18]);

/* 8-4-4-4-12 hex digits to bytes; -EINVAL. */
int vdev_uuid_parse(const char *text, uint8_t uuid[16]);
void vdev_uuid_format(const uint8_t uuid[16], char out[37]);

#endif
