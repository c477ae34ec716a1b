/* SPDX-License-Identifier: MIT */
/*
 * xl_config.h - what xl wrote of a domain into the file of its memory, as a configuration file.
 *
 * Source: libxl_domain_config of Xen 4.17 (libxl_types.idl), which xl writes as JSON: members that
 * have their default are left out.
 */
#ifndef XM_XL_CONFIG_H
#define XM_XL_CONFIG_H

#include <stddef.h>

#define XL_CONFIG_WHY 256

/*
 * The text of a configuration file, malloc'd; its length in *@len. NULL: @why says what is wrong
 * with @json (a NUL ends it; hostile), or that there is no memory. A screen, devices that xm does
 * not know and on which CPUs it ran are left out: @left_out names them, "" without any.
 */
char *xl_config_text(const char *json, size_t *len, char left_out[XL_CONFIG_WHY],
		     char why[XL_CONFIG_WHY]);

#endif
