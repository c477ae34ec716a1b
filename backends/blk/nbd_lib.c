/* SPDX-License-Identifier: MIT */
/* nbd_lib.c - see nbd_lib.h. Source: dlopen(3); its ABI is that of libnbd.so.0. */
#include "nbd_lib.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#define ROW(fn) { #fn, offsetof(struct nbd_lib, fn) },
static const struct {
	const char *name;
	size_t member;
} rows[] = { NBD_LIB_FUNCTIONS(ROW) };
#undef ROW

const char *nbd_lib_error(const struct nbd_lib *lib)
{
	const char *text = lib->nbd_get_error(), *colon = text ? strstr(text, ": ") : NULL;

	if (!text)
		return "the server ended the connection";
	return colon && !strncmp(text, "nbd_", 4) ? colon + 2 : text;
}

const struct nbd_lib *nbd_lib_load(void)
{
	static struct nbd_lib lib;
	void *library = dlopen("libnbd.so.0", RTLD_NOW);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *function = library ? dlsym(library, rows[i].name) : NULL;

		if (!function)
			return NULL;
		/* A function's address in an object pointer: as POSIX has it for dlsym(). */
		memcpy((char *)&lib + rows[i].member, &function, sizeof(function));
	}
	return &lib;
}
