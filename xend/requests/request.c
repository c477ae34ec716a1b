/* SPDX-License-Identifier: MIT */
/*
 * request.c - the table of operations xm asks for.
 *
 * A request is answered by state=done, or state=failed with error= in the user's words. The
 * asker removes it; what nobody fetched within a minute is removed here.
 */
#include "request.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "foreign.h"
#include "home.h"
#include "host.h"
#include "log.h"
#include "loss.h"
#include "reconcile.h"
#include "request_ops.h"
#include "save_pv.h"
#include "status.h"
#include "steps.h"
#include "record_store.h"
#include "store.h"
#include "xend.h"

#define KEEP_NS (60 * NS_PER_S)
#define UNSAID_NS (NS_PER_S / 10)
#define OUTPUT_CHUNK 1900u

int refuse(struct request *r, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->error, sizeof(r->error), fmt, ap);
	va_end(ap);
	return err;
}

void request_note(struct txn *tx, const void *arg)
{
	const struct request *r = arg;
	char *op = txn_read(tx, path_request(r->id, "op"));

	/* Gone meanwhile: do not bring it back. */
	if (op)
		txn_write(tx, path_request(r->id, "begun"), "1");
	free(op);
}

int request_noted(struct xend *x, const struct request *r)
{
	return store_has(x->xs, path_request(r->id, "begun"));
}

char *request_argument(struct xend *x, const struct request *r, const char *name)
{
	char key[PATH_NAME_MAX];

	snprintf(key, sizeof(key), "args/%s", name);
	return store_read(x->xs, path_request(r->id, key));
}

struct domain *any_target(struct xend *x, struct request *r)
{
	char *name = store_read(x->xs, path_request(r->id, "domain")), *end;
	struct domain *d = name ? domain_find(x, name) : NULL;

	if (!d && name && *name) {
		long id = strtol(name, &end, 10);

		if (!*end && id > 0 && id <= UINT16_MAX)
			d = domain_find_id(x, (int)id);
	}
	if (!d && name && foreign_is(x, name))
		refuse(r, -ENOENT, "%.64s was built by other tools, which know what it is: here it "
		       "can only be ended (xm shutdown, xm destroy)", name);
	else if (!d)
		refuse(r, -ENOENT, "there is no domain %.64s", name ? name : "without a name");
	free(name);
	return d;
}

static bool is_running(struct request *r, const struct domain *d)
{
	bool runs = d->domid >= 0 || d->walk != WALK_NONE;

	if (!runs)
		refuse(r, -ESRCH, "%s is not running (it is %s)", d->name,
		       domain_state_name(d->state));
	return runs;
}

struct domain *running_target(struct xend *x, struct request *r)
{
	struct domain *d = any_target(x, r);

	return d && is_running(r, d) ? d : NULL;
}

struct domain *settled_target(struct xend *x, struct request *r)
{
	struct domain *d = running_target(x, r);

	if (d && d->saving.file) {
		refuse(r, -EBUSY, "%s is being saved", d->name);
		return NULL;
	}
	if (d && d->handed) {
		refuse(r, -EBUSY, "%s was handed over to another host", d->name);
		return NULL;
	}
	return d;
}

static int poll_destroyed(struct xend *x, struct request *r)
{
	const struct domain *d = domain_find(x, r->domain);

	return !d || (d->domid < 0 && d->walk == WALK_NONE) ? 0 : -EINPROGRESS;
}

/* What other tools built can be ended, too. */
static struct domain *adopted_target(struct xend *x, const struct request *r)
{
	char *name = store_read(x->xs, path_request(r->id, "domain"));
	struct domain *d = name ? foreign_adopt(x, name) : NULL;

	free(name);
	return d;
}

static int op_destroy(struct xend *x, struct request *r)
{
	struct domain *d = adopted_target(x, r);

	if (!d)
		d = any_target(x, r);
	if (!d)
		return -ESRCH;
	memcpy(r->domain, d->name, sizeof(r->domain));
	/* Just between two lives, or about to begin its first: it shall not begin. */
	if (reconcile_withdraw(x, d))
		return 0;
	if (!is_running(r, d))
		return -ESRCH;
	if (d->walk == WALK_DOWN && d->after != AFTER_CRASH) {
		d->after = AFTER_STOP;
		status_write_step(x, d, steps_name(d->step));
	}
	steps_begin_down(x, d, AFTER_STOP, "destroy");
	r->poll = poll_destroyed;
	return -EINPROGRESS;
}

static int op_pause(struct xend *x, struct request *r)
{
	struct domain *d = settled_target(x, r);
	int err;

	if (!d)
		return -ESRCH;
	if (d->state == STATE_PAUSED)
		return 0;
	/* Nor what is being taken apart: unpaused again, a part of a domain would run. */
	if ((d->state != STATE_RUNNING && d->state != STATE_STOPPING) || d->walk != WALK_NONE)
		return refuse(r, -EBUSY, "%s is %s", d->name, domain_state_name(d->state));
	err = hv_domain_pause(x->hv, (uint16_t)d->domid);
	if (err)
		return refuse(r, err, "the hypervisor refuses to pause %s: %s", d->name,
			      strerror(-err));
	domain_set_state(x, d, STATE_PAUSED, "request");
	return 0;
}

