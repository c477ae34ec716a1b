/* SPDX-License-Identifier: MIT */
/* fuzz_record.c - any bytes as a stored record: key, node, and whatever the loader makes of it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fake_hv.h"
#include "fuzz.h"
#include "hv.h"
#include "load.h"
#include "record.h"
#include "ring_slot.h"
#include "server.h"

static void as_node(const uint8_t *data, size_t size)
{
	struct node_record rec;
	struct xs_perm perm;

	if (record_node_parse(data, size, &rec) < 0)
		return;
	FUZZ_CHECK(record_node_len(rec.name_len, rec.value_len, rec.nr_perms) == size);
	FUZZ_CHECK(rec.value + rec.value_len == (const char *)data + size);
	for (unsigned int i = 0; i < rec.nr_perms; i++) {
		record_node_perm(&rec, i, &perm);
		FUZZ_CHECK(perm.access <= 3);
	}
}

/* First byte: length of the key; then key and value of one record after the other. */
static void as_stream(const uint8_t *data, size_t size)
{
	struct server_config cfg = { .in_memory = true };
	struct server *srv = calloc(1, sizeof(*srv));
	struct load load;
	size_t at = 0;

	if (server_init(srv, &cfg, hv_none_open()) < 0)
		abort();
	srv->slots = ring_slots_open(NULL);
	FUZZ_CHECK(server_root(srv) == 0 && load_init(&load, srv, false) == 0);
	while (size - at > 3) {
		size_t key = data[at] & 15, value = data[at + 1] | (size_t)(data[at + 2] & 3) << 8;

		at += 3;
		if (key + value > size - at)
			break;
		if (key && data[at] != RECORD_DOMAIN)
			load_record(&load, data[at] & 1, data + at, key, data + at + key, value);
		at += key + value;
	}
	free(load.by_id);
	server_fini(srv);
	free(srv);
}

int fuzz_one(const uint8_t *data, size_t size)
{
	enum record_kind kind;
	uint64_t a, b;

	record_key_parse(data, size, &kind, &a, &b);
	as_node(data, size);
	as_stream(data, size);
	return 0;
}
