/* SPDX-License-Identifier: MIT */
/*
 * cmd_edit.c - xm edit: a stored record in the user's editor, as a configuration file.
 *
 * Written back only if nobody changed the record meanwhile; what the user wrote is never thrown
 * away: after an error the file stays, and its name is told.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands.h"
#include "domains.h"
#include "load.h"
#include "record_load.h"
#include "record_settle.h"
#include "record_store.h"

#define EDIT_PATH 256

static int write_file(struct xm *xm, const char *name, const struct record_keys *keys,
		      char path[EDIT_PATH])
{
	const char *dir = getenv("TMPDIR");
	FILE *f;
	int fd;

	snprintf(path, EDIT_PATH, "%.200s/xm-edit-XXXXXX.cfg", dir && *dir == '/' ? dir : "/tmp");
	fd = mkstemps(path, 4);
	f = fd < 0 ? NULL : fdopen(fd, "w");

	if (!f)
		return xm_fail(xm, "cannot write %s: %s", path, strerror(errno));
	record_print_cfg(name, keys, f);
	return fclose(f) ? xm_fail(xm, "cannot write %s: %s", path, strerror(errno)) : 0;
}

static int run_editor(struct xm *xm, const char *path)
{
	const char *visual = getenv("VISUAL"), *editor = getenv("EDITOR");
	const char *program = visual && *visual ? visual : editor && *editor ? editor : "vi";
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		/* The variable may hold arguments: by convention the shell splits it. */
		setenv("XM_EDITOR", program, 1);
		execl("/bin/sh", "sh", "-c", "eval \"exec $XM_EDITOR \\\"\\$1\\\"\"", "sh", path,
		      NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return xm_fail(xm, "cannot start the editor: %s", strerror(errno));
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return xm_fail(xm, "the editor (%s) failed; nothing is changed", program);
	return 0;
}

/* What a configuration file does not say stays as it was. */
static void keep_rest(struct record *rec, const struct record_keys *old)
{
	const char *uuid = record_keys_get(old, "uuid");

	rec->paused = strcmp(record_value(old, "paused"), "1") == 0;
	rec->persistent = strcmp(record_value(old, "persistent"), "0") != 0;
	if (rec->uuid_is_new)
		snprintf(rec->uuid_text, sizeof(rec->uuid_text), "%s", uuid ? uuid : "");
}

/* 0 when it was changed, -1 when there was nothing to change, 1 after saying why not. */
static int write_back(struct xm *xm, const char *name, const struct record_keys *old,
		      struct record *rec, const char *path)
{
	char *bridge;
	bool changed;
	int ret;

	if (strcmp(rec->name, name) != 0)
		return xm_fail(
			xm,
			"the name cannot be changed here: '%s rename %s %s' (your text is in "
			"%s)",
			xm->prog, name, rec->name, path);
	keep_rest(rec, old);
	bridge = load_bridge(xm);
	ret = record_replace(xm->xs, old, rec, record_bridge(bridge), &changed);
	free(bridge);
	if (!ret && !changed)
		fprintf(xm->out, "%s is unchanged\n", name);
	if (ret == -ESTALE || ret == -ENOENT)
		return xm_fail(xm, "somebody else %s %s meanwhile; your text is in %s",
			       ret == -ESTALE ? "changed" : "removed", name, path);
	if (ret)
		return xm_fail_store(xm, "writing the record", -ret);
	return changed ? 0 : -1;
}

static int edit(struct xm *xm, const struct domain *dom, const struct record_keys *old)
{
	char path[EDIT_PATH], found[LOAD_PATH_MAX];
	struct record rec;
	int ret = write_file(xm, dom->name, old, path);

	if (ret)
		return ret;
	ret = run_editor(xm, path);
	if (ret) {
		unlink(path);
		return ret;
	}
	if (load_record(xm, path, NULL, 0, false, &rec, found))
		return xm_fail(xm, "%s is not changed; your text is in %s", dom->name, path);
	ret = write_back(xm, dom->name, old, &rec, path);
	if (ret > 0)
		return ret;
	unlink(path);
	if (ret == 0 && domain_is_live(dom))
		fprintf(xm->out, "%s runs on as it is; the change counts from its next start\n",
			dom->name);
	return 0;
}

static int run_edit(struct cli_args *args)
{
	struct xm *xm = args->with;
	struct record_keys old = { 0 };
	struct domain dom;
	int ret;

	if (domain_find(xm, args->argv[0], &dom))
		return 1;
	ret = record_load(xm->xs, dom.name, &old);
	if (ret == -ENOENT)
		return xm_fail(xm, "%s has no stored record", dom.name);
	if (ret)
		return xm_fail_store(xm, "reading the record", -ret);
	ret = edit(xm, &dom, &old);
	record_keys_free(&old);
	return ret;
}

const struct cli_cmd cmd_edit = {
	.name = "edit",
	.args = "DOMAIN",
	.help = "Change a stored record in your editor",
	.more = "The editor is $VISUAL, else $EDITOR, else vi. Meanwhile the text is in $TMPDIR, else /tmp; it stays\n"
		"there where it could not be taken.",
	.says = CLI_SAYS_NO_JSON,
	.min_args = 1,
	.max_args = 1,
	.example = "EDITOR=nano xm edit web",
	.run = run_edit,
};

/* xm config edit, xm config show: the same under one word. */
static int run_config(struct cli_args *args)
{
	struct cli_args rest = *args;

	rest.argc = 1;
	rest.argv = args->argv + 1;
	if (strcmp(args->argv[0], "edit") == 0)
		return run_edit(&rest);
	if (strcmp(args->argv[0], "show") == 0)
		return cmd_export.run(&rest);
	return cli_refuse(args, "'%.32s': say config edit or config show", args->argv[0]);
}

const struct cli_cmd cmd_config = {
	.name = "config",
	.args = "edit | show DOMAIN",
	.help = "Change or print a stored record, as edit and export do",
	.says = CLI_SAYS_NO_JSON,
	.min_args = 2,
	.max_args = 2,
	.example = "xm config show web",
	.run = run_config,
};
