/* SPDX-License-Identifier: MIT */
/*
 * test_payloads.c - each operation with a payload that is exact, short, unended, or has more behind
 * it than the operation takes: what does not fit is EINVAL and changes nothing. A row says what
 * xenstore.txt and C xenstored say; the daemon's own table is not asked.
 */
#include <errno.h>

#include "harness.h"

enum rest { NOTHING, BYTES, STRINGS, IGNORED };

struct row {
	uint32_t type;
	unsigned int min;	/* strings without which it is nothing */
	const char *arg[4];	/* as many as may be, that it answers well */
	enum rest rest;		/* what may follow them */
};

static const struct row rows[] = {
	{ XS_CONTROL, 1, { "help" }, STRINGS },
	{ XS_DIRECTORY, 1, { "/p" }, NOTHING },
	{ XS_READ, 1, { "/p/a" }, NOTHING },
	{ XS_GET_PERMS, 1, { "/p/a" }, NOTHING },
	{ XS_WATCH, 2, { "/p", "new", "1" }, NOTHING },
	{ XS_UNWATCH, 2, { "/p", "token" }, NOTHING },
	{ XS_TRANSACTION_START, 0, { NULL }, IGNORED },
	{ XS_TRANSACTION_END, 1, { "T" }, NOTHING },
	{ XS_INTRODUCE, 3, { "2", "5", "9" }, IGNORED },
	{ XS_RELEASE, 1, { "1" }, NOTHING },
	{ XS_GET_DOMAIN_PATH, 1, { "1" }, NOTHING },
	{ XS_WRITE, 1, { "/p/a" }, BYTES },
	{ XS_MKDIR, 1, { "/p/new" }, NOTHING },
	{ XS_RM, 1, { "/p/a" }, NOTHING },
	{ XS_SET_PERMS, 2, { "/p/a", "n0" }, STRINGS },
	{ XS_IS_DOMAIN_INTRODUCED, 1, { "1" }, NOTHING },
	{ XS_RESUME, 1, { "1" }, NOTHING },
	{ XS_SET_TARGET, 2, { "1", "1" }, NOTHING },
	{ XS_RESET_WATCHES, 0, { NULL }, IGNORED },
	{ XS_DIRECTORY_PART, 2, { "/p", "0" }, NOTHING },
	{ XS_WIRE_GET_FEATURE, 0, { "1" }, NOTHING },
	{ XS_WIRE_SET_FEATURE, 2, { "1", "0" }, NOTHING },
	{ XS_WIRE_GET_QUOTA, 0, { "1", "nodes" }, NOTHING },
	{ XS_WIRE_SET_QUOTA, 2, { "1", "nodes", "7" }, NOTHING },
};

#define NR_ROWS (sizeof(rows) / sizeof(rows[0]))

struct payload {
	char bytes[128];
	size_t len;
};

static struct server *srv;
static struct conn *dom0;

static void begin(void)
{
	srv = t_start();
	dom0 = t_client(srv, 0);
	t_client(srv, 1);
	fake_domain(srv->hv, 2, FAKE_EXISTS);
	assert_int_equal(t_write(dom0, 0, "/p/a", "1"), 0);
	assert_int_equal(t_watch(dom0, "/p", "token"), 0);
	t_expect_event(dom0, "/p", "token");
}

static unsigned int nr_args(const struct row *r)
{
	unsigned int n = 0;

	while (n < 4 && r->arg[n])
		n++;
	return n;
}

static void add(struct payload *p, const void *bytes, size_t len)
{
	memcpy(p->bytes + p->len, bytes, len);
	p->len += len;
}

/* The first @n arguments, each ended. */
static struct payload first(const struct row *r, unsigned int n)
{
	struct payload p = { .len = 0 };

	for (unsigned int i = 0; i < n; i++)
		add(&p, r->arg[i], strlen(r->arg[i]) + 1);
	return p;
}

