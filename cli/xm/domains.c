/* SPDX-License-Identifier: MIT */
/*
 * domains.c - see domains.h.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domains.h"
#include "nearest.h"
#include "schema.h"

#define DOMID_END 0x7ff0 /* from here on they are Xen's own names (DOMID_SELF and so on) */

static const struct {
	const char *word;
	const char *flags; /* r b p s c d, as xl list */
} states[DOM_STATE_NR] = {
	[DOM_DEFINED] = { "defined", "------" },	 [DOM_STARTING] = { "starting", "--p---" },
	[DOM_RUNNING] = { "running", "r-----" },	 [DOM_PAUSED] = { "paused", "--p---" },
	[DOM_STOPPING] = { "stopping", "r-----" }, [DOM_SHUTDOWN] = { "shutdown", "---s--" },
	[DOM_CRASHED] = { "crashed", "----c-" },	 [DOM_FAILED] = { "failed", "------" },
	[DOM_UNKNOWN] = { "unknown", "------" },
};

enum dom_state dom_state_parse(const char *word)
{
	for (int i = 0; i < DOM_UNKNOWN; i++)
		if (strcmp(states[i].word, word) == 0)
			return (enum dom_state)i;
	return DOM_UNKNOWN;
}

const char *domain_flags(const struct domain *dom)
{
	bool runs = dom->state == DOM_RUNNING || dom->state == DOM_STOPPING;

	return runs && dom->blocked ? "-b----" : states[dom->state].flags;
}

bool domain_is_live(const struct domain *dom)
{
	return dom->domid >= 0 && dom->state != DOM_DEFINED && dom->state != DOM_FAILED;
}

bool domain_is_active(const struct domain *dom)
{
	return domain_is_live(dom) || dom->state == DOM_STARTING || dom->state == DOM_STOPPING;
}

static void copy_text(struct xs_handle *xs, char *out, size_t size, const char *dir,
		      const char *name, const char *key)
{
	char *text = store_read(xs, XBT_NULL, "%s/%s/%s", dir, name, key);

	if (text)
		snprintf(out, size, "%s", text);
	free(text);
}

static void read_status(struct xs_handle *xs, struct domain *dom)
{
	static const char dir[] = "/status/domain";
	long long n;

	copy_text(xs, dom->state_word, sizeof(dom->state_word), dir, dom->name, "state");
	if (!dom->state_word[0])
		return;
	dom->state = dom_state_parse(dom->state_word);
	copy_text(xs, dom->uuid, sizeof(dom->uuid), dir, dom->name, "uuid");
	if (store_read_number(xs, XBT_NULL, &n, "%s/%s/domid", dir, dom->name) && n >= 0 &&
	    n < DOMID_END)
		dom->domid = (int)n;
	store_read_number(xs, XBT_NULL, &dom->memory_kib, "%s/%s/memory_kib", dir, dom->name);
	store_read_number(xs, XBT_NULL, &dom->vcpus, "%s/%s/vcpus", dir, dom->name);
	store_read_number(xs, XBT_NULL, &dom->cpu_time_ns, "%s/%s/cpu_time_ns", dir, dom->name);
	dom->foreign = store_exists(xs, "%s/%s/foreign", dir, dom->name);
	if (store_read_number(xs, XBT_NULL, &n, "%s/%s/blocked", dir, dom->name))
		dom->blocked = n != 0;
}

static void read_record(struct xs_handle *xs, struct domain *dom)
{
	static const char dir[] = "/config/domain";
	long long n;

	dom->has_record = store_exists(xs, "%s/%s", dir, dom->name);
	if (!dom->has_record)
		return;
	dom->persistent =
		!store_read_number(xs, XBT_NULL, &n, "%s/%s/persistent", dir, dom->name) || n != 0;
	if (!dom->uuid[0])
		copy_text(xs, dom->uuid, sizeof(dom->uuid), dir, dom->name, "uuid");
	/* What it would have, while it has nothing, or is being given it. */
	if (dom->domid >= 0 && dom->memory_kib)
		return;
	if (store_read_number(xs, XBT_NULL, &n, "%s/%s/memory", dir, dom->name))
		dom->memory_kib = n * 1024;
	if (dom->domid < 0 || !dom->vcpus)
		dom->vcpus = store_read_number(xs, XBT_NULL, &n, "%s/%s/vcpus", dir, dom->name) ?
				     n :
				     atoll(schema_find(RECORD_ROOT "/x/vcpus")->absent);
}

