/* SPDX-License-Identifier: MIT */
/*
 * xenbus.c - messages over the ring of xen/io/xs_wire.h, one in flight. The codec is libxs's.
 */
#include "xenbus/xenbus.h"

#include <stdarg.h>

#include "guest/events.h"
#include "guest/hypercall.h"
#include "guest/mm.h"
#include "xs_wire.h"

#define REPLY_NS (30 * NS_PER_S)
#define NR_EVENTS 8
#define EVENT_MAX 256

/* Kept until somebody asks; the oldest goes when there are too many: a watch says "look again". */
static struct {
	char path_and_token[EVENT_MAX];
	size_t len;
} event[NR_EVENTS];
static unsigned int first_event, nr_events;
static u32 next_request;

static struct xenstore_domain_interface *ring(void)
{
	return mfn_to_virt(start_info->store_mfn);
}

static int wait_for_store(u64 deadline)
{
	u64 now = clock_ns();

	if (now >= deadline)
		return -ETIMEDOUT;
	port_send(start_info->store_evtchn);
	port_wait(start_info->store_evtchn, deadline - now);
	return 0; /* who waits looks at the ring again */
}

static int put(const void *data, size_t len, u64 deadline)
{
	struct xenstore_domain_interface *r = ring();
	const u8 *bytes = data;

	while (len) {
		u32 used = r->req_prod - READ_ONCE(r->req_cons);

		if (used > sizeof(r->req))
			return -EIO;
		if (used == sizeof(r->req)) {
			if (wait_for_store(deadline))
				return -ETIMEDOUT;
			continue;
		}
		r->req[MASK_XENSTORE_IDX(r->req_prod)] = (char)*bytes++;
		barrier(); /* the byte, then the index; the store reads them the other way */
		WRITE_ONCE(r->req_prod, r->req_prod + 1);
		len--;
	}
	return 0;
}

static int get(void *data, size_t len, u64 deadline)
{
	struct xenstore_domain_interface *r = ring();
	u8 *bytes = data;

	while (len) {
		u32 have = READ_ONCE(r->rsp_prod) - r->rsp_cons;

		if (have > sizeof(r->rsp))
			return -EIO;
		if (!have) {
			if (wait_for_store(deadline))
				return -ETIMEDOUT;
			continue;
		}
		barrier(); /* the index, then the byte it covers */
		*bytes++ = (u8)r->rsp[MASK_XENSTORE_IDX(r->rsp_cons)];
		barrier(); /* the byte, then its place is given back */
		WRITE_ONCE(r->rsp_cons, r->rsp_cons + 1);
		len--;
	}
	return 0;
}

static void keep_event(const char *payload, size_t len)
{
	unsigned int at = (first_event + nr_events) % NR_EVENTS;

	if (len > EVENT_MAX)
		return; /* longer than any path this guest may watch */
	if (nr_events == NR_EVENTS)
		first_event = (first_event + 1) % NR_EVENTS;
	else
		nr_events++;
	memcpy(event[at].path_and_token, payload, len);
	event[at].len = len;
}

/* The next message: a watch event is kept, anything else is the answer. */
static int get_message(struct xsd_sockmsg *hdr, char *payload, u64 deadline)
{
	u8 raw[XS_WIRE_HDR_LEN];
	int rc = get(raw, sizeof(raw), deadline);

	if (rc)
		return rc;
	if (xs_wire_get_hdr(raw, sizeof(raw), hdr) < 0)
		return -EIO;
	rc = get(payload, hdr->len, deadline);
	payload[hdr->len] = '\0';
	if (!rc && hdr->type == XS_WATCH_EVENT)
		keep_event(payload, hdr->len);
	port_send(start_info->store_evtchn);
	return rc;
}

