/* SPDX-License-Identifier: MIT */
/*
 * cmd_device.c - xm block-attach, block-detach, network-attach, network-detach.
 *
 * A device is an item of the record (disk/N, vif/N). Of a running domain xend is asked to make it
 * follow at once; with -l the record is left, or put back, as it was. Devices there are: the
 * backend directories, dom0's side.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "domains.h"
#include "load.h"
#include "record_load.h"
#include "record_store.h"
#include "request.h"

static const struct cli_opt attach_options[] = {
	{ 'l', "live", NULL, "only the running domain, not its stored record" },
	{ 0 },
};

static const struct cli_opt detach_options[] = {
	{ 'l', "live", NULL, "only the running domain, not its stored record" },
	{ 'f', "force", NULL, "without the guest's consent; what it has not written is lost" },
	{ 0 },
};

struct kind {
	const char *noun, *lister;
	const char *list, *backend; /* in the record; in dom0's backend directory */
	const char *name_in_list, *name_in_backend;  /* keys of what the user calls it */
	unsigned int max;
	bool item_is_id; /* its item in the record is the device's number, too */
	int (*put)(struct xs_handle *xs, xs_transaction_t t, const char *name, unsigned int item,
		   const struct record *rec);
};

static int put_disk(struct xs_handle *xs, xs_transaction_t t, const char *name, unsigned int item,
		    const struct record *rec)
{
	struct disk_spec disk = rec->disk[0];

	disk.item = item;
	return record_put_disk(xs, t, name, &disk);
}

static int put_vif(struct xs_handle *xs, xs_transaction_t t, const char *name, unsigned int item,
		   const struct record *rec)
{
	struct vif_spec vif = rec->vif[0];

	vif.item = item;
	return record_put_vif(xs, t, name, &vif);
}

static const struct kind disk_kind = { .noun = "disk",
				       .lister = "block-list",
				       .list = "disk",
				       .backend = "vbd",
				       .name_in_list = "vdev",
				       .name_in_backend = "dev",
				       .max = RECORD_DISKS_MAX,
				       .put = put_disk };
static const struct kind vif_kind = { .noun = "network card",
				      .lister = "network-list",
				      .list = "vif",
				      .backend = "vif",
				      .name_in_list = "mac",
				      .name_in_backend = "mac",
				      .max = RECORD_VIFS_MAX,
				      .item_is_id = true,
				      .put = put_vif };

struct device {
	const struct kind *kind;
	const struct domain *dom;
	struct record *rec; /* holds the new one at 0 */
	unsigned int item;
	const char *name; /* xvdb, a MAC or a number */
	char id[32];	  /* the backend's, "" when there is none */
};

/* ---- attach ---- */

/* xm's "BACKEND FRONTEND MODE" and xl's "SPEC" are the same with commas. */
static bool join(const struct cli_args *args, char *out, size_t size)
{
	size_t n = 0;

	out[0] = '\0';
	for (int i = 1; i < args->argc; i++) {
		n += (size_t)snprintf(out + n, size - n, "%s%s", i > 1 ? "," : "", args->argv[i]);
		if (n >= size)
			return false;
	}
	return true;
}

/* Whether the record has what the new one would be to the guest. */
static bool has_it(const struct device *dev, const struct record *now)
{
	char mac[VIF_MAC_LEN + 1];

	for (unsigned int i = 0; dev->kind == &disk_kind && i < now->nr_disks; i++)
		if (now->disk[i].number == dev->rec->disk[0].number)
			return true;
	for (unsigned int i = 0; dev->kind == &vif_kind && i < now->nr_vifs; i++) {
		record_vif_mac(now, &now->vif[i], mac);
		if (strcmp(mac, dev->rec->vif[0].mac) == 0)
			return true;
	}
	return false;
}

/* Whether item @dev->item is somebody's: 1, 0; -errno: the store does not say. */
static int is_taken(struct xs_handle *xs, xs_transaction_t t, const struct device *dev)
{
	const struct kind *kind = dev->kind;
	int ret = store_has(xs, t, "/config/domain/%s/%s/%u", dev->dom->name, kind->list, dev->item);

	if (ret || !kind->item_is_id)
		return ret;
	return store_has(xs, t, "/local/domain/0/backend/%s/%d/%u", kind->backend, dev->dom->domid,
			 dev->item);
}

/* At the first number that is free everywhere; -EEXIST when the list has the name already. */
static int put_body(struct xs_handle *xs, xs_transaction_t t, void *data)
{
	struct device *dev = data;
	const struct kind *kind = dev->kind;
	const char *name = dev->dom->name;
	struct record_keys keys = { 0 };
	struct record now;
	int ret = record_load_in(xs, t, name, &keys);

	if (!ret)
		record_parse(&now, name, &keys, NULL, NULL);
	record_keys_free(&keys);
	if (ret)
		return ret;
	if (has_it(dev, &now))
		return -EEXIST;
	if ((kind == &disk_kind ? now.nr_disks : now.nr_vifs) >= kind->max)
		return -ENOSPC;
	dev->item = 0;
	while ((ret = is_taken(xs, t, dev)) > 0)
		dev->item++;
	return ret ? ret : kind->put(xs, t, name, dev->item, dev->rec);
}

