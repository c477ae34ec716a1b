/* SPDX-License-Identifier: MIT */
/* restore_ask.c - the reader's side of restore_link.h: xend makes the hypercalls. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "restore_link_priv.h"
#include "restore_priv.h"

static int ask(struct restore *r, enum restore_op op, size_t nr, uint64_t arg)
{
	const struct restore_question q = { op, (uint32_t)nr, arg };
	struct restore_answer a;

	if (send(r->link, &q, sizeof(q), MSG_NOSIGNAL) != sizeof(q) ||
	    recv(r->link, &a, sizeof(a), 0) != sizeof(a))
		return -EPIPE;
	return a.err;
}

int restore_ask_populate(struct restore *r, const uint64_t *pfn, size_t nr, uint64_t *mfn)
{
	int err;

	memcpy(r->window->frame, pfn, nr * sizeof(*pfn));
	err = ask(r, RESTORE_POPULATE, nr, 0);
	if (!err)
		memcpy(mfn, r->window->frame, nr * sizeof(*mfn));
	return err;
}

int restore_ask_read(struct restore *r, uint64_t mfn)
{
	return ask(r, RESTORE_READ, 1, mfn);
}

int restore_ask_write(struct restore *r, size_t nr)
{
	return ask(r, RESTORE_WRITE, nr, 0);
}

int restore_ask_pin(struct restore *r, unsigned int level, uint64_t mfn)
{
	return ask(r, RESTORE_PIN, level, mfn);
}

/* @len bytes of @state of @vcpu. */
static int ask_state(struct restore *r, enum restore_op op, unsigned int vcpu, const void *state,
		     size_t len)
{
	if (len > sizeof(r->window->page))
		return -E2BIG;
	memcpy(r->window->page, state, len);
	return ask(r, op, len, vcpu);
}

int restore_ask_vcpu(struct restore *r, unsigned int vcpu, const struct vcpu_guest_context *ctx)
{
	return ask_state(r, RESTORE_VCPU, vcpu, ctx, sizeof(*ctx));
}

int restore_ask_callbacks(struct restore *r, unsigned int vcpu, const uint8_t *ext)
{
	return ask_state(r, RESTORE_CALLBACKS, vcpu, ext, HV_CALLBACKS_SIZE);
}

int restore_ask_fpu(struct restore *r, unsigned int vcpu, const void *state, size_t len)
{
	return ask_state(r, RESTORE_FPU, vcpu, state, len);
}

int restore_ask_msrs(struct restore *r, unsigned int vcpu, const uint8_t *msrs, size_t len)
{
	return ask_state(r, RESTORE_MSRS, vcpu, msrs, len);
}
