/* SPDX-License-Identifier: MIT */
/* fuzz_head.c - any bytes as the head of a request: what is accepted is one. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "head.h"

#define BODY_MAX 1000

static void check_query(const struct head *h)
{
	static const char *const names[] = { "depth", "at", "n", "nodes" };
	bool bad = false;

	for (size_t i = 0; i < 4; i++) {
		char *value = head_query(h->query, names[i], &bad);

		FUZZ_CHECK(!value || strlen(value) <= strlen(h->query));
		free(value);
	}
}

static void check(struct head *h)
{
	char names[64];

	FUZZ_CHECK(h->method && !(h->method & (h->method - 1)));
	FUZZ_CHECK(!strchr(head_methods(h->method, names), ','));
	FUZZ_CHECK(h->path[0] == '/' && !strpbrk(h->path, " ?#\r\n\t"));
	FUZZ_CHECK(h->body_len <= BODY_MAX);
	FUZZ_CHECK(!h->transfer_encoding);
	FUZZ_CHECK(h->host || !h->keep_alive);
	FUZZ_CHECK(!h->origin || !strpbrk(h->origin, "\r\n"));
	check_query(h);
	if (head_unescape(h->path))
		FUZZ_CHECK(h->path[0] == '/');
}

int fuzz_one(const uint8_t *bytes, size_t size)
{
	char *text = malloc(size + 1);
	struct head_fault fault = { 0 };
	struct head h;

	memcpy(text, bytes, size);
	text[size] = '\0';
	if (head_read(text, size, BODY_MAX, &h, &fault))
		check(&h);
	else
		FUZZ_CHECK(fault.status >= 400 && fault.why && fault.cure);
	free(text);
	return 0;
}
