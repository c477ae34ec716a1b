/* SPDX-License-Identifier: MIT */
/*
 * Claims about debug keys: what of the domains and CPUs that there are is in the log, and nothing
 * of those that there are not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "world.h"

#include <cmocka.h>

#include "domain/evtchn.h"
#include "domain/gnttab.h"
#include "hypercall/debug_keys.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/page_alloc.h"
#include "x86/smp.h"

static char text[32768];
static size_t used;
static struct domain *d1, *d7;

static void keep(const char *line)
{
	const size_t len = strlen(line);

	if (used + len + 2 > sizeof(text))
		fail_msg("more than a person would read");
	memcpy(text + used, line, len);
	text[used + len] = '\n';
	used += len + 1;
	text[used] = 0;
}

static int setup(void **state)
{
	world_reset();
	d1 = world_domain(1, 2);
	d7 = world_domain(7, 1);
	world.on_log = keep;
	return 0;
}

static int teardown(void **state)
{
	fake_nr_cpus = 1;
	fake_cpus[1].vcpu = NULL;
	return world_end() != 0;
}

static void press(char key)
{
	used = 0;
	text[0] = 0;
	assert_true(debug_key(key));
}

static unsigned int count(const char *what)
{
	unsigned int n = 0;

	for (const char *at = text; (at = __builtin_strstr(at, what)); at++)
		n++;
	return n;
}

static void says(const char *what)
{
	if (!count(what))
		fail_msg("not said: %s\n%s", what, text);
}

static void test_help_is_of_every_key_and_no_other_key_is_one(void **state)
{
	static const char keys[] = "*h0AdegimpPqrW"; /* docs/operating.md */
	char row[] = "key ' '";

	press('h');
	for (int key = 33; key < 127; key++) {
		row[5] = (char)key;
		assert_int_equal(count(row), __builtin_strchr(keys, key) ? 1 : 0);
	}
	assert_false(debug_key('~'));
}

static void test_vcpus_are_told_with_their_registers(void **state)
{
	dom0->vcpu[0]->regs.rip = 0xbad;
	fake_cpus[0].regs = (struct cpu_user_regs){ .cs = 0xe033, .rip = 0x1234567890, .ss = 0xe02b, .rsp = 0x7777, .rflags = 0x246,
						    .rax = 0xa1, .rbx = 0xb2, .rcx = 0xc3, .rdx = 0xd4, .rsi = 0xe5, .rdi = 0xf6,
						    .rbp = 0x17, .r8 = 0x28 };
	dom0->vcpu[0]->pv.in_kernel = true;
	press('0');
	says("d0v0: running, pause flags 0, guest kernel mode");
	says("rip e033:0000001234567890 rsp e02b:0000000000007777 flags 00000246");
	says("rax 00000000000000a1 rbx 00000000000000b2 rcx 00000000000000c3 rdx 00000000000000d4");
	says("rsi 00000000000000e5 rdi 00000000000000f6 rbp 0000000000000017 r8  0000000000000028");
	assert_int_equal(count("d1v"), 0);
	fake_nr_cpus = 3;
	fake_cpus[0].vcpu = dom0->vcpu[0];
	fake_cpus[1].vcpu = d1->vcpu[1];
	d1->vcpu[1]->regs.rip = 0x4711;
	press('d');
	says("CPU 0: runs");
	says("CPU 1: runs");
	says("d1v1: offline, pause flags 0x");
	says("0000000000004711"); /* not on a CPU: as they were kept */
	says("guest user mode");
	says("CPU 2: idle");
	assert_int_equal(count("CPU 3"), 0);
}

static void test_ports_are_told_with_what_they_are_bound_to(void **state)
{
	evtchn_port_t port, other;

	assert_int_equal(evtchn_bind_ipi(d1, 1, &port), 0);
	assert_int_equal(evtchn_alloc_unbound(d1, 7, &port), 0);
	assert_int_equal(evtchn_bind_interdomain(d7, d1, port, &other), 0);
	assert_int_equal(evtchn_bind_virq(d1, VIRQ_TIMER, 0, &port), 0);
	d1->shared_info->evtchn_mask[0] = 1UL << port;
	evtchn_send(d1, 1);
	press('e');
	says("d0: event channels");
	says("   1: ipi, vcpu 1, pending, to");
	says("   2: interdomain, vcpu 0, to 7 1");
	says("   3: virq, vcpu 0, masked, to 0 0");
	says("   1: interdomain, vcpu 0, pending, to 1 2");
	assert_int_equal(count("closed"), 0);
}

static void test_grants_in_use_are_counted(void **state)
{
	d1->gnttab->active[0][0].frame = d1->gnttab->active[0][GRANTS_PER_FRAME - 1].frame = &frame_table[20];
	press('g');
	d1->gnttab->active[0][0].frame = d1->gnttab->active[0][GRANTS_PER_FRAME - 1].frame = NULL;
	says("d1: grant table of 1 frames (4 at most), 2 entries in use by others; maps 0 of others'");
	says("d7: grant table of 1 frames (4 at most), 0 entries in use by others; maps 0 of others'");
}

static void test_memory_is_told_in_kib(void **state)
{
	char line[100];

	world_page(d1);
	press('m');
	snprintf(line, sizeof(line), "memory: %lu of %lu KiB free", (unsigned long)page_alloc_free_frames() * 4,
		 (unsigned long)page_alloc_total_frames() * 4);
	says(line);
	says("d1: 4 KiB of at most 2048, 8 shared by the hypervisor");
	says("d7: 0 KiB of at most 2048, 8 shared by the hypervisor");
}

static void test_domains_are_told_with_what_ails_them(void **state)
{
	press('q');
	says("d1: 0 pages (512 at most), paused 0+0\n");
	says("vcpu 0: runnable, CPU -1, affinity 0x1, upcall pending 0 masked 1, 0 ms");
	says("vcpu 1: offline");
	domain_pause(d7);
	domain_pause_by_controller(d7);
	domain_crash(d7, "it was a test");
	press('q');
	says("d7: 0 pages (512 at most), paused 1+1, shut down, crashed:");
	says("  it was a test");
	assert_int_equal(count("it was a test"), 1);
	domain_unpause(d7);
}

static void test_the_audits_sum_is_told(void **state)
{
	press('A');
	says("audit: 4096 frames, 0 wrong");
	assert_int_equal(world.audits, 1);
}

static void test_the_queue_is_told(void **state)
{
	fake_nr_cpus = 2;
	press('r');
	says("CPU 0");
	says("CPU 1: idle");
	assert_int_equal(count("CPU "), 2);
	says("waits 0");
}

static void test_nothing_hangs_where_no_watchdog_would_notice(void **state)
{
	press('W');
	says("only with 'watchdog'");
}

#define T(n) cmocka_unit_test_setup_teardown(n, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_help_is_of_every_key_and_no_other_key_is_one),
		T(test_vcpus_are_told_with_their_registers),
		T(test_ports_are_told_with_what_they_are_bound_to),
		T(test_grants_in_use_are_counted),
		T(test_memory_is_told_in_kib),
		T(test_domains_are_told_with_what_ails_them),
		T(test_the_audits_sum_is_told),
		T(test_the_queue_is_told),
		T(test_nothing_hangs_where_no_watchdog_would_notice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