static int take_back(struct xm *xm, const struct device *dev)
{
	return store_remove(xm->xs, XBT_NULL, "/config/domain/%s/%s/%u", dev->dom->name,
			    dev->kind->list, dev->item);
}

static int attach_live(struct xm *xm, struct device *dev, bool keep)
{
	char item[16];
	const struct request_arg args[] = { { "list", dev->kind->list }, { "item", item }, { NULL, NULL } };
	struct request req = { .op = "attach", .domain = dev->dom->name, .args = args };
	int ret;

	snprintf(item, sizeof(item), "%u", dev->item);
	ret = request_told(xm, &req, "not attached");
	request_close(xm->xs, &req);
	if (ret || !keep)
		take_back(xm, dev);
	return ret;
}

static int attach(struct xm *xm, const struct cli_args *args, struct device *dev)
{
	bool live_only = cli_has(args, "live");
	int ret;

	if (live_only && !domain_is_live(dev->dom))
		return xm_fail(xm, "domain '%s' is not running (it is %s)", dev->dom->name,
			       dev->dom->state_word);
	ret = store_transact(xm->xs, put_body, dev);
	if (ret == -EEXIST)
		return xm_fail(xm, "%s has %s already", dev->dom->name, dev->name);
	if (ret == -ENOENT)
		return xm_fail(xm, "%s has no record; nothing can be attached to it",
			       dev->dom->name);
	if (ret == -ENOSPC)
		return xm_fail(xm, "%s cannot have more of them", dev->dom->name);
	if (ret)
		return xm_fail_store(xm, "writing the record", -ret);
	return domain_is_live(dev->dom) ? attach_live(xm, dev, !live_only) : 0;
}

/* A record that holds only the new device, with what defaults it gets. */
static int with_record(struct xm *xm, const struct cli_args *args, const struct kind *kind,
		       int (*parse)(struct xm *xm, const char *spec, struct device *dev))
{
	struct device dev = { .kind = kind };
	struct domain dom;
	char spec[DISK_PATH_MAX * 2];
	int ret;

	if (!join(args, spec, sizeof(spec)))
		return xm_fail(xm, "the device's words are too long");
	if (domain_find(xm, args->argv[0], &dom))
		return 1;
	dev.dom = &dom;
	dev.rec = calloc(1, sizeof(*dev.rec));
	if (!dev.rec)
		return xm_fail(xm, "out of memory");
	record_init(dev.rec);
	ret = parse(xm, spec, &dev);
	if (!ret)
		ret = attach(xm, args, &dev);
	free(dev.rec);
	return ret;
}

static int parse_disk(struct xm *xm, const char *spec, struct device *dev)
{
	char why[SPEC_ERROR_LEN];
	char *base = get_current_dir_name();
	int ret = disk_spec_parse(spec, base, &dev->rec->disk[0], why);

	free(base);
	dev->rec->nr_disks = 1;
	dev->name = dev->rec->disk[0].vdev;
	if (ret)
		return xm_fail(xm, "disk: %s", why);
	if (why[0])
		xm_warn(xm, "disk: %s", why);
	load_host(xm, dev->rec);
	return 0;
}

static int parse_vif(struct xm *xm, const char *spec, struct device *dev)
{
	char why[SPEC_ERROR_LEN];
	int ret = vif_spec_parse(spec, &dev->rec->vif[0], why);

	if (ret)
		return xm_fail(xm, "vif: %s", why);
	if (why[0])
		xm_warn(xm, "vif: %s", why);
	dev->rec->nr_vifs = 1;
	dev->name = dev->rec->vif[0].mac;
	load_host(xm, dev->rec);
	return record_complete(dev->rec) < 0 ? xm_fail(xm, "no random numbers for its address") : 0;
}

static int run_block_attach(struct cli_args *args)
{
	struct xm *xm = args->with;

	return with_record(xm, args, &disk_kind, parse_disk);
}

static int run_network_attach(struct cli_args *args)
{
	struct xm *xm = args->with;

	return with_record(xm, args, &vif_kind, parse_vif);
}

/* ---- detach ---- */

static bool is_named(struct xs_handle *xs, const char *dir, const char *key, const char *name)
{
	char *value = store_read(xs, XBT_NULL, "%s/%s", dir, key);
	bool is = value && strcasecmp(value, name) == 0;

	free(value);
	return is;
}

/* The running device of that name or number. */
static void find_backend(struct xs_handle *xs, struct device *dev)
{
	unsigned int nr;
	char dir[STORE_PATH_MAX];
	char **ids = store_list(xs, XBT_NULL, &nr, "/local/domain/0/backend/%s/%d",
				dev->kind->backend, dev->dom->domid);

	for (unsigned int i = 0; i < nr && domain_is_live(dev->dom); i++) {
		snprintf(dir, sizeof(dir), "/local/domain/0/backend/%s/%d/%.32s",
			 dev->kind->backend, dev->dom->domid, ids[i]);
		if (strcmp(ids[i], dev->name) == 0 ||
		    is_named(xs, dir, dev->kind->name_in_backend, dev->name))
			snprintf(dev->id, sizeof(dev->id), "%s", ids[i]);
	}
	free(ids);
}

