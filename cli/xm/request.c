/* SPDX-License-Identifier: MIT */
/*
 * request.c - see request.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record.h"
#include "notify.h"
#include "request.h"
#include "vdev.h"

#define REFRESH_TIMEOUT_NS (3 * INT64_C(1000000000))

static int write_request(struct xs_handle *xs, xs_transaction_t t, void *data)
{
	const struct request *req = data;
	const struct request_arg *arg = req->args;
	int ret = 0;

	for (; arg && arg->name && !ret; arg++)
		ret = store_write(xs, t, arg->value, "/request/%s/args/%s", req->id, arg->name);
	if (!ret && req->domain)
		ret = store_write(xs, t, req->domain, "/request/%s/domain", req->id);
	if (!ret)
		ret = store_write(xs, t, req->op, "/request/%s/op", req->id);
	return ret;
}

/* 1: not over yet; else as request_run(). */
static int request_state(struct xs_handle *xs, struct request *req)
{
	char *state = store_read(xs, XBT_NULL, "/request/%s/state", req->id), *error;
	int ret = 1;

	if (state && strcmp(state, "done") == 0) {
		ret = 0;
	} else if (state && strcmp(state, "failed") == 0) {
		error = store_read(xs, XBT_NULL, "/request/%s/error", req->id);
		snprintf(req->error, sizeof(req->error), "%s", error ? error : "no reason given");
		free(error);
		ret = -EREMOTEIO;
	}
	free(state);
	return ret;
}

static int wait_until(struct xs_handle *xs, struct request *req, int interrupt, int64_t deadline)
{
	int ret, woken;

	do {
		/* First wait: the watch fires at its registration. */
		woken = store_wait(xs, interrupt, deadline);
		ret = request_state(xs, req);
		if (req->progress && ret == 1)
			req->progress(req->xm, req);
	} while (ret == 1 && woken > 0);
	if (ret == 1)
		ret = woken == 0 ? -ETIMEDOUT : woken;
	return ret;
}

static int request_wait(struct xs_handle *xs, struct request *req, int interrupt)
{
	int64_t deadline = store_deadline(req->timeout_ns ? req->timeout_ns : REQUEST_TIMEOUT_NS);
	int ret = -ETIMEDOUT;

	if (req->has_begun)
		ret = wait_until(xs, req, interrupt, store_deadline(req->begin_ns));
	if (ret == -ETIMEDOUT && (!req->has_begun || req->has_begun(req->with)))
		ret = wait_until(xs, req, interrupt, deadline);
	req->is_withdrawn = ret == -ETIMEDOUT || ret == -EINTR;
	return ret;
}

int request_run(struct xs_handle *xs, struct request *req)
{
	uint8_t uuid[16];
	char path[64];
	struct interrupts interrupts;
	int ret;

	if (record_uuid_make(uuid))
		return -EIO;
	vdev_uuid_format(uuid, req->id);
	snprintf(path, sizeof(path), "/request/%s", req->id);

	interrupts_open(&interrupts);
	ret = store_transact(xs, write_request, req);
	if (!ret && !xs_watch(xs, path, "request"))
		ret = -errno;
	if (!ret && req->progress && req->domain)
		store_watch(xs, "progress", "/status/domain/%s/move", req->domain);
	if (!ret)
		ret = request_wait(xs, req, interrupts.fd);
	if (req->progress && req->domain)
		store_unwatch(xs, "progress", "/status/domain/%s/move", req->domain);
	xs_unwatch(xs, path, "request");
	interrupts_close(&interrupts);
	return ret;
}

void request_close(struct xs_handle *xs, struct request *req)
{
	if (req->id[0])
		store_remove(xs, XBT_NULL, "/request/%s", req->id);
}

int request_told(struct xm *xm, struct request *req, const char *failed)
{
	struct xs_handle *xs = xm_store(xm);
	const char *who = req->domain ? req->domain : req->op;
	int ret;

	if (!xs)
		return 1;
	ret = request_run(xs, req);
	if (req->progress)
		fputs("\r\033[K", xm->err);
	switch (ret) {
	case 0:
		return 0;
	case -EREMOTEIO:
		return xm_fail(xm, "%s: %s: %s", who, failed, req->error);
	case -ETIMEDOUT:
		return xm_fail(xm,
			       "%s: %s: xend does not answer; is it running? (it logs to %s)",
			       who, failed, notify_log_of("xend"));
	case -EINTR:
		return xm_fail(xm, "%s: %s: interrupted", who, failed);
	default:
		return xm_fail_store(xm, "asking xend", -ret);
	}
}

int request_simple(struct xm *xm, const char *op, const char *domain, const char *failed)
{
	struct request req = { .op = op, .domain = domain };
	int ret = request_told(xm, &req, failed);

	if (xm->xs)
		request_close(xm->xs, &req);
	return ret;
}

void request_refresh(struct xm *xm)
{
	struct request req = { .op = "refresh", .timeout_ns = REFRESH_TIMEOUT_NS };
	struct xs_handle *xs = xm_store(xm);
	int ret = xs ? request_run(xs, &req) : 0;

	if (xs)
		request_close(xs, &req);
	if (ret == -ETIMEDOUT)
		xm_warn(xm, "xend is busy, or does not run: times and memory may be old");
}