int xenbus_call(u32 type, u32 txn, const void *body, size_t len, char *reply, size_t size)
{
	static char payload[XENSTORE_PAYLOAD_MAX + 1];
	u64 deadline = clock_ns() + REPLY_NS;
	u32 id = ++next_request;
	struct xsd_sockmsg hdr;
	u8 raw[XS_WIRE_HDR_LEN];
	int rc;

	xs_wire_put_hdr(raw, type, id, txn, (u32)len);
	rc = put(raw, sizeof(raw), deadline);
	if (!rc)
		rc = put(body, len, deadline);
	port_send(start_info->store_evtchn);
	do {
		/* Events alone may come for ever. */
		if (!rc && clock_ns() >= deadline)
			rc = -ETIMEDOUT;
		if (!rc)
			rc = get_message(&hdr, payload, deadline);
	} while (!rc && hdr.type == XS_WATCH_EVENT);
	if (rc)
		return rc;
	if (hdr.req_id != id || (hdr.type != type && hdr.type != XS_ERROR))
		return -EIO;
	if (hdr.type == XS_ERROR)
		return -xs_wire_error_code(payload, hdr.len);
	if (hdr.len >= size)
		return reply ? -E2BIG : 0;
	memcpy(reply, payload, hdr.len + 1);
	return (int)hdr.len;
}

int xenbus_read(u32 txn, const char *path, char *value, size_t size)
{
	return xenbus_call(XS_READ, txn, path, strlen(path) + 1, value, size);
}

/* path NUL text, the value with its NUL when @terminated. */
static int call_two(u32 type, u32 txn, const char *path, const char *text, bool terminated)
{
	char body[512];
	size_t first = strlen(path) + 1, second = strlen(text) + terminated;
	int rc;

	if (first + second > sizeof(body))
		return -E2BIG;
	memcpy(body, path, first);
	memcpy(body + first, text, second);
	rc = xenbus_call(type, txn, body, first + second, NULL, 0);
	return rc < 0 ? rc : 0;
}

int xenbus_write(u32 txn, const char *path, const char *value)
{
	return call_two(XS_WRITE, txn, path, value, false);
}

int xenbus_rm(u32 txn, const char *path)
{
	int rc = xenbus_call(XS_RM, txn, path, strlen(path) + 1, NULL, 0);

	return rc < 0 ? rc : 0;
}

int xenbus_read_number(u32 txn, const char *path, u64 *out)
{
	char value[XENBUS_VALUE_MAX];
	int rc = xenbus_read(txn, path, value, sizeof(value));

	return rc < 0 ? rc : xs_wire_get_number(value, ~0ULL, out);
}

int xenbus_printf(u32 txn, const char *path, const char *fmt, ...)
{
	char value[XENBUS_VALUE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	return xenbus_write(txn, path, value);
}

int xenbus_begin(u32 *txn)
{
	char id[24];
	u64 number = 0;
	int rc = xenbus_call(XS_TRANSACTION_START, 0, "", 1, id, sizeof(id));

	if (rc >= 0)
		rc = xs_wire_get_number(id, ~0U, &number);
	*txn = (u32)number;
	return rc;
}

int xenbus_end(u32 txn, bool commit)
{
	int rc = xenbus_call(XS_TRANSACTION_END, txn, commit ? "T" : "F", 2, NULL, 0);

	return rc < 0 ? rc : 0;
}

int xenbus_watch(const char *path, const char *token)
{
	return call_two(XS_WATCH, 0, path, token, true);
}

int xenbus_event(char *path, size_t path_size, char *token, size_t token_size, u64 timeout_ns)
{
	static char payload[XENSTORE_PAYLOAD_MAX + 1];
	u64 deadline = clock_ns() + timeout_ns;
	const char *part[2];
	struct xsd_sockmsg hdr;
	unsigned int taken;

	while (!nr_events) {
		int rc = get_message(&hdr, payload, deadline);

		if (rc)
			return rc;
		if (hdr.type != XS_WATCH_EVENT)
			return -EIO; /* an answer to nothing */
	}
	taken = first_event;
	first_event = (first_event + 1) % NR_EVENTS;
	nr_events--;
	if (xs_wire_get_strings(event[taken].path_and_token, event[taken].len, part, 2, NULL) != 2)
		return -EIO;
	if (strlcpy(path, part[0], path_size) >= path_size ||
	    strlcpy(token, part[1], token_size) >= token_size)
		return -E2BIG;
	return 0;
}
