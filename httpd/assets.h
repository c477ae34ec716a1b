/* SPDX-License-Identifier: MIT */
/* assets.h - the files of the console (console/), which are in the program: assets_gen.py. */
#ifndef STOREVISOR_HTTPD_ASSETS_H
#define STOREVISOR_HTTPD_ASSETS_H

#include <stddef.h>

struct asset {
	const char *path, *type, *tag;
	const unsigned char *data;
	size_t len;
};

/* The file at @path of a URL, "/" being index.html; or NULL. */
const struct asset *asset_find(const char *path);

#endif
