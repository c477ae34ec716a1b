/* SPDX-License-Identifier: MIT */
/* owner.c - who serves the backend directories: see owner.h. */
#include "owner.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "journal.h"

/* Their drivers on the bus bear the kind's name. */
static const struct {
	const char *type, *module;
} others[] = {
	{ "vbd", "xen-blkback" },
	{ "vif", "xen-netback" },
};

int owner_claim(void)
{
	return journal_dir_make();
}

void owner_leave(void)
{
	journal_dir_remove();
}

const char *owner_other(const char *sysfs, const char *type)
{
	char path[512];

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (strcmp(others[i].type, type) != 0)
			continue;
		snprintf(path, sizeof(path), "%s/bus/xen-backend/drivers/%s", sysfs, type);
		return access(path, F_OK) == 0 ? others[i].module : NULL;
	}
	return NULL;
}
