/* SPDX-License-Identifier: MIT */
/*
 * home.c - keys of a running domain that are not devices.
 *
 * The guest may read all of its home and write only where it must: what xend or a backend
 * relies on is never guest-writable (security rule C15).
 */
#include "home.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "build_pv.h"
#include "store.h"
#include "vdev.h"
#include "xend.h"

#define DOM0 0u

static void read_only_dir(struct txn *tx, unsigned int domid, const char *key)
{
	txn_mkdir(tx, path_home(domid, key));
	txn_perms(tx, path_home(domid, key), DOM0, domid);
}

static void guest_writable(struct txn *tx, unsigned int domid, const char *key, const char *value)
{
	txn_write(tx, path_home(domid, key), value);
	txn_perms(tx, path_home(domid, key), domid, domid);
}

static void write_vm(struct txn *tx, const struct domain *d)
{
	txn_mkdir(tx, path_vm(d->uuid, NULL));
	txn_perms(tx, path_vm(d->uuid, NULL), DOM0, (unsigned int)d->domid);
	txn_write(tx, path_vm(d->uuid, "name"), d->name);
	txn_write(tx, path_vm(d->uuid, "uuid"), d->uuid);
	txn_writef(tx, path_vm(d->uuid, "start_time"), "%lld", (long long)time(NULL));
}

static void write_basics(struct txn *tx, const struct domain *d, unsigned int id)
{
	txn_write(tx, path_home(id, "name"), d->name);
	txn_writef(tx, path_home(id, "domid"), "%u", id);
	txn_write(tx, path_home(id, "vm"), path_vm(d->uuid, NULL).s);
	read_only_dir(tx, id, "memory");
	txn_writef(tx, path_home(id, "memory/target"), "%" PRIu64, d->rec.memory_mib << 10);
	txn_writef(tx, path_home(id, "memory/static-max"), "%" PRIu64, d->rec.maxmem_mib << 10);
	read_only_dir(tx, id, "cpu");
	for (unsigned int i = 0; i < d->rec.maxvcpus; i++)
		txn_write(tx, path_cpu(id, i), i < d->rec.vcpus ? "online" : "offline");
}

static void write_rings(struct txn *tx, const struct domain *d, unsigned int id)
{
	const struct build_result *b = &d->made;

	read_only_dir(tx, id, "store");
	txn_writef(tx, path_home(id, "store/ring-ref"), "%" PRIu64, b->store_mfn);
	txn_writef(tx, path_home(id, "store/port"), "%u", b->store_port);
	read_only_dir(tx, id, "console");
	txn_writef(tx, path_home(id, "console/ring-ref"), "%" PRIu64, b->console_mfn);
	txn_writef(tx, path_home(id, "console/port"), "%u", b->console_port);
	txn_write(tx, path_home(id, "console/type"), "xenconsoled");
	txn_write(tx, path_home(id, "console/output"), "pty");
	txn_write(tx, path_home(id, "console/limit"), "1048576");
	txn_write(tx, path_home(id, "console/tty"), "");
}

/*
 * control/: what Linux announces there it writes itself, so the keys must be its own. Once: one
 * that goes on from a file has done so in an earlier home.
 */
static void write_control(struct txn *tx, unsigned int id, bool goes_on)
{
	static const char *const features[] = {
		"control/feature-poweroff", "control/feature-reboot", "control/feature-suspend",
		"control/feature-sysrq",
	};
	static const char *const writable[] = {
		"control/shutdown", "control/sysrq", "data", "drivers", "feature", "attr", "error",
	};

	read_only_dir(tx, id, "control");
	txn_write(tx, path_home(id, "control/platform-feature-multiprocessor-suspend"), "1");
	txn_write(tx, path_home(id, "control/platform-feature-xs_reset_watches"), "1");
	for (unsigned int i = 0; i < sizeof(writable) / sizeof(writable[0]); i++)
		guest_writable(tx, id, writable[i], "");
	for (unsigned int i = 0; i < sizeof(features) / sizeof(features[0]); i++)
		guest_writable(tx, id, features[i], goes_on ? "1" : "");
}

static int home_body(struct txn *tx, void *arg)
{
	struct domain *d = arg;
	unsigned int id = (unsigned int)d->domid;

	txn_rm(tx, path_home(id, NULL));
	txn_mkdir(tx, path_home(id, NULL));
	txn_perms(tx, path_home(id, NULL), DOM0, id);
	write_vm(tx, d);
	write_basics(tx, d, id);
	write_rings(tx, d, id);
	write_control(tx, id, d->restore);
	read_only_dir(tx, id, "device");
	return 0;
}

static int rings_body(struct txn *tx, void *arg)
{
	struct domain *d = arg;

	write_rings(tx, d, (unsigned int)d->domid);
	return 0;
}

int home_write_rings(struct xend *x, struct domain *d)
{
	return store_transact(x->xs, rings_body, d);
}

int home_write(struct xend *x, struct domain *d)
{
	return store_transact(x->xs, home_body, d);
}

static int remove_body(struct txn *tx, void *arg)
{
	struct domain *d = arg;

	txn_rm(tx, path_home((unsigned int)d->domid, NULL));
	if (d->uuid[0])
		txn_rm(tx, path_vm(d->uuid, NULL));
	return 0;
}

int home_remove(struct xend *x, struct domain *d)
{
	return store_transact(x->xs, remove_body, d);
}

int home_ask_shutdown(struct xend *x, struct domain *d, const char *how)
{
	return store_write(x->xs, path_home((unsigned int)d->domid, "control/shutdown"), how);
}

static int withdraw_body(struct txn *tx, void *arg)
{
	const struct domain *d = arg;
	const struct path p = path_home((unsigned int)d->domid, "control/shutdown");
	char *wish = txn_read(tx, p);
	bool pending = wish && wish[0];

	if (pending)
		txn_write(tx, p, "");
	free(wish);
	return pending ? 0 : -EALREADY;
}

int home_withdraw_shutdown(struct xend *x, struct domain *d)
{
	return store_transact(x->xs, withdraw_body, d);
}

static int dom0_body(struct txn *tx, void *arg)
{
	const struct hv_domain *h = arg;
	char uuid[37];

	vdev_uuid_format(h->uuid, uuid);
	txn_write(tx, path_home(DOM0, "name"), "Domain-0");
	txn_write(tx, path_home(DOM0, "domid"), "0");
	txn_write(tx, path_home(DOM0, "vm"), path_vm(uuid, NULL).s);
	txn_write(tx, path_vm(uuid, "name"), "Domain-0");
	txn_write(tx, path_vm(uuid, "uuid"), uuid);
	txn_write(tx, path_pool_name(0), "Pool-0");
	for (enum device_kind k = 0; k < DEVICE_NR; k++)
		txn_mkdir(tx, path_backend_kind(k));
	return 0;
}

int home_write_dom0(struct xend *x)
{
	struct hv_domain h;
	int err = hv_domain_info(x->hv, 0, &h);

	return err ? err : store_transact(x->xs, dom0_body, &h);
}
