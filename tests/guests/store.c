/* SPDX-License-Identifier: MIT */
#include "claim.h"
#include "xenbus/xenbus.h"

/* A guest's own home, everything a frontend needs, and the walls around it. */
GUEST_TEST(store, "a guest reads, writes, watches and commits in the store, in its own home", 0)
{
	char value[XENBUS_VALUE_MAX], path[128], token[32];
	u64 number;
	u32 txn;

	check_is(xenbus_read_number(0, "domid", &number), 0);
	check_is(number, guest_domid());
	check_is(xenbus_write(0, "data/kit", "hello"), 0);
	check_is(xenbus_read(0, "data/kit", value, sizeof(value)), 5);
	check(strcmp(value, "hello") == 0);
	check_is(xenbus_begin(&txn), 0);
	check_is(xenbus_write(txn, "data/kit", "changed"), 0);
	check_is(xenbus_end(txn, false), 0);
	check_is(xenbus_read(0, "data/kit", value, sizeof(value)), 5);
	check_is(xenbus_begin(&txn), 0);
	check_is(xenbus_write(txn, "data/kit", "again"), 0);
	check_is(xenbus_end(txn, true), 0);
	check_is(xenbus_watch("data/kit", "token"), 0);
	check_is(xenbus_event(path, sizeof(path), token, sizeof(token), 10 * NS_PER_S), 0);
	check_is(xenbus_write(0, "data/kit", "event"), 0);
	check_is(xenbus_event(path, sizeof(path), token, sizeof(token), 10 * NS_PER_S), 0);
	check(strcmp(path, "data/kit") == 0);
	check(strcmp(token, "token") == 0);
	check_is(xenbus_rm(0, "data/kit"), 0);
	check_is(xenbus_read(0, "data/kit", value, sizeof(value)), -ENOENT);
	check_is(xenbus_write(0, "/local/domain/0/data", "x"), -EACCES);
	check(xenbus_read(0, "/config", value, sizeof(value)) < 0);
}
