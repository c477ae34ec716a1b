/* SPDX-License-Identifier: MIT */
/*
 * cmd_block_list.c - xm block-list and xm network-list: a domain's devices, as xl prints them.
 *
 * Everything is read from /local/domain/N/device and the backend directory it points to. The
 * frontend's keys are the guest's own: only numbers of them are printed.
 */
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "domains.h"
#include "json_print.h"

struct device {
	const char *id;
	char backend[STORE_PATH_MAX]; /* from the backend side: the guest cannot lie about it */
	long long backend_id, state, queues, channel, ring, rx_ring; /* channel and rings: of the first queue */
	char text[256]; /* what names it: disk name, or MAC */
};

struct kind {
	const char *name; /* vbd, vif */
	const char *ring, *rx_ring;
	const char *text; /* key in the backend directory */
	void (*header)(FILE *to);
	void (*row)(FILE *to, const struct device *dev);
	json_t *(*json)(const struct device *dev);
};

static long long number(struct xs_handle *xs, const char *dir, const char *key)
{
	long long n = -1;

	return key && store_read_number(xs, XBT_NULL, &n, "%s/%s", dir, key) ? n : -1;
}

static void read_device(struct xs_handle *xs, const struct kind *kind, int domid,
			struct device *dev)
{
	char dir[STORE_PATH_MAX], *text;

	snprintf(dir, sizeof(dir), "/local/domain/%d/device/%s/%.64s", domid, kind->name, dev->id);
	snprintf(dev->backend, sizeof(dev->backend), "/local/domain/0/backend/%s/%d/%.64s",
		 kind->name, domid, dev->id);
	dev->backend_id = 0;
	dev->state = number(xs, dir, "state");
	dev->queues = number(xs, dir, "multi-queue-num-queues");
	/* Of several the first is shown; what PV GRUB wrote of its one may still be beside them. */
	if (dev->queues > 1)
		snprintf(dir, sizeof(dir), "/local/domain/%d/device/%s/%.64s/queue-0", domid, kind->name,
			 dev->id);
	else
		dev->queues = 1;
	dev->channel = number(xs, dir, "event-channel");
	dev->ring = number(xs, dir, kind->ring);
	dev->rx_ring = number(xs, dir, kind->rx_ring);
	text = store_read(xs, XBT_NULL, "%s/%s", dev->backend, kind->text);
	snprintf(dev->text, sizeof(dev->text), "%s", text ? text : "-");
	free(text);
}

static void vbd_header(FILE *to)
{
	fprintf(to, "%-5s %-3s %-6s %-5s %-6s %-8s %-30s\n", "Vdev", "BE", "handle", "state",
		"evt-ch", "ring-ref", "BE-path");
}

static void vbd_row(FILE *to, const struct device *dev)
{
	fprintf(to, "%-5s %-3lld %-6lld %-5lld %-6lld %-8lld %-30s\n", dev->id, dev->backend_id,
		0LL, dev->state, dev->channel, dev->ring, dev->backend);
}

static void vif_header(FILE *to)
{
	fprintf(to, "%-3s %-2s %-17s %-6s %-5s %-6s %5s/%-5s %-30s\n", "Idx", "BE", "Mac Addr.",
		"handle", "state", "evt-ch", "tx-", "rx-ring-ref", "BE-path");
}

static void vif_row(FILE *to, const struct device *dev)
{
	fprintf(to, "%-3s %-2lld %-17s %-6s %-5lld %-6lld %5lld/%-11lld %-30s\n", dev->id,
		dev->backend_id, dev->text, dev->id, dev->state, dev->channel, dev->ring,
		dev->rx_ring, dev->backend);
}

static json_t *vbd_json(const struct device *dev)
{
	return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:s}", "vdev", dev->id, "name", dev->text,
			 "state", (json_int_t)dev->state, "queues", (json_int_t)dev->queues, "event_channel", (json_int_t)dev->channel,
			 "ring_ref", (json_int_t)dev->ring, "backend", dev->backend);
}

static json_t *vif_json(const struct device *dev)
{
	return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:s}", "devid", dev->id, "mac", dev->text,
			 "state", (json_int_t)dev->state, "queues", (json_int_t)dev->queues, "event_channel", (json_int_t)dev->channel,
			 "tx_ring_ref", (json_int_t)dev->ring, "rx_ring_ref",
			 (json_int_t)dev->rx_ring, "backend", dev->backend);
}

static const struct kind vbd = { "vbd", "ring-ref", NULL, "dev", vbd_header, vbd_row, vbd_json };
static const struct kind vif = { "vif",	    "tx-ring-ref", "rx-ring-ref", "mac",
				 vif_header, vif_row,	   vif_json };

static void list_one(struct xm *xm, const struct kind *kind, const struct domain *dom, json_t *list)
{
	unsigned int nr;
	char **ids = store_list(xm->xs, XBT_NULL, &nr, "/local/domain/0/backend/%s/%d", kind->name,
				dom->domid);

	for (unsigned int i = 0; i < nr; i++) {
		struct device dev = { .id = ids[i] };

		read_device(xm->xs, kind, dom->domid, &dev);
		if (list)
			json_array_append_new(list, kind->json(&dev));
		else
			kind->row(xm->out, &dev);
	}
	free(ids);
}

static int list_devices(struct xm *xm, const struct cli_args *args, const struct kind *kind)
{
	json_t *list = args->json ? json_array() : NULL;
	int ret = 0;

	for (int i = 0; i < args->argc && !ret; i++) {
		struct domain dom;

		ret = domain_find_running(xm, args->argv[i], &dom) ? 1 : 0;
		if (!ret && !i && !list)
			kind->header(xm->out);
		if (!ret)
			list_one(xm, kind, &dom, list);
	}
	if (list && !ret)
		return json_say(&xm->voice, list, JSON_ANSWER);
	json_decref(list);
	return ret;
}

static int run_block_list(struct cli_args *args)
{
	struct xm *xm = args->with;

	return list_devices(xm, args, &vbd);
}

static int run_network_list(struct cli_args *args)
{
	struct xm *xm = args->with;

	return list_devices(xm, args, &vif);
}

const struct cli_cmd cmd_block_list = {
	.name = "block-list",
	.args = "DOMAIN...",
	.help = "List a domain's disks",
	.min_args = 1,
	.max_args = -1,
	.example = "xm block-list web",
	.run = run_block_list,
};

const struct cli_cmd cmd_network_list = {
	.name = "network-list",
	.args = "DOMAIN...",
	.help = "List a domain's network cards",
	.min_args = 1,
	.max_args = -1,
	.example = "xm network-list web",
	.run = run_network_list,
};
