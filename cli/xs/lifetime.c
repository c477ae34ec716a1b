/* SPDX-License-Identifier: MIT */
/* lifetime.c - see lifetime.h. */
#include "lifetime.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "die.h"
#include "store.h"
#include "watch_state.h"

/*
 * What is of the running machine, and nobody expects to last. Below /tool is what programs say, but
 * also what somebody thinks up, and that is no reason for it to be gone in silence.
 */
static const char *const running[] = { "/local",  "/vm",      "/libxl",
				       "/status", "/request", "/host" };

int lifetime_told(const char *path)
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
	int lasts = lifetime_told(path);

	return lasts < 0 ? path_is_below("/config", path) || path_is_below("/history", path) :
			   lasts;
}

static bool beside_or_below(const char *path, const char *kept)
{
	size_t up = (size_t)(strrchr(kept, '/') - kept) + 1;

	return path_is_below(kept, path) ||
	       (strncmp(path, kept, up) == 0 && !strchr(path + up, '/'));
}

void lifetime_warn(const char *path)
{
	static bool warned; /* one thread */
	static int terminal = -1;
	static char *kept; /* a document of 100,000 keys is no reason to ask as often */

	if (terminal < 0)
		terminal = isatty(STDERR_FILENO);
	if (warned || !terminal || path[0] != '/' || (kept && beside_or_below(path, kept)))
		return;
	for (size_t i = 0; i < sizeof(running) / sizeof(running[0]); i++)
		if (path_is_below(running[i], path))
			return;
	if (lifetime_told(path) != 0) {
		free(kept);
		kept = strdup(path);
		return;
	}
	warned = true;
	cli_warn("%s: will be gone with the next boot of the host; what is below /config is kept, "
		 "and what xenstored --persist names", path);
}
