/* SPDX-License-Identifier: MIT */
/* harness.c - see harness.h. */
#include "harness.h"

#include <stdlib.h>
#include <unistd.h>

#include "again.h"
#include "files.h"
#include "lease.h"
#include "ops.h"
#include "store.h"

static char fake_dir[64];

bool t_dispatching;

static void no_flush(struct conn *c)
{
}

static void no_fini(struct conn *c)
{
}

static void t_resume(struct conn *c)
{
	conn_again(c);
}

static void t_serve(struct conn *c)
{
	size_t used = conn_input(c, buf_front(&c->in), buf_len(&c->in), 1000);

	buf_take(&c->in, used);
}

static const struct conn_ops t_ops = {
	.flush = no_flush, .serve = t_serve, .resume = t_resume, .fini = no_fini,
};

struct server *t_start(void)
{
	struct server *srv = calloc(1, sizeof(*srv));
	struct server_config cfg = { .in_memory = true, .run_dir = "/nowhere" };

	snprintf(fake_dir, sizeof(fake_dir), "/dev/shm/xs-fake-XXXXXX");
	assert_non_null(mkdtemp(fake_dir));
	assert_int_equal(server_init(srv, &cfg, fake_hv_open(fake_dir)), 0);
	assert_int_equal(server_standard_nodes(srv), 0);
	return srv;
}

void t_stop(struct server *srv)
{
	struct buf text = { 0 };

	if (check_all(srv, &text))
		fail_msg("%.*s", (int)buf_len(&text), buf_front(&text));
	buf_fini(&text);
	assert_int_equal(store_overdrawn(srv->tree.store), 0);
	server_fini(srv);
	srv->hv->close(srv->hv);
	free(srv);
	assert_int_equal(files_remove(fake_dir), 0);
}

struct conn *t_client(struct server *srv, unsigned int domid)
{
	struct domain *d = NULL;
	struct conn *c;

	if (domid != 0) {
		fake_domain(srv->hv, domid, FAKE_EXISTS);
		assert_int_equal(domain_find_or_adopt(srv, domid, &d), 0);
		d->introduced = true;
	}
	c = conn_create(srv, &t_ops, domid, d, NULL);
	if (d)
		d->conn = c;
	return c;
}

void t_hang_up(struct conn *c)
{
	struct server *srv = c->srv;

	conn_kill(c);
	conns_reap(srv);
}

const struct t_msg *t_next(struct conn *c)
{
	static struct t_msg msg;
	struct xsd_sockmsg hdr;
	int total;

	conn_refill(c);
	total = xs_wire_get_hdr(buf_front(&c->out), buf_len(&c->out), &hdr);
	if (total <= 0)
		return NULL;
	assert_true((size_t)total <= buf_len(&c->out));
	msg.type = hdr.type;
	msg.req_id = hdr.req_id;
	msg.tx_id = hdr.tx_id;
	msg.len = hdr.len;
	memcpy(msg.data, buf_front(&c->out) + XS_WIRE_HDR_LEN, hdr.len);
	msg.data[hdr.len] = '\0';
	buf_take(&c->out, (size_t)total);
	if (buf_len(&c->out) == 0)
		c->nr_outstanding = 0;
	return &msg;
}

/* The reply overtakes queued events here, so that tests can look at them when they like. */
const struct t_msg *t_req(struct conn *c, uint32_t type, uint32_t tx, const void *data,
			  size_t len)
{
	struct buf before = c->out;
	struct xsd_sockmsg hdr = { type, 77, tx, (uint32_t)len };
	const struct t_msg *m;
	char *bytes = malloc(XS_WIRE_HDR_LEN + len);
	size_t used;

	c->out = (struct buf){ 0 };
	memcpy(bytes, &hdr, XS_WIRE_HDR_LEN);
	if (len)
		memcpy(bytes + XS_WIRE_HDR_LEN, data, len);
	t_dispatching = true;
	used = conn_input(c, bytes, XS_WIRE_HDR_LEN + len, 1);
	t_dispatching = false;
	/* Another transaction has its turn on the node: it ends by time. */
	while (used == 0 && c->parked) {
		usleep(1000);
		lease_tick(c->srv);
		if (!c->parked)
			used = conn_input(c, bytes, XS_WIRE_HDR_LEN + len, 1);
	}
	free(bytes);
	/* Without memory for the reply the connection ends. */
	m = used && !c->dead ? t_next(c) : NULL;
	if (m)
		assert_int_equal(m->req_id, 77);
	buf_append(&before, buf_front(&c->out), buf_len(&c->out));
	buf_fini(&c->out);
	c->out = before;
	conns_flush(c->srv);
	return m;
}

