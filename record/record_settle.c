/* SPDX-License-Identifier: MIT */
/* record_settle.c - see record_settle.h. */
#include "record_settle.h"

#include <string.h>
#include <sys/stat.h>

#include "schema.h"

const char *record_bridge(const char *bridge)
{
	return bridge && card_bridge_ok(bridge) ? bridge :
						  schema_find("/config/network/bridge")->absent;
}

static void settle_disk(struct disk_spec *disk)
{
	struct stat st;

	if (disk->backend == VDEV_UNKNOWN)
		disk->backend = stat(disk->path, &st) == 0 && S_ISBLK(st.st_mode) ? VDEV_PHY :
										    VDEV_FILE;
}

void record_settle(struct record *r, const char *bridge)
{
	for (unsigned int i = 0; i < r->nr_disks; i++)
		settle_disk(&r->disk[i]);
	for (unsigned int i = 0; i < r->nr_vifs; i++)
		if (!r->vif[i].bridge[0])
			strcpy(r->vif[i].bridge, record_bridge(bridge));
}
