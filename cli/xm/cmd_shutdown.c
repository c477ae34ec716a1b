/* SPDX-License-Identifier: MIT */
/*
 * cmd_shutdown.c - xm shutdown and xm reboot: the guest is asked to end, or to end and start again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "domains.h"
#include "record_store.h"
#include "request.h"

#define ALL {'a', "all", NULL, "all running domains but Domain-0"}
#define WAIT {'w', "wait", NULL, "return when it has happened"}

static const struct cli_opt shutdown_options[] = {
	ALL,
	WAIT,
	{ 0, "host", NULL, "the host goes down: nothing starts any more, records stay on" },
	{ 'F', NULL, NULL, NULL }, /* xl: fall back to ACPI; a paravirtual guest has none */
	{ 'H', "halt", NULL, NULL },
	{ 'R', "reboot", NULL, NULL },
	{ 0 },
};

static const struct cli_opt reboot_options[] = {
	ALL,
	WAIT,
	{ 'F', NULL, NULL, NULL },
	{ 0 },
};

/* What is done to one domain; returns the exit status. */
typedef int (*act_fn)(struct xm *xm, const struct domain *dom);
enum progress { NOT_YET, DONE, WENT_WRONG };

/* How far it is with a domain that was @before and is @now (@present: is there at all). */
typedef enum progress (*progress_fn)(const struct domain *before, const struct domain *now,
				     bool present);

/* The store has lost something: xend, which does not act on all records then, switches it off. */
static bool is_degraded(struct xm *xm)
{
	char *store = store_read(xm->xs, XBT_NULL, "/status/store");
	bool is = store && !strcmp(store, "degraded");

	free(store);
	return is;
}

static int shutdown_one(struct xm *xm, const struct domain *dom)
{
	int ret;

	if (!dom->has_record || is_degraded(xm))
		return request_simple(xm, "shutdown", dom->name, "not shut down");
	/* It may be ending by itself just now, and its record with it. */
	ret = record_switch_off(xm->xs, dom->name);
	return ret ? xm_fail_store(xm, "switching the record off", -ret) : 0;
}

/* As the host's own shutdown does: what ran is remembered as running, for autostart=last. */
static int shutdown_for_host(struct xm *xm, const struct domain *dom)
{
	return request_simple(xm, "shutdown", dom->name, "not shut down");
}

static int reboot_one(struct xm *xm, const struct domain *dom)
{
	return request_simple(xm, "reboot", dom->name, "not rebooted");
}

static bool is_settled(const struct domain *dom)
{
	return dom->state == DOM_SHUTDOWN || dom->state == DOM_CRASHED ||
	       dom->state == DOM_DEFINED || dom->state == DOM_FAILED;
}

/* Of a transient one, which has ended, nothing stays: until then its name is not free. */
static bool is_going(const struct domain *dom)
{
	return (dom->state == DOM_SHUTDOWN || dom->state == DOM_CRASHED) && dom->domid < 0 &&
	       !(dom->has_record && dom->persistent);
}

/* Not before xend has settled it: a domain without ID may still be in the state stopping. */
static enum progress shutdown_progress(const struct domain *before, const struct domain *now,
				       bool present)
{
	bool next_life = now->domid >= 0 && now->domid != before->domid;

	return !present || next_life || (is_settled(now) && !is_going(now)) ? DONE : NOT_YET;
}

static enum progress reboot_progress(const struct domain *before, const struct domain *now,
				     bool present)
{
	if (!present || is_settled(now))
		return WENT_WRONG; /* no next life: on_reboot, or a failed start */
	return now->domid >= 0 && now->domid != before->domid && now->state == DOM_RUNNING
		       ? DONE
		       : NOT_YET;
}

static int wait_one(struct xm *xm, const struct domain *dom, progress_fn progress)
{
	struct xs_handle *xs = xm->xs;
	enum progress how_far = NOT_YET;
	struct interrupts interrupts;
	int woken = -EIO;
	struct domain now;

	interrupts_open(&interrupts);
	if (store_watch(xs, "wait", "/status/domain/%s", dom->name))
		do {
			woken = store_wait(xs, interrupts.fd, STORE_FOREVER);
			if (woken > 0)
				how_far = progress(dom, &now, domain_read(xs, dom->name, &now));
		} while (woken > 0 && how_far == NOT_YET);
	store_unwatch(xs, "wait", "/status/domain/%s", dom->name);
	interrupts_close(&interrupts);
	if (how_far == WENT_WRONG)
		return xm_fail(xm, "%s has not come back: '%s why %s' tells more", dom->name,
			       xm->prog, dom->name);
	if (woken == -EINTR)
		return xm_fail(xm, "%s: no longer waited for; it goes on", dom->name);
	return woken < 0 ? xm_fail_store(xm, "waiting", -woken) : 0;
}

