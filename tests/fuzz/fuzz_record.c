/* SPDX-License-Identifier: MIT */
/* fuzz_record.c - any bytes as records of the live environment, whose checksums are right. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "hv.h"
#include "named.h"
#include "server.h"
#include "store.h"

/* First bytes: table, lengths of key and record; then both, one record after the other. */
static void put_all(struct store *store, const uint8_t *data, size_t size)
{
	size_t at = 0;

	while (size - at > 3) {
		unsigned char rec[STORE_HEAD + 1024];
		size_t key = data[at] & 31, len = data[at + 1] | (size_t)(data[at + 2] & 3) << 8;
		enum store_table t = (enum store_table)(data[at] % STORE_TABLES);

		at += 3;
		if (key + len > size - at)
			break;
		memcpy(rec + STORE_HEAD, data + at + key, len);
		if (key && t != STORE_DOMAIN && store_room(store, 1, len, true) == 0)
			store_put(store, t, data + at, key, rec, STORE_HEAD + len);
		at += key + len;
	}
}

static void count(void *arg, const struct node *n, size_t name_len)
{
	FUZZ_CHECK(n->perms && n->perms->nr > 0);
}

int fuzz_one(const uint8_t *data, size_t size)
{
	struct server_config cfg = { .in_memory = true };
	struct server *srv = calloc(1, sizeof(*srv));
	struct walk w;
	struct named at;

	if (!srv || server_init(srv, &cfg, hv_none_open()) < 0)
		abort();
	put_all(srv->tree.store, data, size);
	FUZZ_CHECK(tree_recount(&srv->tree, count, NULL) == 0);
	for (bool more = walk_begin(&w, &srv->tree, "/", 1); more;)
		more = walk_next(&w, 20);
	for (unsigned int domid = 0; named_domid_next(&srv->tree, &domid); domid++)
		for (bool more = named_first(&srv->tree, domid, &at); more;)
			more = named_next(&srv->tree, &at);
	server_fini(srv);
	free(srv);
	return 0;
}