/* What a fresh daemon answers: 0 or an errno. Refused, it has changed nothing. */
static int answer(const struct row *r, const struct payload *p)
{
	char value[XENSTORE_PAYLOAD_MAX + 1];
	const struct t_msg *m;
	uint32_t tx = 0;
	int err;

	begin();
	if (r->type == XS_TRANSACTION_END) {
		tx = t_begin(dom0);
		assert_int_equal(t_write(dom0, tx, "/p/tx", "1"), 0);
	}
	m = t_req(dom0, r->type, tx, p->bytes, p->len);
	err = m->type == XS_ERROR ? xs_wire_error_code(m->data, m->len) : 0;
	if (err) {
		assert_int_equal(t_read(dom0, 0, "/p/a", value), 0);
		assert_string_equal(value, "1");
		assert_int_equal(t_read(dom0, 0, "/p/new", value), ENOENT);
		assert_int_equal(t_read(dom0, 0, "/p/tx", value), ENOENT);
		assert_int_equal(dom0->nr_watches, 1);
		assert_non_null(domain_find(&srv->domains, 1));
		assert_null(domain_find(&srv->domains, 2));
	}
	if (err && tx)
		assert_int_equal(t_end(dom0, tx, true), 0);
	t_stop(srv);
	return err;
}

static void expect(const struct row *r, const char *what, const struct payload *p, int err)
{
	int got = answer(r, p);

	if (got != err)
		fail_msg("%s with %s: %s instead of %s", xs_wire_op_name(r->type), what,
			 strerror(got), strerror(err));
}

static void test_the_exact_payload_is_answered(void **state)
{
	for (size_t i = 0; i < NR_ROWS; i++) {
		struct payload p = first(&rows[i], nr_args(&rows[i]));

		expect(&rows[i], "all its arguments", &p, 0);
	}
}

static void test_fewer_arguments_than_needed_are_EINVAL(void **state)
{
	for (size_t i = 0; i < NR_ROWS; i++) {
		for (unsigned int n = 0; n < rows[i].min; n++) {
			struct payload p = first(&rows[i], n);

			expect(&rows[i], "too few arguments", &p, EINVAL);
		}
	}
}

static void test_an_argument_that_does_not_end_is_EINVAL(void **state)
{
	for (size_t i = 0; i < NR_ROWS; i++) {
		struct payload p = first(&rows[i], nr_args(&rows[i]));

		if (p.len == 0)
			continue;
		p.len--;
		expect(&rows[i], "its last argument not ended", &p, EINVAL);
	}
}

static void test_bytes_behind_the_arguments_are_EINVAL_where_none_belong(void **state)
{
	for (size_t i = 0; i < NR_ROWS; i++) {
		struct payload p = first(&rows[i], nr_args(&rows[i]));
		bool fine = rows[i].rest == BYTES || rows[i].rest == IGNORED;

		add(&p, "x", 1);
		expect(&rows[i], "a byte behind", &p, fine ? 0 : EINVAL);
	}
}

static void test_a_string_behind_the_arguments_is_EINVAL_where_none_belongs(void **state)
{
	for (size_t i = 0; i < NR_ROWS; i++) {
		struct payload p = first(&rows[i], nr_args(&rows[i]));
		bool fine = rows[i].rest != NOTHING;

		/* What CONTROL and SET_PERMS make of more strings is theirs. */
		if (rows[i].rest == STRINGS)
			continue;
		add(&p, "x", 2);
		expect(&rows[i], "a string behind", &p, fine ? 0 : EINVAL);
		p.len -= 2;
		add(&p, "", 1);
		/* One empty string is how "no arguments" is written. */
		expect(&rows[i], "an empty string behind", &p, fine || p.len == 1 ? 0 : EINVAL);
	}
}

static void test_more_strings_are_taken_where_they_belong(void **state)
{
	const struct row perms = { XS_SET_PERMS, 2, { "/p/a", "n0", "r1" }, STRINGS };
	const struct row help = { XS_CONTROL, 1, { "quota", "1" }, STRINGS };
	struct payload p = first(&perms, 3);

	expect(&perms, "two permissions", &p, 0);
	p = first(&help, 2);
	expect(&help, "an argument", &p, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test(f)
	const struct CMUnitTest tests[] = {
		T(test_the_exact_payload_is_answered),
		T(test_fewer_arguments_than_needed_are_EINVAL),
		T(test_an_argument_that_does_not_end_is_EINVAL),
		T(test_bytes_behind_the_arguments_are_EINVAL_where_none_belong),
		T(test_a_string_behind_the_arguments_is_EINVAL_where_none_belongs),
		T(test_more_strings_are_taken_where_they_belong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
