/* SPDX-License-Identifier: MIT */
/*
 * store.c - the connection of xs and the short ways of naming a path.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "die.h"
#include "long_value.h"
#include "name.h"
#include "store.h"

#define MAX_PATH (XENSTORE_ABS_PATH_MAX + 1)

static struct xs_client *client; /* one thread */
static bool at_exit;             /* hanging up is arranged for */

void store_hang_up(void)
{
	xs_client_close(client);
	client = NULL;
}

int store_connect(void)
{
	int rc = client ? 0 : xs_client_open(&client, NULL);

	if (!rc && !at_exit)
		at_exit = atexit(store_hang_up) == 0;
	return rc;
}

/* Whose the socket is, for one who is not let in: the group is how that is mended. */
static _Noreturn void not_let_in(void)
{
	const char *path = xs_daemon_socket();
	struct stat st;
	bool known = stat(path, &st) == 0;
	const struct passwd *pw = known ? getpwuid(st.st_uid) : NULL;
	const struct group *gr = known && st.st_mode & S_IWGRP ? getgrgid(st.st_gid) : NULL;

	if (gr)
		cli_die(CLI_NO_RIGHT, "%s: permission denied (it is for root, %s and the group %s)",
			path, pw ? pw->pw_name : "its owner", gr->gr_name);
	cli_die(CLI_NO_RIGHT, "%s: permission denied (it is for %s)", path,
		pw ? pw->pw_name : "its owner");
}

struct xs_client *store(void)
{
	int rc = store_connect();

	if (rc == -EACCES || rc == -EPERM)
		not_let_in();
	if (rc)
		cli_die(CLI_NO_STORE, "the store daemon does not answer at %s: %s (is xenstored "
			"running? XENSTORED_PATH and XENSTORED_RUNDIR name another place)",
			xs_daemon_socket(), strerror(-rc));
	return client;
}

char *store_read_kept(uint32_t tx, const char *path, size_t *len, int *rc)
{
	char *value = NULL;

	*rc = xs_sync_str(store(), XS_READ, tx, path, &value, len);
	return *rc ? NULL : value;
}

char *store_read(uint32_t tx, const char *path, size_t *len, int *rc)
{
	return long_read(tx, path, len, rc);
}

static char *printf_path(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static char *printf_path(const char *fmt, ...)
{
	va_list ap;
	char *text, *path;
	size_t len;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		cli_die(CLI_FAIL, "out of memory");
	va_end(ap);
	path = name_typed(text);
	free(text);
	len = strlen(path);
	if (len > 1 && path[len - 1] == '/')
		path[--len] = '\0';
	if (len > XENSTORE_ABS_PATH_MAX)
		cli_die(CLI_FAIL, "a path of %zu bytes is longer than the store's paths (%d)", len,
			XENSTORE_ABS_PATH_MAX);
	return path;
}

/* A small number at @path, or -1. */
static int read_id(const char *path)
{
	int rc, id = -1;
	char *value = store_read(0, path, NULL, &rc);

	if (value && *value)
		id = atoi(value);
	free(value);
	return id;
}

/* Looks through /local/domain, for a domain that xend did not start. */
static int search_domid(const char *name)
{
	struct xs_node *root;
	int id = -1;

	if (xs_tree_read(store(), 0, "/local/domain", 2, XS_TREE_VALUES, &root) != 0)
		return -1;
	for (struct xs_node *d = root->children; d && id < 0; d = d->next) {
		struct xs_node *n = xs_tree_child(d, "name");

		if (n && n->value && strcmp(n->value, name) == 0)
			id = atoi(d->name);
	}
	xs_tree_free(root);
	return id;
}

int store_domid(const char *name)
{
	char *path = printf_path("/status/domain/%s/domid", name);
	int id = read_id(path);

	free(path);
	return id >= 0 ? id : search_domid(name);
}

/* Below the home of the domain whose name is the first @len bytes of @text. */
static char *below_domain(const char *text, size_t len, const char *rest)
{
	char *name = strndup(text, len);
	int id = store_domid(name);

	if (id < 0)
		cli_die(CLI_FAIL, "no running domain is called %s", name);
	free(name);
	return printf_path("/local/domain/%d%s%s", id, *rest && *rest != '/' ? "/" : "", rest);
}

static char *below_home(const char *rest)
{
	char *end;
	long id = strtol(rest, &end, 10);

	if (end != rest)
		return printf_path("/local/domain/%ld%s", id, end);
	id = read_id("domid"); /* relative: a domain's own home */
	return printf_path("/local/domain/%ld%s", id < 0 ? 0 : id, rest);
}

char *store_path(const char *typed)
{
	size_t name = strcspn(typed, "/:");

	if (typed[0] == '~')
		return below_home(typed + 1);
	if (strncmp(typed, "vm:", 3) == 0)
		return below_domain(typed + 3, strcspn(typed + 3, "/"),
				    typed + 3 + strcspn(typed + 3, "/"));
	/* no name in the store has a colon */
	if (name && typed[name] == ':')
		return below_domain(typed, name, typed + name + 1);
	if (typed[0] == '/' || typed[0] == '@')
		return printf_path("%s", typed);
	return printf_path("/%s", typed);
}

void store_perms_text(const char *perms, size_t len, char *buf, size_t size)
{
	size_t at = 0;

	buf[0] = '\0';
	for (size_t i = 0; perms && i < len; i += strlen(perms + i) + 1) {
		int n = snprintf(buf + at, size - at, "%s%s", at ? "," : "", perms + i);

		if (n < 0 || (size_t)n >= size - at)
			return;
		at += n;
	}
}

void store_failed(const char *path, int rc)
{
	int code = cli_code(rc);

	if (rc == -EINVAL && strchr(path, '*'))
		cli_die(code, "%s: no name has a '*': it is written @2a", path);
	cli_die(code, "%s: %s", path, cli_words(rc));
}