static int op_unpause(struct xend *x, struct request *r)
{
	struct domain *d = settled_target(x, r);
	int err;

	if (!d)
		return -ESRCH;
	if (d->state != STATE_PAUSED)
		return refuse(r, -EINVAL, "%s is not paused (it is %s)", d->name,
			      domain_state_name(d->state));
	err = hv_domain_unpause(x->hv, (uint16_t)d->domid);
	if (err)
		return refuse(r, err, "the hypervisor refuses to unpause %s: %s", d->name,
			      strerror(-err));
	domain_set_state(x, d, STATE_RUNNING, "request");
	d->dirty = true;
	return 0;
}

static int op_reboot(struct xend *x, struct request *r)
{
	struct domain *d = settled_target(x, r);
	int err;

	if (!d)
		return -ESRCH;
	if (d->walk != WALK_NONE)
		return refuse(r, -EBUSY, "%s is %s", d->name, domain_state_name(d->state));
	err = home_ask_shutdown(x, d, "reboot");
	return err ? refuse(r, err, "the store refuses control/shutdown: %s", strerror(-err)) : 0;
}

/* The host goes down: the record stays as it is, for autostart=last. */
static int shutdown_for_host(struct xend *x, struct domain *d)
{
	int err = 0;

	if (d->state == STATE_RUNNING || d->state == STATE_PAUSED) {
		err = home_ask_shutdown(x, d, "poweroff");
		if (!err)
			domain_set_state(x, d, STATE_STOPPING, "host-shutdown");
	} else if (d->walk == WALK_UP) {
		steps_begin_down(x, d, AFTER_STOP, "host-shutdown");
	}
	return err;
}

/* One that other tools built: 0, it is asked; -ENOENT: it is none of those. */
static int shutdown_foreign(struct xend *x, struct request *r)
{
	char *name = store_read(x->xs, path_request(r->id, "domain"));
	int err = name ? foreign_ask_shutdown(x, name) : -ENOENT;

	free(name);
	if (err && err != -ENOENT)
		refuse(r, err, "the store refuses control/shutdown: %s", strerror(-err));
	return err;
}

static int op_shutdown(struct xend *x, struct request *r)
{
	int err = shutdown_foreign(x, r);
	struct domain *d;

	if (err != -ENOENT)
		return err;
	d = running_target(x, r);
	if (!d)
		return -ESRCH;
	if (host_stopping(x))
		return shutdown_for_host(x, d);
	err = record_power_off(x->xs, d->name);
	if (err)
		return refuse(r, err, "the record of %s cannot be written: %s", d->name,
			      strerror(-err));
	if (loss_holds(x, d->name))
		return refuse(r, -EBUSY, "its record is switched off, but the store has lost a "
			      "part of it, or brought it back from an earlier state: it is asked "
			      "to shut down once you say xs control lost known (xs control lost "
			      "tells what was lost); xm destroy %s ends it at once", d->name);
	return 0;
}

static int op_refresh(struct xend *x, struct request *r)
{
	reconcile_deaths(x);
	status_refresh(x);
	host_refresh(x);
	return 0;
}

static int op_dmesg(struct xend *x, struct request *r)
{
	bool clear = store_read_long(x->xs, path_request(r->id, "args/clear")) == 1;
	char *text, chunk[OUTPUT_CHUNK + 1];
	unsigned int n = 0;
	int err = hv_console_read(x->hv, clear, &text);

	if (err)
		return refuse(r, err, "the hypervisor does not give its log: %s", strerror(-err));
	for (size_t at = 0, len = strlen(text); at < len && !err; at += OUTPUT_CHUNK) {
		snprintf(chunk, sizeof(chunk), "%s", text + at);
		err = store_write(x->xs, path_request_output(r->id, n++), chunk);
	}
	free(text);
	return err ? refuse(r, err, "the store does not take the log: %s", strerror(-err)) : 0;
}

/* What the keys print is for op_dmesg. */
static int op_debug_keys(struct xend *x, struct request *r)
{
	char *keys = request_argument(x, r, "keys");
	int err = keys && keys[0] ? hv_debug_keys(x->hv, keys) : -EINVAL;

	if (err == -EINVAL)
		refuse(r, err, "no debug keys given: h lists them");
	else if (err == -E2BIG)
		refuse(r, err, "more than %d debug keys at once", HV_DEBUG_KEYS_MAX);
	else if (err)
		refuse(r, err, "the hypervisor refuses debug keys: %s", strerror(-err));
	free(keys);
	return err;
}

static const struct {
	const char *name;
	int (*run)(struct xend *x, struct request *r);	/* -EINPROGRESS: answered later */
} ops[] = {
	{ "destroy", op_destroy },
	{ "pause", op_pause },
	{ "unpause", op_unpause },
	{ "reboot", op_reboot },
	{ "shutdown", op_shutdown },
	{ "refresh", op_refresh },
	{ "dmesg", op_dmesg },
	{ "debug-keys", op_debug_keys },
	{ "attach", op_attach },
	{ "detach", op_detach },
	{ "vcpu-list", op_vcpu_list },
	{ "vcpu-pin", op_vcpu_pin },
	{ "sched-credit", op_sched_credit },
	{ "mem-max", op_mem_max },
	{ "rename", op_rename },
	{ "save", op_save },
	{ "migrate", op_migrate },
};

