/* SPDX-License-Identifier: MIT */
/*
 * claim.h - a guest that tests one claim about the hypervisor.
 *
 * Every tests/guests/NAME.c is one GUEST_TEST. As a domU the image runs it and ends; in dom0's
 * image all of them that may are run in turn. On the console: "claim: ...", then "result: ..." with
 *  success
 *  skip WHY      the machine has not what the test needs
 *  failure WHY   the hypervisor is wrong
 *  error WHY     the test is wrong
 * and a domU ends by SHUTDOWN_poweroff (success, skip) or SHUTDOWN_reboot. No result: it crashed.
 */
#ifndef TESTS_GUESTS_CLAIM_H
#define TESTS_GUESTS_CLAIM_H

#include "guest/events.h"
#include "guest/grants.h"
#include "guest/guest.h"
#include "guest/hypercall.h"
#include "guest/mm.h"
#include "guest/traps.h"
#include "guest/vcpu.h"

/* Runs in dom0's image too, leaving the guest as it found it. */
#define ALSO_DOM0 1u
/* Runs in dom0's image only: it needs a privileged domain. */
#define ONLY_DOM0 2u

struct guest_test {
	const char *name, *claim;
	void (*run)(void);
	unsigned int flags;
	/*
	 * Extended regular expression of the one reason logged; NULL: it lives. "domain_crash" is
	 * what Xen logs of every death, and ours of none.
	 */
	const char *dies;
};

#define GUEST_TEST_ROW(test, text, when, reason)                                                   \
	static void run_##test(void);                                                              \
	static const struct guest_test test_##test                                                 \
		__attribute__((section(".guest_tests"), used, aligned(8))) = {                     \
			#test, text, run_##test, when, reason};                                    \
	static void run_##test(void)

/* GUEST_TEST(name, "claim", flags) { body } */
#define GUEST_TEST(test, text, when) GUEST_TEST_ROW(test, text, when, NULL)
/* The hypervisor must kill the guest for what the body does, and say why. */
#define GUEST_TEST_DIES(test, text, reason) GUEST_TEST_ROW(test, text, 0, reason)

void test_failure(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), noreturn));
void test_skip(const char *why) __attribute__((noreturn));
/* What goes wrong in preparing a test. */
void test_error(const char *what, long rc) __attribute__((noreturn));

#define check(cond)                                                                                \
	do {                                                                                       \
		if (!(cond))                                                                       \
			test_failure(__FILE__, __LINE__, "%s", #cond);                             \
	} while (0)

/* Two numbers are equal. */
#define check_is(got, wanted)                                                                      \
	do {                                                                                       \
		long got_ = (long)(got), wanted_ = (long)(wanted);                                 \
		if (got_ != wanted_)                                                               \
			test_failure(__FILE__, __LINE__, "%s is %ld, not %ld", #got, got_,         \
				     wanted_);                                                     \
	} while (0)

/* A step of preparation that returns 0. */
#define need(call)                                                                                 \
	do {                                                                                       \
		long rc_ = (long)(call);                                                           \
		if (rc_)                                                                           \
			test_error(#call, rc_);                                                    \
	} while (0)

#endif
