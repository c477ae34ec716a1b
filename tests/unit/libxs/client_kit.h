/* SPDX-License-Identifier: MIT */
/*
 * client_kit.h - what the tests of the asynchronous client share: a client of a daemon that breaks
 * on demand (fake_store.h), which has /a = "one", and what its callbacks note.
 */
#ifndef STOREVISOR_TESTS_CLIENT_KIT_H
#define STOREVISOR_TESTS_CLIENT_KIT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <xs.h>

#include "fake_store.h"

struct fixture {
	struct fake_store f;
	struct xs_client *c;
};

/* What came of a request. */
struct got {
	int calls, rc;
	char data[64];
};

/* What came by a watch. */
struct events {
	int n;
	char last[64];
};

int client_setup(void **state);
int client_teardown(void **state);

/* Callbacks: of a request, with a struct got; of a watch, with a struct events. */
void take(void *arg, int rc, const char *data, size_t len);
void note(void *arg, const char *path);

uint32_t start_txn(struct fixture *x);
/* Runs the client until *@n is @want, for five seconds at most. */
void run_until(struct fixture *x, const int *n, int want);

#define CLIENT_TEST(name) cmocka_unit_test_setup_teardown(name, client_setup, client_teardown)

#endif
