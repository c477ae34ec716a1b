/* SPDX-License-Identifier: MIT */
/*
 * device.c - what every frontend does with its directories: find the backend, follow its state,
 * publish its own. States: xen/io/xenbus.h. Waiting is by looking again each 10 ms: a guest with
 * one device needs no watch.
 */
#include "xenbus/xenbus.h"

#include "guest/events.h"
#include "guest/hypercall.h"

#define LOOK_NS (10 * NS_PER_MS)

int device_open(struct xenbus_device *d, const char *kind, unsigned int id)
{
	char path[96];
	u64 number = 0;
	int rc;

	snprintf(d->home, sizeof(d->home), "device/%s/%u", kind, id);
	snprintf(path, sizeof(path), "%s/backend", d->home);
	rc = xenbus_read(0, path, d->backend, sizeof(d->backend));
	if (rc < 0)
		return rc;
	snprintf(path, sizeof(path), "%s/backend-id", d->home);
	rc = xenbus_read_number(0, path, &number);
	d->backend_id = (domid_t)number;
	return rc;
}

int device_read_backend(const struct xenbus_device *d, const char *key, u64 *out)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", d->backend, key);
	return xenbus_read_number(0, path, out);
}

int device_set_state(const struct xenbus_device *d, enum xenbus_state state)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/state", d->home);
	return xenbus_printf(0, path, "%d", state);
}

static int write_keys(const struct xenbus_device *d, const struct device_key *keys, size_t nr,
		      u32 txn)
{
	int rc = 0;

	for (size_t i = 0; i < nr && !rc; i++) {
		char path[96];

		snprintf(path, sizeof(path), "%s/%s", d->home, keys[i].name);
		rc = keys[i].text ? xenbus_write(txn, path, keys[i].text) :
				    xenbus_printf(txn, path, "%u", keys[i].number);
	}
	return rc;
}

int device_publish(const struct xenbus_device *d, const struct device_key *keys, size_t nr)
{
	u32 txn;
	int rc;

	do {
		rc = xenbus_begin(&txn);
		if (rc)
			return rc;
		rc = write_keys(d, keys, nr, txn);
		if (rc) {
			xenbus_end(txn, false);
			return rc;
		}
		rc = xenbus_end(txn, true);
	} while (rc == -EAGAIN);
	return rc;
}

int device_wait(const struct xenbus_device *d, enum xenbus_state state, u64 timeout_ns)
{
	u64 deadline = clock_ns() + timeout_ns, now;

	for (;;) {
		int rc = device_read_backend(d, "state", &now);

		if (rc == -ENOENT ||
		    (!rc && now >= XenbusStateClosing && state < XenbusStateClosing))
			return -ENODEV;
		if (rc || now >= (u64)state)
			return rc;
		if (clock_ns() >= deadline)
			return -ETIMEDOUT;
		sleep_ns(LOOK_NS);
	}
}

int device_port(const struct xenbus_device *d, evtchn_port_t *port)
{
	struct evtchn_alloc_unbound alloc = { .dom = DOMID_SELF, .remote_dom = d->backend_id };
	long rc = hc_evtchn(EVTCHNOP_alloc_unbound, &alloc);

	*port = alloc.port;
	return (int)rc;
}
