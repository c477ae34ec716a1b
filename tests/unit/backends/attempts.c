/* SPDX-License-Identifier: MIT */
/* attempts.c - see attempts.h. Each returns whether it succeeded; all have to be refused. */
#include "attempts.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xenstore.h>

static struct xs_handle *xs;
static const struct store_scope *own;

#define CONFIG "/config/domain/victim"
#define OTHER "/local/domain/0/backend/vbd/99/768"
#define NEW "/local/domain/0/backend/vbd/99/999"

static bool reads(const char *path)
{
	unsigned int len;
	char *value = xs_read(xs, XBT_NULL, path, &len);

	free(value);
	return value != NULL;
}

static bool lists(const char *path)
{
	unsigned int nr;
	char **names = xs_directory(xs, XBT_NULL, path, &nr);

	free(names);
	return names != NULL;
}

static bool writes(const char *path)
{
	return xs_write(xs, XBT_NULL, path, "taken", 5);
}

/* @key of its own backend directory. */
static const char *mine(const char *key)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", own->path, key);
	return path;
}

static bool writes_front(const char *key)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", own->frontend, key);
	return writes(path);
}

static bool makes_public(const char *path)
{
	struct xs_permissions all = { 0, XS_PERM_READ | XS_PERM_WRITE };

	return xs_set_permissions(xs, XBT_NULL, path, &all, 1);
}

static bool read_hosts_node(void) { return reads("/tool/secret"); }
static bool read_record(void) { return reads(CONFIG "/kernel"); }
static bool read_other_device(void) { return reads(OTHER "/params"); }
static bool read_relative(void) { return reads("name"); }
static bool list_root(void) { return lists("/"); }
static bool list_domains(void) { return lists("/local/domain"); }
static bool list_above(void) { return lists("/local/domain/0/backend/vbd"); }
static bool write_record(void) { return writes(CONFIG "/kernel"); }
static bool write_new_record(void) { return writes("/config/domain/mine/state"); }
static bool write_request(void) { return writes("/request/1/op"); }
static bool write_image(void) { return writes(mine("params")); }
static bool write_mode(void) { return writes(mine("mode")); }
static bool write_script(void) { return writes(mine("script")); }
static bool write_frontend(void) { return writes(mine("frontend")); }
static bool write_frontend_id(void) { return writes(mine("frontend-id")); }
static bool write_unknown_key(void) { return writes(mine("anything")); }
static bool write_below_key(void) { return writes(mine("state/below")); }
static bool write_front_state(void) { return writes_front("state"); }
static bool write_other_device(void) { return writes(OTHER "/params"); }
static bool write_new_device(void) { return writes(NEW "/params"); }
static bool write_host(void) { return writes("/host/anything"); }
static bool write_root(void) { return writes("/"); }
static bool make_directory(void) { return xs_mkdir(xs, XBT_NULL, NEW); }
static bool remove_own(void) { return xs_rm(xs, XBT_NULL, own->path); }
static bool remove_other(void) { return xs_rm(xs, XBT_NULL, OTHER); }
static bool remove_records(void) { return xs_rm(xs, XBT_NULL, "/config"); }
static bool own_to_all(void) { return makes_public(mine("state")); }
static bool records_to_all(void) { return makes_public("/config"); }
static bool watch_all(void) { return xs_watch(xs, "/", "all"); }
static bool watch_other(void) { return xs_watch(xs, OTHER, "other"); }
static bool watch_ends(void) { return xs_watch(xs, "@releaseDomain", "ends"); }
static bool introduce(void) { return xs_introduce_domain(xs, 99, 1, 1); }
static bool release(void) { return xs_release_domain(xs, own->domid); }
static bool set_target(void) { return xs_set_target(xs, own->domid, 0); }

static bool read_permissions(void)
{
	unsigned int nr;
	struct xs_permissions *p = xs_get_permissions(xs, XBT_NULL, CONFIG, &nr);

	free(p);
	return p != NULL;
}

static bool in_transaction(void)
{
	xs_transaction_t t = xs_transaction_start(xs);
	bool done = xs_write(xs, t, CONFIG "/kernel", "taken", 5);

	return xs_transaction_end(xs, t, false) && done;
}

static bool control(const char *command, const char *args, unsigned int len)
{
	char *answer = xs_control_command(xs, command, (void *)args, len);
	/* libxenstore hands an error's name back as the answer. */
	bool done = answer && strcmp(answer, "EACCES");

	free(answer);
	return done;
}

static bool control_print(void) { return control("print", "/", 2); }
static bool control_live_update(void) { return control("live-update", "-s", 3); }
static bool confine_wider(void) { return control("confine", "w/", 3) || reads("/tool/secret"); }

static const struct attempt {
	const char *name;
	bool (*succeeds)(void);
} attempts[] = {
	{ "read a node of the host", read_hosts_node },
	{ "read another guest's record", read_record },
	{ "read another guest's device", read_other_device },
	{ "read a relative name", read_relative },
	{ "read permissions", read_permissions },
	{ "list the root", list_root },
	{ "list the domains", list_domains },
	{ "list the devices", list_above },
	{ "write another guest's record", write_record },
	{ "write a record of its own", write_new_record },
	{ "write a request to xend", write_request },
	{ "write the image that root opens", write_image },
	{ "write the image's mode", write_mode },
	{ "write the script that root runs", write_script },
	{ "write whose frontend it is", write_frontend },
	{ "write the frontend's domain", write_frontend_id },
	{ "write an unknown key", write_unknown_key },
	{ "write below a key", write_below_key },
	{ "write the frontend's state", write_front_state },
	{ "write another guest's device", write_other_device },
	{"write a new device", write_new_device},
	{ "write about the host", write_host },
	{ "write the root", write_root },
	{ "make a directory", make_directory },
	{ "remove its own directory", remove_own },
	{ "remove another device", remove_other },
	{ "remove all records", remove_records },
	{ "open its own node to all", own_to_all },
	{ "open the records to all", records_to_all },
	{ "introduce a domain", introduce },
	{ "release its guest", release },
	{ "make domain 0 its target", set_target },
	{ "write a record in a transaction", in_transaction },
	{ "print the tree by CONTROL", control_print },
	{ "run another daemon by CONTROL", control_live_update },
	{ "confine itself to more", confine_wider },
	{ "watch everything", watch_all },
	{ "watch another device", watch_other },
	{ "watch domains end", watch_ends },
};

#define NR_WATCHES 3

int attempts_run(struct xs_handle *handle, const struct store_scope *scope, bool watches,
		 void (*say)(const char *name, int withheld), int *tried)
{
	int nr = sizeof(attempts) / sizeof(attempts[0]), succeeded = 0;

	nr -= watches ? 0 : NR_WATCHES;
	xs = handle;
	own = scope;
	for (int i = 0; i < nr; i++) {
		bool done = attempts[i].succeeds();

		say(attempts[i].name, !done);
		succeeded += done;
	}
	if (tried)
		*tried = nr;
	return succeeded;
}
