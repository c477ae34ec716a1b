/* SPDX-License-Identifier: MIT */
/*
 * compat.c - the original xenstore tools' command lines. Behaviour observed on Debian's
 * xenstore-utils 4.17 and held to it by tests/unit/cli_xs/compat.sh.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "die.h"
#include "text.h"

#define TRIES 1000000 /* the originals have no bound; this is only not for ever */

static const struct {
	const char *name;
	const char *usage;
	const char *letters; /* options that mean something here, beside h and s */
	bool pairs, transaction;
} modes[COMPAT_NR] = {
	[COMPAT_READ] = { "read", "[-h] [-p] [-s] [-R] key [...]", "pR", false, true },
	[COMPAT_WRITE] = { "write", "[-h] [-s] [-R] key value [...]", "R", true, true },
	[COMPAT_RM] = { "rm", "[-h] [-s] [-t] key [...]", "t", false, true },
	[COMPAT_EXISTS] = { "exists", "[-h] [-p] [-s] key [...]", "p", false, true },
	[COMPAT_LIST] = { "list", "[-h] [-p] [-s] key [...]", "p", false, true },
	[COMPAT_LS] = { "ls", "[-h] [-f] [-p] [-s] [path]", "fp", false, false },
	[COMPAT_CHMOD] = { "chmod", "[-h] [-u] [-r] [-s] key <mode [modes...]>", "ur", false,
			   true },
	[COMPAT_WATCH] = { "watch", "[-h] [-n NR] key", "n", false, false },
};

static const struct option long_opts[] = {
	{ "help", no_argument, NULL, 'h' },	{ "flat", no_argument, NULL, 'f' },
	{ "socket", no_argument, NULL, 's' },	{ "prefix", no_argument, NULL, 'p' },
	{ "tidy", no_argument, NULL, 't' },	{ "upto", no_argument, NULL, 'u' },
	{ "recurse", no_argument, NULL, 'r' },	{ "number", required_argument, NULL, 'n' },
	{ "raw", no_argument, NULL, 'R' },	{ 0 },
};

struct run {
	enum compat_mode mode;
	struct compat_opts opts;
	int argc;
	char **argv;
	char *out; /* held back until the transaction is through */
	size_t out_len;
};

static void out_bytes(struct run *r, const char *text, size_t len)
{
	char *grown = realloc(r->out, r->out_len + len + 1);

	if (!grown)
		cli_die(1, "malloc");
	memcpy(grown + r->out_len, text, len);
	r->out = grown;
	r->out_len += len;
}

static void out_add(struct run *r, const char *text)
{
	out_bytes(r, text, strlen(text));
}

/* ---- the operations, each over all arguments; 0 or -errno ---- */

static int op_read(struct run *r, uint32_t tx)
{
	for (int i = 0; i < r->argc; i++) {
		size_t len;
		int rc;
		char *value = store_read_kept(tx, r->argv[i], &len, &rc);
		char *text;

		if (!value) {
			cli_warn("couldn't read path %s", r->argv[i]);
			return rc;
		}
		if (r->opts.prefix) {
			out_add(r, r->argv[i]);
			out_add(r, ": ");
		}
		text = text_escape_xenstore(value, len);
		if (r->opts.raw) {
			out_bytes(r, value, len);
		} else {
			out_add(r, text);
			out_add(r, "\n");
		}
		free(text);
		free(value);
	}
	return 0;
}

static int op_write(struct run *r, uint32_t tx)
{
	for (int i = 0; i < r->argc; i += 2) {
		char *value = strdup(r->argv[i + 1]);
		size_t len = r->opts.raw ? strlen(value) : (size_t)text_unescape_xenstore(value);
		int rc = xs_sync_write(store(), tx, r->argv[i], value, len);

		free(value);
		if (rc) {
			cli_warn("could not write path %s", r->argv[i]);
			return rc;
		}
	}
	return 0;
}

static bool has_children(uint32_t tx, const char *path)
{
	char *names;
	size_t len = 1;

	if (xs_sync_str(store(), XS_DIRECTORY, tx, path, &names, &len) == 0)
		free(names);
	return len != 0;
}

static bool has_value(uint32_t tx, const char *path)
{
	size_t len = 1;
	int rc;

	free(store_read_kept(tx, path, &len, &rc));
	return len != 0;
}