static int err_of(const struct t_msg *m)
{
	if (!m)
		return -1;
	return m->type == XS_ERROR ? xs_wire_error_code(m->data, m->len) : 0;
}

void t_expect_event(struct conn *c, const char *path, const char *token)
{
	const struct t_msg *m = t_next(c);

	if (!m)
		fail_msg("no event, expected %s", path);
	assert_int_equal(m->type, XS_WATCH_EVENT);
	assert_string_equal(m->data, path);
	assert_string_equal(m->data + strlen(path) + 1, token);
	assert_int_equal(m->len, strlen(path) + strlen(token) + 2);
}

void t_expect_quiet(struct conn *c)
{
	const struct t_msg *m = t_next(c);

	if (m)
		fail_msg("unexpected message %u %s", m->type, m->data);
}

static int two(struct conn *c, uint32_t type, uint32_t t, const char *a, const char *b,
	       bool b_nul)
{
	char data[8192];
	size_t len = strlen(a) + 1;

	memcpy(data, a, len);
	memcpy(data + len, b, strlen(b) + 1);
	return err_of(t_req(c, type, t, data, len + strlen(b) + b_nul));
}

int t_write(struct conn *c, uint32_t t, const char *path, const char *value)
{
	return two(c, XS_WRITE, t, path, value, false);
}

int t_mkdir(struct conn *c, uint32_t t, const char *path)
{
	return err_of(t_req(c, XS_MKDIR, t, path, strlen(path) + 1));
}

int t_rm(struct conn *c, uint32_t t, const char *path)
{
	return err_of(t_req(c, XS_RM, t, path, strlen(path) + 1));
}

static void join(char *out, const struct t_msg *m)
{
	memcpy(out, m->data, m->len + 1);
	for (uint32_t i = 0; i + 1 < m->len; i++) {
		if (out[i] == '\0')
			out[i] = ' ';
	}
}

static int one(struct conn *c, uint32_t type, uint32_t t, const char *path, char *out)
{
	const struct t_msg *m = t_req(c, type, t, path, strlen(path) + 1);
	int err = err_of(m);

	if (err == 0 && out)
		join(out, m);
	return err;
}

int t_read(struct conn *c, uint32_t t, const char *path, char *value)
{
	const struct t_msg *m = t_req(c, XS_READ, t, path, strlen(path) + 1);
	int err = err_of(m);

	if (err == 0 && value)
		memcpy(value, m->data, m->len + 1);
	return err;
}

int t_ls(struct conn *c, uint32_t t, const char *path, char *names)
{
	return one(c, XS_DIRECTORY, t, path, names);
}

int t_getp(struct conn *c, uint32_t t, const char *path, char *perms)
{
	return one(c, XS_GET_PERMS, t, path, perms);
}

int t_setp(struct conn *c, uint32_t t, const char *path, const char *perms)
{
	char data[8192];
	size_t len = strlen(path) + 1, n = strlen(perms) + 1;

	memcpy(data, path, len);
	memcpy(data + len, perms, n);
	for (size_t i = len; i < len + n; i++) {
		if (data[i] == ' ')
			data[i] = '\0';
	}
	return err_of(t_req(c, XS_SET_PERMS, t, data, len + n));
}

int t_watch(struct conn *c, const char *path, const char *token)
{
	return two(c, XS_WATCH, 0, path, token, true);
}

int t_unwatch(struct conn *c, const char *path, const char *token)
{
	return two(c, XS_UNWATCH, 0, path, token, true);
}

uint32_t t_begin(struct conn *c)
{
	const struct t_msg *m = t_req(c, XS_TRANSACTION_START, 0, "", 1);

	assert_int_equal(err_of(m), 0);
	return (uint32_t)strtoul(m->data, NULL, 10);
}

int t_end(struct conn *c, uint32_t t, bool commit)
{
	return err_of(t_req(c, XS_TRANSACTION_END, t, commit ? "T" : "F", 2));
}

int t_call(struct conn *c, uint32_t type, char *out, const char *arg, ...)
{
	const struct t_msg *m;
	char data[4096];
	size_t len = 0;
	va_list ap;
	int err;

	va_start(ap, arg);
	for (; arg; arg = va_arg(ap, const char *)) {
		memcpy(data + len, arg, strlen(arg) + 1);
		len += strlen(arg) + 1;
	}
	va_end(ap);
	m = t_req(c, type, 0, data, len);
	err = err_of(m);
	if (err == 0 && out)
		join(out, m);
	return err;
}