/* Its item in the record: by what the backend says it is, else by the name. */
static bool find_item(struct xs_handle *xs, struct device *dev)
{
	unsigned int nr;
	char dir[STORE_PATH_MAX], *called = NULL;
	char **items = store_list(xs, XBT_NULL, &nr, "/config/domain/%s/%s", dev->dom->name,
				  dev->kind->list);
	bool found = false;

	if (dev->id[0])
		called = store_read(xs, XBT_NULL, "/local/domain/0/backend/%s/%d/%s/%s",
				    dev->kind->backend, dev->dom->domid, dev->id,
				    dev->kind->name_in_backend);
	for (unsigned int i = 0; i < nr && !found; i++) {
		snprintf(dir, sizeof(dir), "/config/domain/%s/%s/%.32s", dev->dom->name,
			 dev->kind->list, items[i]);
		found = is_named(xs, dir, dev->kind->name_in_list, called ? called : dev->name) ||
			(dev->kind->item_is_id &&
			 strcmp(items[i], dev->id[0] ? dev->id : dev->name) == 0);
		dev->item = (unsigned int)atoi(items[i]);
	}
	free(called);
	free(items);
	return found;
}

static int detach(struct xm *xm, const struct cli_args *args, const struct kind *kind)
{
	const struct request_arg with[] = {
		{ "kind", kind->backend }, { "device", NULL }, { "force", "1" }, { NULL, NULL }};
	struct request_arg live[4];
	struct device dev = { .kind = kind, .name = args->argv[1] };
	struct request req = { .op = "detach", .args = live };
	struct domain dom;
	bool recorded;
	int ret = 0;

	if (domain_find(xm, args->argv[0], &dom))
		return 1;
	dev.dom = &dom;
	req.domain = dom.name;
	find_backend(xm->xs, &dev);
	recorded = find_item(xm->xs, &dev) && !cli_has(args, "live");
	if (!dev.id[0] && !recorded)
		return xm_fail(xm, "%s has no %s '%.64s': '%s %s %s' lists what it has", dom.name,
			       kind->noun, dev.name, xm->prog, kind->lister, dom.name);
	memcpy(live, with, sizeof(live));
	live[1].value = dev.id;
	if (!cli_has(args, "force"))
		live[2].name = NULL;
	if (dev.id[0]) {
		ret = request_told(xm, &req, "not detached");
		request_close(xm->xs, &req);
	}
	if (!ret && recorded)
		ret = take_back(xm, &dev)
			      ? xm_fail(xm, "%s: the record cannot be written", dom.name)
			      : 0;
	return ret;
}

static int run_block_detach(struct cli_args *args)
{
	struct xm *xm = args->with;

	return detach(xm, args, &disk_kind);
}

static int run_network_detach(struct cli_args *args)
{
	struct xm *xm = args->with;

	return detach(xm, args, &vif_kind);
}

#define SCOPE                                                                                      \
	"A running domain gets or loses it at once; the record is changed along, for the next "    \
	"start."

const struct cli_cmd cmd_block_attach = {
	.name = "block-attach",
	.args = "DOMAIN DISK",
	.help = "Give a domain one more disk",
	.more = SCOPE "\nDISK is as in a configuration; its parts may be words of their own:\n"
			"phy:/dev/vg/more xvdb w.",
	.opts = attach_options,
	.says = CLI_SAYS_NOTHING,
	.min_args = 2,
	.max_args = 5,
	.example = "xm block-attach web file:/data/more.img,xvdb,w",
	.run = run_block_attach,
};

const struct cli_cmd cmd_block_detach = {
	.name = "block-detach",
	.args = "DOMAIN DISK",
	.help = "Take a disk from a domain",
	.more =
		SCOPE "\nDISK is its name in the guest, xvdb, or its number. Unmount it there first: "
		      "Linux (from 5.15) lets a disk go even while it is mounted.",
	.opts = detach_options,
	.says = CLI_SAYS_NOTHING,
	.min_args = 2,
	.max_args = 2,
	.example = "xm block-detach web xvdb",
	.run = run_block_detach,
};

const struct cli_cmd cmd_network_attach = {
	.name = "network-attach",
	.args = "DOMAIN [SETTING=VALUE]...",
	.help = "Give a domain one more network card",
	.more = SCOPE "\nSettings are those of vif in a configuration.",
	.opts = attach_options,
	.says = CLI_SAYS_NOTHING,
	.min_args = 1,
	.max_args = 9,
	.example = "xm network-attach web mac=00:16:3e:00:00:09 bridge=xenbr0",
	.run = run_network_attach,
};

const struct cli_cmd cmd_network_detach = {
	.name = "network-detach",
	.args = "DOMAIN CARD",
	.help = "Take a network card from a domain",
	.more = SCOPE "\nCARD is its number or its MAC address.",
	.opts = detach_options,
	.says = CLI_SAYS_NOTHING,
	.min_args = 2,
	.max_args = 2,
	.example = "xm network-detach web 1",
	.run = run_network_detach,
};
