/* SPDX-License-Identifier: MIT */
/* guest.c - see guest.h. */
#include "guest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "live.h"


/* Request number n: mostly a write of n, now and then one that fills several rings. */
static void guest_build(struct guest *g)
{
	unsigned long n = ++g->sent;
	struct xsd_sockmsg hdr = { XS_WRITE, (uint32_t)n, 0, 0 };
	char *data = g->out + sizeof(hdr);

	if (n % 7 == 3) {
		hdr.type = XS_READ;
		hdr.len = (uint32_t)sprintf(data, "data/k") + 1;
	} else if (n % 50 == 0) {
		hdr.len = (uint32_t)sprintf(data, "data/large") + 1;
		memset(data + hdr.len, 'L', 1900);
		hdr.len += 1900;
	} else {
		hdr.len = (uint32_t)sprintf(data, "data/k") + 1;
		hdr.len += (uint32_t)sprintf(data + hdr.len, "%lu", n);
	}
	memcpy(g->out, &hdr, sizeof(hdr));
	g->out_len = (uint32_t)sizeof(hdr) + hdr.len;
	g->out_done = 0;
}

void guest_push(struct guest *g)
{
	struct xenstore_domain_interface *p = g->page;
	bool moved = false;

	while (p->req_prod - __atomic_load_n(&p->req_cons, __ATOMIC_ACQUIRE) <
	       XENSTORE_RING_SIZE) {
		if (g->out_done == g->out_len) {
			if (g->sent - g->answered >= 5)
				break;
			guest_build(g);
		}
		p->req[MASK_XENSTORE_IDX(p->req_prod)] = g->out[g->out_done++];
		__atomic_store_n(&p->req_prod, p->req_prod + 1, __ATOMIC_RELEASE);
		moved = true;
	}
	if (moved)
		fake_event(live.hv, FAKE_PORT(1));
}

static void guest_message(struct guest *g, const struct xsd_sockmsg *hdr, const char *data)
{
	if (hdr->type == XS_WATCH_EVENT) {
		g->events++;
		return;
	}
	/* The claim: the next answer is to the next request, exactly once. */
	if (hdr->req_id != (uint32_t)(g->answered + 1))
		fail_msg("answer to %u, expected %lu", hdr->req_id, g->answered + 1);
	g->answered++;
	if (hdr->type == XS_ERROR && !g->errors_allowed)
		fail_msg("request %lu: %s", g->answered, data);
	g->err = hdr->type == XS_ERROR ? xs_wire_error_code(data, hdr->len) : 0;
	g->number = strtoul(data, NULL, 10);
	if (hdr->type == XS_READ && g->written) {
		unsigned long v = strtoul(data, NULL, 10);

		if (v != g->written)
			fail_msg("read %lu, last written %lu", v, g->written);
	}
	if (hdr->type == XS_WRITE && g->answered % 50 != 0)
		g->written = g->answered;
}

void guest_pull(struct guest *g)
{
	struct xenstore_domain_interface *p = g->page;
	bool moved = false;

	while (p->rsp_cons != __atomic_load_n(&p->rsp_prod, __ATOMIC_ACQUIRE)) {
		struct xsd_sockmsg hdr;

		assert_true(p->rsp_prod - p->rsp_cons <= XENSTORE_RING_SIZE);
		g->in[g->in_len++] = p->rsp[MASK_XENSTORE_IDX(p->rsp_cons)];
		__atomic_store_n(&p->rsp_cons, p->rsp_cons + 1, __ATOMIC_RELEASE);
		moved = true;
		if (g->in_len < sizeof(hdr))
			continue;
		memcpy(&hdr, g->in, sizeof(hdr));
		assert_true(hdr.len <= XENSTORE_PAYLOAD_MAX);
		if (g->in_len < sizeof(hdr) + hdr.len)
			continue;
		g->in[g->in_len] = '\0';
		guest_message(g, &hdr, g->in + sizeof(hdr));
		g->in_len = 0;
	}
	if (moved)
		fake_event(live.hv, FAKE_PORT(1));
}

void guest_place(struct guest *g, uint32_t type, uint32_t tx, const void *data, uint32_t len)
{
	struct xsd_sockmsg hdr = { type, (uint32_t)++g->sent, tx, len };
	struct xenstore_domain_interface *p = g->page;
	char msg[200];

	memcpy(msg, &hdr, sizeof(hdr));
	memcpy(msg + sizeof(hdr), data, len);
	for (uint32_t i = 0; i < sizeof(hdr) + len; i++)
		p->req[MASK_XENSTORE_IDX(p->req_prod + i)] = msg[i];
	__atomic_store_n(&p->req_prod, p->req_prod + (uint32_t)sizeof(hdr) + len,
			 __ATOMIC_RELEASE);
}

void guest_run_for(struct guest *g, double seconds)
{
	double end = live_now() + seconds;

	do {
		guest_push(g);
		guest_pull(g);
	} while (live_now() < end);
}