/* Removes parents that hold neither value nor children any more. */
static int rm_tidy(const char *path, uint32_t tx)
{
	char *up = strdup(path);
	int rc = 0;

	for (char *slash = strrchr(up, '/'); slash && slash != up && !rc;
	     slash = strrchr(up, '/')) {
		*slash = '\0';
		if (has_value(tx, up) || has_children(tx, up))
			break;
		rc = xs_sync_str(store(), XS_RM, tx, up, NULL, NULL);
	}
	free(up);
	return rc;
}

static int op_rm(struct run *r, uint32_t tx)
{
	for (int i = 0; i < r->argc; i++) {
		int rc = xs_sync_str(store(), XS_RM, tx, r->argv[i], NULL, NULL);

		if (!rc && r->opts.tidy)
			rc = rm_tidy(r->argv[i], tx);
		if (rc) {
			cli_warn("could not remove path %s", r->argv[i]);
			return rc;
		}
	}
	return 0;
}

static int op_exists(struct run *r, uint32_t tx)
{
	for (int i = 0; i < r->argc; i++) {
		int rc = xs_sync_str(store(), XS_READ, tx, r->argv[i], NULL, NULL);

		if (rc)
			return rc;
	}
	return 0;
}

static int op_list(struct run *r, uint32_t tx)
{
	for (int i = 0; i < r->argc; i++) {
		struct xs_node *root;
		int rc = xs_tree_read(store(), tx, r->argv[i], 1, 0, &root);

		if (rc) {
			cli_warn("could not list path %s", r->argv[i]);
			return rc;
		}
		for (struct xs_node *n = root->children; n; n = n->next) {
			if (r->opts.prefix) {
				out_add(r, r->argv[i]);
				out_add(r, "/");
			}
			out_add(r, n->name);
			out_add(r, "\n");
		}
		xs_tree_free(root);
	}
	return 0;
}

struct perm_list {
	char text[XENSTORE_PAYLOAD_MAX];
	size_t len;
};

static void perms_take(struct run *r, struct perm_list *p)
{
	for (int i = 1; i < r->argc; i++) {
		const char *s = r->argv[i];
		size_t room = sizeof(p->text) - p->len;

		if (!*s || !strchr("rwbn", *s))
			cli_die(1, "Invalid permission specification: '%c'", *s);
		p->len += snprintf(p->text + p->len, room, "%c%d", *s, atoi(s + 1)) + 1;
		if (p->len > sizeof(p->text))
			cli_die(1, "too many permissions");
	}
}

static int set_perms(uint32_t tx, const char *path, const struct perm_list *p)
{
	struct iovec iov[2] = { { (void *)path, strlen(path) + 1 }, { (void *)p->text, p->len } };
	int rc = xs_sync(store(), XS_SET_PERMS, tx, iov, 2, NULL, NULL);

	if (rc)
		cli_die(1, "Error occurred setting permissions on '%s': %s", path, strerror(-rc));
	return rc;
}

static void chmod_upto(uint32_t tx, const char *path, const struct perm_list *p)
{
	char *up = strdup(path);

	for (;;) {
		char *slash = strrchr(up, '/');

		if (!slash)
			cli_die(1, "Unable to locate path separator '/' in '%s'", up);
		*slash = '\0';
		if (!*up)
			break;
		set_perms(tx, up, p);
	}
	free(up);
}

static int op_chmod(struct run *r, uint32_t tx)
{
	struct perm_list perms = { .len = 0 };
	struct xs_node *root, *n;
	char path[XENSTORE_ABS_PATH_MAX + 1];
	int rc;

	perms_take(r, &perms);
	set_perms(tx, r->argv[0], &perms);
	if (r->opts.upto)
		chmod_upto(tx, r->argv[0], &perms);
	if (!r->opts.recurse)
		return 0;
	rc = xs_tree_read(store(), tx, r->argv[0], -1, 0, &root);
	if (rc)
		return rc;
	for (n = xs_tree_next(root, root); n; n = xs_tree_next(root, n)) {
		xs_tree_path(n, path, sizeof(path));
		set_perms(tx, path, &perms);
	}
	xs_tree_free(root);
	return 0;
}

/* ---- the command line ---- */

