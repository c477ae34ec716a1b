/* SPDX-License-Identifier: MIT */
/* netfront.c - the network protocol's front half. ABI: xen/io/netif.h, xen/io/ring.h. */
#include "netfront.h"

#include "guest/events.h"
#include "guest/grants.h"
#include "guest/hypercall.h"
#include "guest/mm.h"

#define HANDSHAKE_NS (20 * NS_PER_S)
#define SEND_NS (10 * NS_PER_S)

/* ring.h orders its accesses with these; x86 keeps stores and loads in order. */
#define xen_mb() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define xen_wmb() barrier()
#define xen_rmb() barrier()

static int publish(const struct netfront *n)
{
	const struct device_key keys[] = {
		{ "tx-ring-ref", n->tx_ref },  { "rx-ring-ref", n->rx_ref },
		{ "event-channel", n->port },  { "request-rx-copy", 1 },
		{ "feature-rx-notify", 1 },    { "state", XenbusStateConnected },
	};

	return device_publish(&n->device, keys, ARRAY_SIZE(keys));
}

static u8 hex(char c)
{
	return (u8)(c >= 'a' ? c - 'a' + 10 : c >= 'A' ? c - 'A' + 10 : c - '0');
}

static int read_mac(struct netfront *n)
{
	char path[96], text[24];
	int rc;

	snprintf(path, sizeof(path), "%s/mac", n->device.home);
	rc = xenbus_read(0, path, text, sizeof(text));
	if (rc < 0)
		return rc;
	if (rc != 17)
		return -EINVAL;
	for (unsigned int i = 0; i < 6; i++)
		n->mac[i] = (u8)(hex(text[i * 3]) << 4 | hex(text[i * 3 + 1]));
	return 0;
}

static void push_buffer(struct netfront *n, u16 id)
{
	struct netif_rx_request *req = RING_GET_REQUEST(&n->rx, n->rx.req_prod_pvt);

	n->buffer[id].ref = grant_offer(n->device.backend_id, virt_to_mfn(n->buffer[id].page), 0);
	req->id = id;
	req->pad = 0;
	req->gref = n->buffer[id].ref;
	n->rx.req_prod_pvt++;
}

static void push_done(struct netfront *n)
{
	int notify;

	RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&n->rx, notify);
	if (notify)
		port_send(n->port);
}

int netfront_open(struct netfront *n, unsigned int id)
{
	struct netif_tx_sring *tx = page_alloc();
	struct netif_rx_sring *rx = page_alloc();
	int rc;

	memset(n, 0, sizeof(*n));
	rc = device_open(&n->device, "vif", id);
	if (!rc)
		rc = read_mac(n);
	if (!rc)
		rc = device_wait(&n->device, XenbusStateInitWait, HANDSHAKE_NS);
	if (!rc)
		rc = device_port(&n->device, &n->port);
	if (rc)
		return rc;
	SHARED_RING_INIT(tx);
	FRONT_RING_INIT(&n->tx, tx, PAGE_SIZE);
	SHARED_RING_INIT(rx);
	FRONT_RING_INIT(&n->rx, rx, PAGE_SIZE);
	n->tx_ref = grant_offer(n->device.backend_id, virt_to_mfn(tx), 0);
	n->rx_ref = grant_offer(n->device.backend_id, virt_to_mfn(rx), 0);
	for (u16 i = 0; i < NET_RX_BUFFERS; i++) {
		n->buffer[i].page = page_alloc();
		push_buffer(n, i);
	}
	push_done(n);
	rc = publish(n);
	if (!rc)
		rc = device_wait(&n->device, XenbusStateConnected, HANDSHAKE_NS);
	port_send(n->port);
	return rc;
}

int netfront_send(struct netfront *n, const void *frame, size_t len)
{
	struct netif_tx_request *req = RING_GET_REQUEST(&n->tx, n->tx.req_prod_pvt);
	u64 deadline = clock_ns() + SEND_NS;
	struct netif_tx_response rsp;
	grant_ref_t ref;
	void *page;
	int notify;

	if (n->is_broken)
		return -EIO;
	if (len > NET_FRAME_MAX)
		return -EINVAL;
	page = page_alloc();
	memcpy(page, frame, len);
	ref = grant_offer(n->device.backend_id, virt_to_mfn(page), GTF_readonly);
	*req = (struct netif_tx_request){ .gref = ref, .id = ++n->next_id, .size = (u16)len };
	n->tx.req_prod_pvt++;
	RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&n->tx, notify);
	if (notify)
		port_send(n->port);
	while (READ_ONCE(n->tx.sring->rsp_prod) == n->tx.rsp_cons) {
		if (clock_ns() > deadline) {
			n->is_broken = true; /* the next answer would be this one's */
			return -ETIMEDOUT;
		}
		n->tx.sring->rsp_event = n->tx.rsp_cons + 1;
		hc_sched(SCHEDOP_yield, NULL);
	}
	xen_rmb(); /* the index, then the response it covers */
	RING_COPY_RESPONSE(&n->tx, n->tx.rsp_cons++, &rsp);
	if (rsp.id != n->next_id || !grant_end(ref)) {
		n->is_broken = true;
		return -EIO;
	}
	page_free(page);
	return rsp.status == NETIF_RSP_OKAY ? 0 : -EIO;
}

/* Takes one response; the frame's length, 0: none usable, -EIO. */
static int take(struct netfront *n, void *frame)
{
	struct netif_rx_response rsp;
	int len = 0;

	RING_COPY_RESPONSE(&n->rx, n->rx.rsp_cons++, &rsp);
	if (rsp.id >= NET_RX_BUFFERS || !grant_end(n->buffer[rsp.id].ref)) {
		n->is_broken = true;
		return -EIO;
	}
	if (rsp.status > 0 && rsp.status <= NET_FRAME_MAX &&
	    rsp.offset <= PAGE_SIZE - NET_FRAME_MAX) {
		len = rsp.status;
		memcpy(frame, (char *)n->buffer[rsp.id].page + rsp.offset, (size_t)len);
	}
	push_buffer(n, rsp.id);
	push_done(n);
	return len;
}

int netfront_receive(struct netfront *n, void *frame, u64 timeout_ns)
{
	u64 deadline = clock_ns() + timeout_ns, now;

	while (!n->is_broken) {
		u32 prod = READ_ONCE(n->rx.sring->rsp_prod);
		int len;

		xen_rmb(); /* the index, then the response it covers */
		if (prod - n->rx.rsp_cons > NET_RX_BUFFERS) {
			n->is_broken = true;
			break;
		}
		len = prod != n->rx.rsp_cons ? take(n, frame) : 0;
		if (len)
			return len;
		/* Also while responses come: none of them may ever be of use. */
		now = clock_ns();
		if (now >= deadline)
			return -ETIMEDOUT;
		if (prod != n->rx.rsp_cons)
			continue;
		n->rx.sring->rsp_event = prod + 1;
		xen_mb(); /* ask for the event, then look once more */
		if (READ_ONCE(n->rx.sring->rsp_prod) == prod)
			port_wait(n->port, deadline - now);
	}
	return -EIO;
}
