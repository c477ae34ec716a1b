/* SPDX-License-Identifier: MIT */
/* xen_libs.c - see xen_libs.h. Runs at the start; no lock. Source: dlopen(3). */
#include "xen_libs.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "log.h"

#define ROW(lib, fn) { lib, #fn, offsetof(struct xen_libs, fn) },
static const struct row {
	const char *library, *name;
	size_t member;
} rows[] = { XEN_LIBS_FUNCTIONS(ROW) };
#undef ROW

int xen_libs_load(struct xen_libs *out)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *library = dlopen(rows[i].library, RTLD_NOW);
		void *function = library ? dlsym(library, rows[i].name) : NULL;

		if (!function) {
			log_errorx("a hypervisor needs %s: install libxencall1, libxenevtchn1 and "
				   "libxengnttab1, or serve the socket only (-D): %s",
				   rows[i].library, dlerror());
			return -ENOENT;
		}
		/* A function's address in an object pointer: as POSIX has it for dlsym(). */
		memcpy((char *)out + rows[i].member, &function, sizeof(function));
	}
	return 0;
}
