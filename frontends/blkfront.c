/* SPDX-License-Identifier: MIT */
/* blkfront.c - the block protocol's front half. ABI: xen/io/blkif.h, xen/io/ring.h. */
#include "blkfront.h"

#include "guest/events.h"
#include "guest/grants.h"
#include "guest/hypercall.h"
#include "guest/mm.h"

#define HANDSHAKE_NS (20 * NS_PER_S)
#define REQUEST_NS (30 * NS_PER_S)
#define SECTORS_A_PAGE (PAGE_SIZE / BLK_SECTOR)

/* ring.h orders its accesses with these; x86 keeps stores and loads in order. */
#define xen_mb() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define xen_wmb() barrier()
#define xen_rmb() barrier()

static int publish(const struct blkfront *b)
{
	const struct device_key keys[] = {
		{ "ring-ref", b->ring_ref },
		{ "event-channel", b->port },
		{ "protocol", .text = "x86_64-abi" },
		{ "state", XenbusStateInitialised },
	};

	return device_publish(&b->device, keys, ARRAY_SIZE(keys));
}

static int read_geometry(struct blkfront *b)
{
	u64 info = 0;
	int rc = device_read_backend(&b->device, "sectors", &b->nr_sectors);

	if (!rc)
		rc = device_read_backend(&b->device, "sector-size", &b->sector_size);
	if (!rc)
		rc = device_read_backend(&b->device, "info", &info);
	b->writable = !(info & VDISK_READONLY);
	return rc;
}

int blkfront_open(struct blkfront *b, unsigned int id)
{
	struct blkif_sring *page = page_alloc();
	int rc;

	memset(b, 0, sizeof(*b));
	rc = device_open(&b->device, "vbd", id);
	if (!rc)
		rc = device_wait(&b->device, XenbusStateInitWait, HANDSHAKE_NS);
	if (!rc)
		rc = device_port(&b->device, &b->port);
	if (rc)
		return rc;
	SHARED_RING_INIT(page);
	FRONT_RING_INIT(&b->ring, page, PAGE_SIZE);
	b->ring_ref = grant_offer(b->device.backend_id, virt_to_mfn(page), 0);
	rc = publish(b);
	if (!rc)
		rc = device_wait(&b->device, XenbusStateConnected, HANDSHAKE_NS);
	if (!rc)
		rc = read_geometry(b);
	return rc ? rc : device_set_state(&b->device, XenbusStateConnected);
}

int blkfront_close(struct blkfront *b)
{
	int rc = device_set_state(&b->device, XenbusStateClosing);

	if (!rc)
		rc = device_wait(&b->device, XenbusStateClosing, HANDSHAKE_NS);
	if (!rc)
		rc = device_set_state(&b->device, XenbusStateClosed);
	if (!rc)
		rc = device_wait(&b->device, XenbusStateClosed, HANDSHAKE_NS);
	if (rc)
		return rc;
	if (!grant_end(b->ring_ref))
		return -EBUSY;
	port_close(b->port);
	page_free(b->ring.sring);
	return 0;
}

/* The answer to @id; anything else on the ring breaks it. */
static int answer(struct blkfront *b, u64 id)
{
	u64 deadline = clock_ns() + REQUEST_NS;
	struct blkif_response rsp;
	u32 prod;

	do {
		if (clock_ns() > deadline) {
			b->is_broken = true; /* a late answer would use what is another's by then */
			return -ETIMEDOUT;
		}
		port_wait(b->port, NS_PER_S);
		prod = READ_ONCE(b->ring.sring->rsp_prod);
	} while (prod == b->ring.rsp_cons);
	xen_rmb(); /* the index, then the response it covers */
	RING_COPY_RESPONSE(&b->ring, b->ring.rsp_cons, &rsp);
	if (prod - b->ring.rsp_cons != 1 || rsp.id != id) {
		b->is_broken = true;
		return -EIO;
	}
	b->ring.rsp_cons = prod;
	b->ring.sring->rsp_event = prod + 1;
	switch (rsp.status) {
	case BLKIF_RSP_OKAY: return 0;
	case BLKIF_RSP_EOPNOTSUPP: return -EOPNOTSUPP;
	default: return -EIO;
	}
}

static int transfer(struct blkfront *b, u8 operation, u64 sector, u64 mfn, u16 grant_flags)
{
	struct blkif_request *req = RING_GET_REQUEST(&b->ring, b->ring.req_prod_pvt);
	grant_ref_t ref = 0;
	int notify, rc;

	if (b->is_broken)
		return -EIO;
	memset(req, 0, sizeof(*req));
	req->operation = operation;
	req->id = ++b->next_id;
	req->sector_number = sector;
	if (mfn) {
		ref = grant_offer(b->device.backend_id, mfn, grant_flags);
		req->nr_segments = 1;
		req->seg[0] = (struct blkif_request_segment){ ref, 0, SECTORS_A_PAGE - 1 };
	}
	b->ring.req_prod_pvt++;
	RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&b->ring, notify);
	if (notify)
		port_send(b->port);
	rc = answer(b, b->next_id);
	/* C48: a backend that keeps the page keeps it; it is not used again */
	if (ref && !grant_end(ref)) {
		b->is_broken = true;
		return rc ? rc : -EBUSY;
	}
	return rc;
}

int blkfront_read(struct blkfront *b, u64 sector, void *page)
{
	return transfer(b, BLKIF_OP_READ, sector, virt_to_mfn(page), 0);
}

int blkfront_write(struct blkfront *b, u64 sector, const void *page)
{
	return transfer(b, BLKIF_OP_WRITE, sector, virt_to_mfn(page), GTF_readonly);
}

int blkfront_flush(struct blkfront *b)
{
	return transfer(b, BLKIF_OP_FLUSH_DISKCACHE, 0, 0, 0);
}