bool domain_read(struct xs_handle *xs, const char *name, struct domain *dom)
{
	memset(dom, 0, sizeof(*dom));
	if (strlen(name) > DOMAIN_NAME_MAX || !*name || strchr(name, '/'))
		return false;
	strcpy(dom->name, name);
	dom->domid = -1;
	read_status(xs, dom);
	read_record(xs, dom);
	if (!dom->state_word[0])
		strcpy(dom->state_word, states[DOM_DEFINED].word);
	else if (dom->state == DOM_DEFINED || dom->state == DOM_FAILED)
		dom->domid = -1;
	return dom->has_record || store_exists(xs, "/status/domain/%s/state", name);
}

static int compare_domains(const void *a, const void *b)
{
	const struct domain *x = a, *y = b;

	if ((x->domid < 0) != (y->domid < 0))
		return x->domid < 0 ? 1 : -1;
	if (x->domid != y->domid)
		return x->domid < y->domid ? -1 : 1;
	return strcmp(x->name, y->name);
}

static bool is_loaded(const struct domains *all, const char *name)
{
	for (size_t i = 0; i < all->nr; i++)
		if (strcmp(all->at[i].name, name) == 0)
			return true;
	return false;
}

static int load_dir(struct xs_handle *xs, struct domains *all, const char *dir)
{
	unsigned int nr;
	char **names = store_list_names(xs, XBT_NULL, &nr, dir);
	struct domain *at;

	if (!names)
		return errno == ENOENT ? 0 : -errno;
	at = realloc(all->at, (all->nr + nr + 1) * sizeof(*at));
	if (!at) {
		free(names);
		return -ENOMEM;
	}
	all->at = at;
	for (unsigned int i = 0; i < nr; i++)
		if (!is_loaded(all, names[i]) && domain_read(xs, names[i], &at[all->nr]))
			all->nr++;
	free(names);
	return 0;
}

int domains_load(struct xs_handle *xs, struct domains *all)
{
	int ret;

	memset(all, 0, sizeof(*all));
	ret = load_dir(xs, all, "/status/domain");
	if (!ret)
		ret = load_dir(xs, all, "/config/domain");
	if (ret)
		domains_fini(all);
	else if (all->nr)
		qsort(all->at, all->nr, sizeof(*all->at), compare_domains);
	return ret;
}

void domains_fini(struct domains *all)
{
	free(all->at);
	memset(all, 0, sizeof(*all));
}

static bool is_number(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

/* The number @text is, or -1: what is too large for one is nobody's, not the rest of a division. */
static int domid_of(const char *text)
{
	unsigned long n = is_number(text) ? strtoul(text, NULL, 10) : DOMID_END;

	return n < DOMID_END ? (int)n : -1;
}

int domain_find(struct xm *xm, const char *arg, struct domain *dom)
{
	struct xs_handle *xs = xm_store(xm);
	struct nearest near = { 0 };
	struct domains all;
	int ret;

	if (!xs)
		return -EIO;
	if (!is_number(arg) && domain_read(xs, arg, dom))
		return 0;
	ret = domains_load(xs, &all);
	if (ret) {
		xm_fail_store(xm, "reading the list of domains", -ret);
		return ret;
	}
	ret = -ENOENT;
	for (size_t i = 0; i < all.nr && ret; i++) {
		nearest_offer(&near, arg, all.at[i].name);
		if (domid_of(arg) >= 0 && all.at[i].domid == domid_of(arg)) {
			*dom = all.at[i];
			ret = 0;
		}
	}
	if (ret && near.word)
		xm_fail(xm, "there is no domain '%s'; did you mean '%s'?", arg, near.word);
	else if (ret)
		xm_fail(xm, "there is no domain '%s'", arg);
	domains_fini(&all);
	return ret;
}

int domain_find_running(struct xm *xm, const char *arg, struct domain *dom)
{
	int ret = domain_find(xm, arg, dom);

	if (ret || domain_is_live(dom))
		return ret;
	xm_fail(xm, "domain '%s' is not running (it is %s)", dom->name, dom->state_word);
	return -ENOENT;
}

int domain_has_home(struct xs_handle *xs, xs_transaction_t t, const struct domain *dom)
{
	int has = store_has(xs, t, "/local/domain/%d", dom->domid);

	return has > 0 ? 0 : has < 0 ? has : -ESRCH;
}