static int answer_body(struct txn *tx, void *arg)
{
	const struct request *r = arg;
	char *op = txn_read(tx, path_request(r->id, "op"));

	/* Gone meanwhile: the asker lost interest; do not bring it back. */
	if (op && r->error[0])
		txn_write(tx, path_request(r->id, "error"), r->error);
	if (op)
		txn_write(tx, path_request(r->id, "state"), r->error[0] ? "failed" : "done");
	free(op);
	return 0;
}

static void answer(struct xend *x, struct request *r)
{
	if (store_transact(x->xs, answer_body, r))
		log_warn("request %s cannot be answered", r->id);
	r->state = REQUEST_ANSWERED;
	r->remove_ns = x->now_ns + KEEP_NS;
}

static int dispatch(struct xend *x, struct request *r, const char *op)
{
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (!strcmp(ops[i].name, op))
			return ops[i].run(x, r);
	}
	return refuse(r, -ENOSYS, "operation %.32s is not known", op);
}

static void begin(struct xend *x, struct request *r)
{
	char *op = store_read(x->xs, path_request(r->id, "op"));
	int unsaid = op || errno == ENOENT ? 0 : -errno;
	int answered = store_has(x->xs, path_request(r->id, "state"));
	int err;

	/* Stays new: it is neither forgotten nor done twice. */
	if (unsaid || answered < 0) {
		free(op);
		return;
	}
	if (!op || answered) {
		/* Incomplete or left by an earlier xend: goes when its time is over. */
		r->state = REQUEST_ANSWERED;
		r->remove_ns = x->now_ns + KEEP_NS;
		free(op);
		return;
	}
	err = dispatch(x, r, op);
	free(op);
	if (err == -EINPROGRESS) {
		r->state = REQUEST_WORKING;
		return;
	}
	if (err && !r->error[0])
		refuse(r, err, "failed: %s", strerror(-err));
	answer(x, r);
}

/* Work that goes on: answers it when it has ended. */
static void look_again(struct xend *x, struct request *r)
{
	int err = r->poll(x, r);

	if (err == -EINPROGRESS)
		return;
	if (err && !r->error[0])
		refuse(r, err, "failed: %s", strerror(-err));
	answer(x, r);
}

static struct request **find(struct xend *x, const char *id)
{
	struct request **p = &x->requests;

	while (*p && strcmp((*p)->id, id))
		p = &(*p)->next;
	return p;
}

void request_event(struct xend *x, const char *id)
{
	struct request **p = find(x, id), *r = *p;

	if (r) {
		/* A second look only at one that was incomplete or has been removed. */
		if (r->state != REQUEST_ANSWERED)
			return;
		if (store_has(x->xs, path_request(id, "op")) == 0) {
			*p = r->next;
			free(r);
		} else if (store_has(x->xs, path_request(id, "state")) <= 0) {
			r->state = REQUEST_NEW;
		}
		return;
	}
	/* What the store does not say now, it is asked when the request's turn comes. */
	if (!path_name_ok(id) || store_has(x->xs, path_request(id, "op")) == 0)
		return;
	r = calloc(1, sizeof(*r));
	if (!r)
		return;
	snprintf(r->id, sizeof(r->id), "%s", id);
	*p = r;
}

void request_scan(struct xend *x)
{
	struct path root = { PATH_REQUEST_ROOT };
	unsigned int nr;
	char **ids = store_list(x->xs, root, &nr);

	for (unsigned int i = 0; i < nr; i++)
		request_event(x, ids[i]);
	free(ids);
}

uint64_t request_run(struct xend *x)
{
	uint64_t again = XEND_IDLE;

	for (struct request **p = &x->requests, *r; (r = *p);) {
		if (r->state == REQUEST_NEW) {
			begin(x, r);
			/*
			 * It may have given a domain something to do; or the store says nothing
			 * now.
			 */
			if (r->state != REQUEST_NEW)
				again = 0;
			else if (x->now_ns + UNSAID_NS < again)
				again = x->now_ns + UNSAID_NS;
		} else if (r->state == REQUEST_WORKING) {
			look_again(x, r);
		}
		if (r->state == REQUEST_WORKING && r->deadline_ns && r->deadline_ns < again)
			again = r->deadline_ns;
		if (r->state == REQUEST_ANSWERED && x->now_ns >= r->remove_ns) {
			store_rm(x->xs, path_request(r->id, NULL));
			*p = r->next;
			free(r);
			continue;
		}
		if (r->state == REQUEST_ANSWERED && r->remove_ns < again)
			again = r->remove_ns;
		p = &r->next;
	}
	return again;
}

void request_drop_all(struct xend *x)
{
	while (x->requests) {
		struct request *r = x->requests;

		x->requests = r->next;
		save_release(r->channel);
		free(r);
	}
}
