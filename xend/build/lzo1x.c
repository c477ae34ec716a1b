/* SPDX-License-Identifier: MIT */
/*
 * lzo1x.c - a stream of instructions: each copies a match from what is out already, then none to
 * three literal bytes; a run of literals is an instruction of its own.
 */
#include "lzo1x.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum {
	AFTER_MATCH = 0,		/* 1 to 3: so many literals followed the last match */
	AFTER_RUN = 4,			/* the last instruction was a run of literals */
};

struct lzo {
	const uint8_t *in, *in_end;
	uint8_t *begin, *out, *out_end;
	unsigned int state;
	bool bad;			/* sticks */
};

struct match {
	size_t distance, len;
	unsigned int literals;
};

static unsigned int byte(struct lzo *z)
{
	if (z->in == z->in_end) {
		z->bad = true;
		return 0;
	}
	return *z->in++;
}

/* What does not fit @bits goes on in bytes: each of 0 stands for 255, another one ends it. */
static size_t length(struct lzo *z, unsigned int value, unsigned int bits)
{
	size_t n = value;
	unsigned int b;

	if (value)
		return n;
	n = (1u << bits) - 1;
	while ((b = byte(z)) == 0 && !z->bad)
		n += 255;
	return n + b;
}

static void literals(struct lzo *z, size_t n)
{
	if (n > (size_t)(z->in_end - z->in) || n > (size_t)(z->out_end - z->out)) {
		z->bad = true;
		return;
	}
	memcpy(z->out, z->in, n);
	z->in += n;
	z->out += n;
}

/* Byte by byte: a match may reach into what it writes. */
static void copy(struct lzo *z, const struct match *m)
{
	if (m->distance > (size_t)(z->out - z->begin) || m->len > (size_t)(z->out_end - z->out)) {
		z->bad = true;
		return;
	}
	for (size_t i = 0; i < m->len; i++, z->out++)
		*z->out = z->out[-(ptrdiff_t)m->distance];
	literals(z, m->literals);
	z->state = m->literals;
}

/* 14 bits of distance and the number of literals. */
static void far_tail(struct lzo *z, struct match *m)
{
	unsigned int low = byte(z), tail = low | byte(z) << 8;

	m->distance += tail >> 2;
	m->literals = tail & 3;
}

/* @op: 64 and more, a match of 3 to 8 bytes. */
static struct match near_match(struct lzo *z, unsigned int op)
{
	return (struct match){
		.len = op < 128 ? 3 + (op >> 5 & 1) : 5 + (op >> 5 & 3),
		.distance = (byte(z) << 3) + (op >> 2 & 7) + 1,
		.literals = op & 3,
	};
}

/* @op: below 16, behind literals. */
static struct match tiny_match(struct lzo *z, unsigned int op)
{
	return (struct match){
		.len = z->state == AFTER_RUN ? 3 : 2,
		.distance = (byte(z) << 2) + (op >> 2) + (z->state == AFTER_RUN ? 2049 : 1),
		.literals = op & 3,
	};
}

/* True: that was the end. */
static bool step(struct lzo *z)
{
	unsigned int op = byte(z);
	struct match m = { 0 };

	if (op < 16 && z->state == AFTER_MATCH) {
		literals(z, 3 + length(z, op, 4));
		z->state = AFTER_RUN;
		return false;
	}
	if (op < 16) {
		m = tiny_match(z, op);
	} else if (op < 32) {
		m.len = 2 + length(z, op & 7, 3);
		m.distance = 16384 + ((op & 8) << 11);
		far_tail(z, &m);
		if (m.distance == 16384)
			return true;
	} else if (op < 64) {
		m.len = 2 + length(z, op & 31, 5);
		m.distance = 1;
		far_tail(z, &m);
	} else {
		m = near_match(z, op);
	}
	copy(z, &m);
	return false;
}

int lzo1x_unpack(const uint8_t *in, size_t len, uint8_t *out, size_t out_len)
{
	struct lzo z = { .in = in, .in_end = in + len, .begin = out, .out = out,
			 .out_end = out + out_len };
	bool end = false;

	/* The first byte may stand for a run of literals, without an instruction. */
	if (len && in[0] > 17) {
		size_t n = byte(&z) - 17u;

		literals(&z, n);
		z.state = n < AFTER_RUN ? (unsigned int)n : AFTER_RUN;
	}
	while (!z.bad && !end)
		end = step(&z);
	return !z.bad && z.in == z.in_end && z.out == z.out_end ? 0 : -EBADMSG;
}
