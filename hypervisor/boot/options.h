/* SPDX-License-Identifier: MIT */
/* options.h - the hypervisor's command line. */
#ifndef HV_BOOT_OPTIONS_H
#define HV_BOOT_OPTIONS_H

struct boot_options;

/* Fills @o from @line. Unknown options and bad values are named in the log and ignored. */
void options_parse(struct boot_options *o, const char *line);

#endif