static int (*const ops[COMPAT_NR])(struct run *r, uint32_t tx) = {
	[COMPAT_READ] = op_read,     [COMPAT_WRITE] = op_write, [COMPAT_RM] = op_rm,
	[COMPAT_EXISTS] = op_exists, [COMPAT_LIST] = op_list,   [COMPAT_CHMOD] = op_chmod,
};

static _Noreturn void usage(enum compat_mode m, bool multi, const char *argv0)
{
	cli_die(1, "Usage: %s %s%s%s", argv0, multi ? modes[m].name : "", multi ? " " : "",
		modes[m].usage);
}

static void set_option(struct compat_opts *o, int letter)
{
	switch (letter) {
	case 'f':
		o->flat = true;
		break;
	case 'p':
		o->prefix = true;
		break;
	case 't':
		o->tidy = true;
		break;
	case 'u':
		o->upto = true;
		break;
	case 'r':
		o->recurse = true;
		break;
	case 'R':
		o->raw = true;
		break;
	case 'n':
		o->nr_watches = atoi(optarg);
		break;
	default: /* s: what we do anyway */
		break;
	}
}

static int run_in_transaction(void *arg, struct xs_client *c, uint32_t tx)
{
	struct run *r = arg;

	(void)c;
	r->out_len = 0;
	return ops[r->mode](r, tx);
}

static int run_op(struct run *r)
{
	bool single = r->argc == (modes[r->mode].pairs ? 2 : 1) && r->mode != COMPAT_CHMOD;
	int rc;

	if (single || !modes[r->mode].transaction)
		rc = ops[r->mode](r, 0);
	else
		rc = xs_transact(store(), run_in_transaction, r, TRIES, NULL);
	/* what came before a failure is shown, too */
	if (r->out_len)
		fwrite(r->out, 1, r->out_len, stdout);
	free(r->out);
	return rc ? 1 : 0;
}

static int run_ls(struct run *r)
{
	if (r->argc == 0)
		compat_ls("/", &r->opts);
	for (int i = 0; i < r->argc; i++)
		compat_ls(r->argv[i], &r->opts);
	return 0;
}

/* The originals have exit status 1 and their own words when there is no daemon. */
static void must_connect(void)
{
	int rc = store_connect();

	if (rc)
		cli_die(1, "xs_open: %s", strerror(-rc));
}

static int run_mode(enum compat_mode m, bool multi, int argc, char **argv, const char *argv0)
{
	struct run r = { .mode = m, .opts = { .nr_watches = -1 } };
	int c, least = m == COMPAT_LS ? 0 : 1;

	optind = 1;
	while ((c = getopt_long(argc, argv, "hfspturn:R", long_opts, NULL)) != -1) {
		if (c == 'h' || (c != '?' && c != 's' && !strchr(modes[m].letters, c)))
			usage(m, multi, argv0);
		if (c != '?')
			set_option(&r.opts, c);
	}
	r.argc = argc - optind;
	r.argv = argv + optind;
	if (r.argc < least || (modes[m].pairs && r.argc % 2))
		usage(m, multi, argv0);
	must_connect();
	if (m == COMPAT_LS)
		return run_ls(&r);
	if (m == COMPAT_WATCH)
		return compat_watch(r.argc, r.argv, &r.opts);
	return run_op(&r);
}

static const char *base_of(const char *argv0)
{
	const char *slash = strrchr(argv0, '/');

	return slash ? slash + 1 : argv0;
}

bool compat_is(const char *argv0)
{
	const char *base = base_of(argv0);

	return strcmp(base, "xenstore") == 0 || strncmp(base, "xenstore-", 9) == 0;
}

static int mode_of(const char *name)
{
	for (int m = 0; m < COMPAT_NR; m++)
		if (strcmp(modes[m].name, name) == 0)
			return m;
	cli_die(1, "unknown mode %s\n", name);
}

int compat_main(int argc, char **argv)
{
	const char *base = base_of(argv[0]);
	bool multi = strcmp(base, "xenstore") == 0;

	cli_voice()->name = base;
	if (strcmp(base, "xenstore-control") == 0)
		return compat_control(argc, argv);
	if (multi && argc < 2)
		cli_die(1, "Usage: %s <mode> [-h] [...]", argv[0]);
	/* getopt names the mode in its messages, as the original's does */
	if (multi)
		return run_mode(mode_of(argv[1]), true, argc - 1, argv + 1, argv[0]);
	return run_mode(mode_of(base + 9), false, argc, argv, argv[0]);
}
