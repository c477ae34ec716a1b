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

#include "args.h"
#include "commands.h"
#include "domains.h"
#include "load.h"
#include "record_store.h"

static int write_file(struct xm *xm, const struct record *rec, char path[64])
{
	int fd = mkstemps(strcpy(path, "/tmp/xm-edit-XXXXXX.cfg"), 4);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	if (!f)
		return xm_fail(xm, "cannot write %s: %s", path, strerror(errno));
	record_print_cfg(rec, f);
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
static void keep_rest(struct record *rec, const struct record *old)
{
	rec->power = old->power;
	rec->paused = old->paused;
	rec->persistent = true;
}

static int write_back(struct xm *xm, const struct record *old, struct record *rec, const char *path)
{
	json_t *before = record_json(old), *after;
	bool same;
	int ret;

	keep_rest(rec, old);
	after = record_json(rec);
	same = json_equal(before, after);
	json_decref(before);
	json_decref(after);
	if (same) {
		fprintf(xm->out, "%s is unchanged\n", old->name);
		return 0;
	}
	if (strcmp(rec->name, old->name) != 0)
		return xm_fail(
			xm,
			"the name cannot be changed here: '%s rename %s %s' (your text is in "
			"%s)",
			xm->prog, old->name, rec->name, path);
	ret = record_replace(xm->xs, old, rec);
	if (ret == -ESTALE || ret == -ENOENT)
		return xm_fail(xm, "somebody else %s %s meanwhile; your text is in %s",
			       ret == -ESTALE ? "changed" : "removed", old->name, path);
	return ret ? xm_fail_store(xm, "writing the record", -ret) : 0;
}

static int edit(struct xm *xm, const struct domain *dom, const struct record *old)
{
	char path[64], found[LOAD_PATH_MAX];
	struct record rec;
	int ret = write_file(xm, old, path);

	if (ret)
		return ret;
	ret = run_editor(xm, path);
	if (ret) {
		unlink(path);
		return ret;
	}
	if (load_record(xm, path, NULL, 0, false, &rec, found))
		return xm_fail(xm, "%s is not changed; your text is in %s", old->name, path);
	load_default_bridge(xm, &rec);
	ret = write_back(xm, old, &rec, path);
	record_fini(&rec);
	if (ret)
		return ret;
	unlink(path);
	if (domain_is_live(dom))
		fprintf(xm->out, "%s runs on as it is; the change counts from its next start\n",
			old->name);
	return 0;
}

static int run_edit(struct xm *xm, const struct args *args)
{
	struct record old;
	struct domain dom;
	int ret;

	if (domain_find(xm, args->at[0], &dom))
		return 1;
	ret = record_get(xm->xs, XBT_NULL, dom.name, &old);
	if (ret == -ENOENT)
		return xm_fail(xm, "%s has no stored record", dom.name);
	ret = edit(xm, &dom, &old);
	record_fini(&old);
	return ret;
}

const struct command cmd_edit = {
	.name = "edit",
	.usage = "DOMAIN",
	.summary = "Change a stored record in your editor",
	.detail = "The editor is $VISUAL, else $EDITOR, else vi.",
	.min_args = 1,
	.max_args = 1,
	.example = "EDITOR=nano xm edit web",
	.run = run_edit,
};

/* xm config edit, xm config show: the same under one word. */
static int run_config(struct xm *xm, const struct args *args)
{
	struct args rest = *args;

	rest.nr = 1;
	rest.at[0] = args->at[1];
	if (strcmp(args->at[0], "edit") == 0)
		return run_edit(xm, &rest);
	if (strcmp(args->at[0], "show") == 0)
		return cmd_export.run(xm, &rest);
	return xm_fail(xm, "'%.32s': say config edit or config show", args->at[0]);
}

const struct command cmd_config = {
	.name = "config",
	.usage = "edit | show DOMAIN",
	.summary = "Change or print a stored record, as edit and export do",
	.min_args = 2,
	.max_args = 2,
	.example = "xm config show web",
	.run = run_config,
};
