/* SPDX-License-Identifier: MIT */
/* claim.c - runs the guest tests linked into an image and says how each ended. */
#include "claim.h"

#include <stdarg.h>

/* guest.lds */
extern const struct guest_test guest_tests_start[], guest_tests_end[];

static char result[200];
static unsigned int exit_code;

void test_failure(const char *file, int line, const char *fmt, ...)
{
	int at = snprintf(result, sizeof(result), "failure %s:%d: ", file, line);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(result + at, sizeof(result) - (size_t)at, fmt, ap);
	va_end(ap);
	exit_code = SHUTDOWN_reboot;
	guard_abort();
}

void test_skip(const char *why)
{
	snprintf(result, sizeof(result), "skip %s", why);
	guard_abort();
}

void test_error(const char *what, long rc)
{
	snprintf(result, sizeof(result), "error %s: %ld", what, rc);
	exit_code = SHUTDOWN_reboot;
	guard_abort();
}

static void body(void *arg)
{
	const struct guest_test *t = arg;

	t->run();
}

static void run(const struct guest_test *t)
{
	struct fault fault;

	snprintf(result, sizeof(result), t->dies ? "failure it lives on" : "success");
	say("test: %s\nclaim: %s\n", t->name, t->claim);
	if (t->dies) {
		say("dies: %s\n", t->dies);
		console_flush();
	}
	fault = guard_run(body, (void *)t);
	if (fault.happened) {
		exit_code = SHUTDOWN_reboot;
		snprintf(result, sizeof(result),
			 "failure unexpected trap %u error %lx address %lx rip %lx rsp %lx",
			 fault.vector, fault.error, fault.address, fault.frame.rip,
			 fault.frame.rsp);
	}
	events_disable();
	trap_hook(NULL);
	say("result: %s\n", result);
}

static bool may_run(const struct guest_test *t)
{
	return guest_is_dom0() ? t->flags & (ALSO_DOM0 | ONLY_DOM0) : !(t->flags & ONLY_DOM0);
}

void guest_main(void)
{
	for (const struct guest_test *t = guest_tests_start; t < guest_tests_end; t++)
		if (may_run(t))
			run(t);
	say("tests: end\n");
	/* dom0's power-off only halts the machine on Xen; a restart ends QEMU */
	guest_exit(guest_is_dom0() ? SHUTDOWN_reboot : exit_code);
}
