/* SPDX-License-Identifier: MIT */
#include "claim.h"
#include "xenbus/xenbus.h"

static char home[40]; /* of the other domain */

static const char *path_of(const char *below)
{
	static char path[80];

	snprintf(path, sizeof(path), "%s%s", home, below);
	return path;
}

/* "other=ID" on the command line: a domain that lives, or did. */
static void learn(void)
{
	const char *text = (const char *)start_info->cmd_line, *end;

	while (*text && strncmp(text, "other=", 6) != 0)
		text++;
	if (!*text)
		test_error("other=ID on the command line", 0);
	snprintf(home, sizeof(home), "/local/domain/%lu", strtou64(text + 6, &end));
}

/* Refused, and not by an answer that depends on what is there: a dead domain's home has nothing. */
static void refused(long got)
{
	if (got != -EACCES && got != -ENOENT)
		test_failure(__FILE__, __LINE__, "%s: %ld", home, got);
}

static void all_of(const char *below)
{
	char value[XENBUS_VALUE_MAX], perms[96];
	const char *path = path_of(below);
	u32 txn;
	int len;

	refused(xenbus_read(0, path, value, sizeof(value)));
	refused(xenbus_call(XS_DIRECTORY, 0, path, strlen(path) + 1, value, sizeof(value)));
	refused(xenbus_call(XS_GET_PERMS, 0, path, strlen(path) + 1, value, sizeof(value)));
	refused(xenbus_write(0, path, "mine"));
	refused(xenbus_call(XS_MKDIR, 0, path, strlen(path) + 1, value, sizeof(value)));
	refused(xenbus_rm(0, path));
	len = snprintf(perms, sizeof(perms), "%s", path) + 1;
	len += snprintf(perms + len, sizeof(perms) - (size_t)len, "n%u", guest_domid()) + 1;
	refused(xenbus_call(XS_SET_PERMS, 0, perms, (size_t)len, value, sizeof(value)));
	check_is(xenbus_begin(&txn), 0);
	refused(xenbus_read(txn, path, value, sizeof(value)));
	refused(xenbus_write(txn, path, "mine"));
	xenbus_end(txn, true);
}

GUEST_TEST(store_other, "another domain's home, alive or dead, is not read, written or made", 0)
{
	static const char *const places[] = { "", "/data", "/data/secret", "/console",
					      "/device/vif/0", "/mine" };
	char path[80], token[20];

	learn();
	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++)
		all_of(places[i]);
	/* a watch there is allowed, and tells nothing but that it was set */
	check_is(xenbus_watch(path_of("/data"), "w"), 0);
	check_is(xenbus_event(path, sizeof(path), token, sizeof(token), NS_PER_S), 0);
	check_is(xenbus_event(path, sizeof(path), token, sizeof(token), NS_PER_S / 2), -ETIMEDOUT);
}
