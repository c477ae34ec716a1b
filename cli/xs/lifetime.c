/* SPDX-License-Identifier: MIT */
/* lifetime.c - see lifetime.h. */
#include "lifetime.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "die.h"
#include "store.h"
#include "watch_state.h"

/* What is of the running machine. */
static const char *const running[] = { "/local", "/vm",	     "/libxl", "/tool",
				       "/status", "/request", "/host" };

/* 1: kept, 0: not, -1: the daemon has no such question, or not for us. */
static int told(const char *path)
{
	struct iovec iov[2] = {
		{ (void *)"lifetime", 9 }, { (void *)path, strlen(path) + 1 },
	};
	char *answer;
	int lasts;

	if (xs_sync(store(), XS_CONTROL, 0, iov, 2, &answer, NULL) != 0)
		return -1;
	lasts = strcmp(answer, "persistent") == 0;
	free(answer);
	return lasts;
}

bool lifetime_lasts(const char *path)
{
	int lasts = told(path);

	return lasts < 0 ? path_is_below("/config", path) || path_is_below("/history", path) :
			   lasts;
}

void lifetime_warn(const char *path)
{
	static bool warned; /* one thread */

	if (warned || !isatty(STDERR_FILENO) || path[0] != '/')
		return;
	for (size_t i = 0; i < sizeof(running) / sizeof(running[0]); i++)
		if (path_is_below(running[i], path))
			return;
	if (told(path) != 0)
		return;
	warned = true;
	cli_warn("%s: will be gone with the next boot of the host; what is below /config is kept, "
		 "and what xenstored --persist names", path);
}