/* Whether a named domain can be asked anything; says so if not. */
static bool can_be_asked(struct xm *xm, const struct domain *dom)
{
	if (dom->domid == 0)
		xm_fail(xm, "Domain-0 is the host: use the host's own poweroff or reboot");
	else if (dom->state == DOM_CRASHED || dom->state == DOM_SHUTDOWN)
		xm_fail(xm, "%s is dead already (%s, kept for a look): '%s destroy %s' ends it",
			dom->name, dom->state_word, xm->prog, dom->name);
	else
		return true;
	return false;
}

/* The domains meant: those named, or all. 0, or 1 after an error; @nr may be 0 with -a. */
static int select_domains(struct xm *xm, const struct cli_args *args, struct domain **out,
			  size_t *nr)
{
	struct domain *doms = calloc((size_t)args->argc + 1, sizeof(*doms));
	struct domains all;

	*nr = 0;
	*out = doms;
	if (!doms)
		return xm_fail(xm, "out of memory");
	if (!cli_has(args, "all")) {
		for (int i = 0; i < args->argc; i++) {
			if (domain_find_running(xm, args->argv[i], &doms[*nr]))
				return 1;
			if (!can_be_asked(xm, &doms[*nr]))
				return 1;
			(*nr)++;
		}
		return 0;
	}
	free(doms);
	*out = NULL;
	if (!xm_store(xm) || domains_load(xm->xs, &all) < 0)
		return xm_fail(xm, "cannot read the list of domains");
	*out = all.at;
	for (size_t i = 0; i < all.nr; i++)
		if (domain_is_live(&all.at[i]) && all.at[i].domid > 0 &&
		    all.at[i].state != DOM_CRASHED && all.at[i].state != DOM_SHUTDOWN)
			all.at[(*nr)++] = all.at[i];
	return 0;
}

static int host_goes_down(struct xm *xm)
{
	int ret = xm_store(xm) ? store_write(xm->xs, XBT_NULL, "1", "/host/stopping") : -EIO;

	return ret && xm->xs ? xm_fail_store(xm, "writing /host/stopping", -ret) : ret != 0;
}

/* One that cannot be asked, perhaps because it has just ended, keeps no other from being asked. */
static int end_all(struct xm *xm, const struct cli_args *args, act_fn act, progress_fn progress)
{
	struct domain *doms = NULL;
	size_t nr, asked = 0;
	int ret;

	if (!args->argc == !cli_has(args, "all"))
		return cli_refuse(args, "name one or more domains, or say -a for all");
	ret = select_domains(xm, args, &doms, &nr);
	if (!ret && cli_has(args, "host"))
		ret = host_goes_down(xm);
	if (ret)
		nr = 0;
	for (size_t i = 0; i < nr; i++) {
		if (act(xm, &doms[i]))
			ret = 1;
		else
			doms[asked++] = doms[i];
	}
	for (size_t i = 0; cli_has(args, "wait") && i < asked; i++) {
		if (wait_one(xm, &doms[i], progress)) {
			ret = 1;
			break;
		}
	}
	free(doms);
	return ret;
}

static int run_shutdown(struct cli_args *args)
{
	struct xm *xm = args->with;

	if (cli_has(args, "host"))
		return end_all(xm, args, shutdown_for_host, shutdown_progress);
	if (cli_has(args, "reboot")) /* xm shutdown -R */
		return end_all(xm, args, reboot_one, reboot_progress);
	return end_all(xm, args, shutdown_one, shutdown_progress);
}

static int run_reboot(struct cli_args *args)
{
	struct xm *xm = args->with;

	return end_all(xm, args, reboot_one, reboot_progress);
}

const struct cli_cmd cmd_shutdown = {
	.name = "shutdown",
	.args = "DOMAIN... | -a",
	.help = "Ask a domain to shut down",
	.more = "The guest decides when; xm destroy does not ask. A stored record stays, "
		  "switched off.\n"
		  "If a host that was said to go down stays up: xs rm /host/stopping; what ran then\n"
		  "starts again.",
	.opts = shutdown_options,
	.says = CLI_SAYS_NOTHING,
	.max_args = -1,
	.example = "xm shutdown -w web",
	.run = run_shutdown,
};

const struct cli_cmd cmd_reboot = {
	.name = "reboot",
	.args = "DOMAIN... | -a",
	.help = "Ask a domain to reboot",
	.more = "Its record is read again: what was changed in the meantime takes effect.",
	.opts = reboot_options,
	.says = CLI_SAYS_NOTHING,
	.max_args = -1,
	.example = "xm reboot -w web",
	.run = run_reboot,
};
