/* SPDX-License-Identifier: MIT */
/* console_log_dir.h - where what guests print is kept: DIR/guest-NAME.log. */
#ifndef COMMON_CONSOLE_LOG_DIR_H
#define COMMON_CONSOLE_LOG_DIR_H

#include <stdlib.h>

static inline const char *console_log_dir(void)
{
	const char *dir = getenv("STOREVISOR_CONSOLE_LOG_DIR");

	return dir ? dir : "/var/log/xen/console";
}

#endif
