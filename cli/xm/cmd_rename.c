/* SPDX-License-Identifier: MIT */
/*
 * cmd_rename.c - xm rename and xm autostart: small changes of a stored record.
 */
#include <errno.h>
#include <stdlib.h>

#include "cfg_keys.h"
#include "commands.h"
#include "domains.h"
#include "request.h"

struct rename_args {
	const char *from, *to;
};

static int move(struct xs_handle *xs, xs_transaction_t t, const char *below,
		const struct rename_args *r)
{
	char from[STORE_PATH_MAX], to[STORE_PATH_MAX];
	int has, ret;

	snprintf(from, sizeof(from), "%s/%s", below, r->from);
	snprintf(to, sizeof(to), "%s/%s", below, r->to);
	ret = store_remove(xs, t, "%s", to);
	has = ret ? ret : store_has(xs, t, "%s", from);
	if (has <= 0)
		return has;
	ret = store_copy(xs, t, from, to);
	return ret ? ret : store_remove(xs, t, "%s", from);
}

/*
 * Whether a domain has @name: its record, or, where other tools built it, its number. 1, 0; -errno.
 */
static int is_anybodys(struct xs_handle *xs, xs_transaction_t t, const char *name)
{
	int ret = store_has(xs, t, "/config/domain/%s", name);

	return ret ? ret : store_has(xs, t, "/status/domain/%s/domid", name);
}

/*
 * What is left of an older domain of the new name goes. -EBUSY: it starts or ends, by its old name.
 */
static int rename_body(struct xs_handle *xs, xs_transaction_t t, void *data)
{
	const struct rename_args *r = data;
	int ret = is_anybodys(xs, t, r->to);
	enum dom_state state;
	char *word;

	if (ret)
		return ret < 0 ? ret : -EEXIST;
	word = store_read(xs, t, "/status/domain/%s/state", r->from);
	if (!word && errno != ENOENT)
		return -errno;
	state = word ? dom_state_parse(word) : DOM_DEFINED;
	free(word);
	if (state == DOM_STARTING || state == DOM_STOPPING)
		return -EBUSY;
	ret = move(xs, t, "/config/domain", r);
	return ret ? ret : move(xs, t, "/history/domain", r);
}

/* xend keeps a running domain under its name: it moves everything. */
static int rename_running(struct xm *xm, const struct domain *dom, const char *name)
{
	const struct request_arg args[] = { { "name", name }, { NULL, NULL } };
	struct request req = { .op = "rename", .domain = dom->name, .args = args };
	int ret = request_told(xm, &req, "not renamed");

	request_close(xm->xs, &req);
	return ret;
}

static int run_rename(struct cli_args *args)
{
	struct xm *xm = args->with;
	const char *name = args->argv[1], *problem = domain_name_problem(name);
	struct domain dom;
	struct rename_args r = { dom.name, name };
	int ret;

	if (problem)
		return xm_fail(xm, "the name '%.80s' %s", name, problem);
	if (domain_find(xm, args->argv[0], &dom))
		return 1;
	if (domain_is_live(&dom) && dom.domid > 0)
		return rename_running(xm, &dom, name);
	if (!dom.has_record)
		return xm_fail(xm, "%s has no record: it cannot be renamed", dom.name);
	ret = store_transact(xm->xs, rename_body, &r);
	if (ret == -EEXIST)
		return xm_fail(xm, "there is a domain '%s' already", name);
	if (ret == -EBUSY)
		return xm_fail(xm, "%s is %s: it can be renamed when that is over", dom.name,
			       dom.state_word);
	return ret ? xm_fail_store(xm, "renaming the record", -ret) : 0;
}

const struct cli_cmd cmd_rename = {
	.name = "rename",
	.args = "DOMAIN NEW-NAME",
	.help = "Rename a domain, running or not",
	.says = CLI_SAYS_NO_JSON,
	.min_args = 2,
	.max_args = 2,
	.example = "xm rename web shop",
	.run = run_rename,
};

struct autostart_args {
	const char *name, *value;
};

static int autostart_body(struct xs_handle *xs, xs_transaction_t t, void *data)
{
	const struct autostart_args *a = data;
	int ret = store_has(xs, t, "/config/domain/%s", a->name);

	if (ret <= 0)
		return ret ? ret : -ENOENT;
	ret = store_write(xs, t, a->value, "/config/domain/%s/autostart", a->name);
	/* What is to come back after a reboot of the host must be kept over it. */
	if (!ret && a->value[0] != '0')
		ret = store_write(xs, t, "1", "/config/domain/%s/persistent", a->name);
	return ret;
}

static int run_autostart(struct cli_args *args)
{
	struct xm *xm = args->with;
	struct autostart_args a = { 0 };
	enum record_autostart value;
	struct domain dom;
	int ret;

	if (domain_find(xm, args->argv[0], &dom))
		return 1;
	a.name = dom.name;
	if (args->argc == 1) {
		char *now = store_read(xm->xs, XBT_NULL, "/config/domain/%s/autostart", dom.name);

		fprintf(xm->out, "%s\n",
			now && *now == '1'   ? "on"
			: now && *now == 'l' ? "last"
					     : "off");
		free(now);
		return 0;
	}
	if (!cfg_autostart_parse(args->argv[1], &value))
		return cli_refuse(args, "'%s': say on, off, or last (as it was when the host went down)",
				  args->argv[1]);
	a.value = record_autostart_word(value);
	ret = store_transact(xm->xs, autostart_body, &a);
	if (ret == -ENOENT)
		return xm_fail(xm, "%s has no record", dom.name);
	return ret ? xm_fail_store(xm, "changing the record", -ret) : 0;
}

const struct cli_cmd cmd_autostart = {
	.name = "autostart",
	.args = "DOMAIN [on | off | last]",
	.help = "Say whether a domain starts with the host",
	.more = "last: as it was when the host went down. Without a word, print what is set.",
	.says = CLI_SAYS_NO_JSON,
	.min_args = 1,
	.max_args = 2,
	.example = "xm autostart web last",
	.run = run_autostart,
};
