/* SPDX-License-Identifier: MIT */
/* assets.c - see assets.h. */
#include "assets.h"

#include <string.h>

#include "assets_data.h"

const struct asset *asset_find(const char *path)
{
	if (strcmp(path, "/") == 0)
		path = "/index.html";
	for (size_t i = 0; i < sizeof(assets) / sizeof(assets[0]); i++)
		if (strcmp(path, assets[i].path) == 0)
			return &assets[i];
	return NULL;
}
