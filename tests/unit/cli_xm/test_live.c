/* SPDX-License-Identifier: MIT */
/*
 * test_live.c - claims about the commands that change a running domain: devices, virtual CPUs,
 * shares, limits; and about those that explain it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "fake_store.h"
#include "host.h"
#include "xm_run.h"

#define PAD "                                 " /* to the column of IDs */
#define CFG xm_file("demo.cfg")
#define RECORD "/config/domain/demo"
#define BACK "/local/domain/0/backend"

static void test_an_attached_disk_is_in_domain_and_record(void **state)
{
	(void)state;
	OK("create", CFG);
	OK("block-attach", "demo", "phy:/dev/vg/more", "xvdb", "w");
	expect_key(BACK "/vbd/1/51728/dev", "xvdb");
	expect_key(RECORD "/disk/1/target", "phy:/dev/vg/more");
	expect_key(RECORD "/disk/1/mode", "w");
	FAILS("block-attach", "demo", "file:/x,xvdb,w");
	expect_err("demo has xvdb already");

	OK("block-detach", "demo", "xvdb");
	expect_key(BACK "/vbd/1/51728/dev", NULL);
	expect_key(RECORD "/disk/1", NULL);
	FAILS("block-detach", "demo", "xvdb");
	expect_err("demo has no disk 'xvdb': 'xm block-list demo' lists what it has");
}

static void test_live_only_leaves_the_record(void **state)
{
	(void)state;
	OK("create", CFG);
	OK("block-attach", "-l", "demo", "file:/data/more.img,xvdb,w");
	expect_key(BACK "/vbd/1/51728/dev", "xvdb");
	expect_key(RECORD "/disk/1", NULL);
	OK("block-detach", "-l", "demo", "51712");
	expect_key(RECORD "/disk/0/vdev", "xvda");
}

static void test_a_stopped_domain_gets_it_in_its_record_only(void **state)
{
	(void)state;
	OK("new", CFG);
	OK("block-attach", "demo", "file:/data/more.img,xvdb,r");
	expect_key(RECORD "/disk/1/mode", "r");
	FAILS("block-attach", "-l", "demo", "file:/data/other.img,xvdc,r");
	expect_err("domain 'demo' is not running (it is defined)");
	OK("block-detach", "demo", "xvdb");
	expect_key(RECORD "/disk/1", NULL);
	/* The same disk by another name, or far behind in the list, is there already. */
	FAILS("block-attach", "demo", "file:/data/more.img,d0,r");
	expect_err("demo has d0 already");
	fake_store_set(RECORD "/disk/40/target", "file:/data/far.img");
	fake_store_set(RECORD "/disk/40/vdev", "xvdc");
	FAILS("block-attach", "demo", "file:/data/more.img,xvdc,r");
	expect_key(RECORD "/disk/1", NULL);
	OK("block-attach", "demo", "file:/data/more.img,xvdd,r");
	expect_key(RECORD "/disk/1/vdev", "xvdd");
}

static void test_a_stopped_domain_is_listed_with_what_absent_keys_count_as(void **state)
{
	(void)state;
	fake_store_set("/config/domain/bare/memory", "64");
	OK("list", "-a", "bare");
	expect_out("   64     1 ");
}

static void test_a_backend_that_refuses_leaves_the_record_as_it_was(void **state)
{
	(void)state;
	OK("create", CFG);
	FAILS("block-attach", "demo", "file:/data/broken.img,xvdb,w");
	expect_err("demo: not attached: disk xvdb: cannot open it");
	expect_key(RECORD "/disk/1", NULL);
	FAILS("block-attach", "demo", "file:/x,nonsense,w");
	expect_err("disk: ");
}

static void test_cards_are_detached_by_number_or_address(void **state)
{
	(void)state;
	OK("create", CFG);
	OK("network-attach", "demo", "mac=00:16:3e:00:00:22");
	expect_key(BACK "/vif/1/1/mac", "00:16:3e:00:00:22");
	expect_key(RECORD "/vif/1/bridge", "xenbr0");
	OK("network-detach", "demo", "00:16:3E:00:00:22");
	expect_key(BACK "/vif/1/1/mac", NULL);
	expect_key(RECORD "/vif/1", NULL);
	OK("network-attach", "demo");
	OK("network-detach", "demo", "1");
	expect_key(RECORD "/vif/1", NULL);
	expect_key(RECORD "/vif/0/bridge", "br7");
}

static void test_a_disk_in_use_needs_force(void **state)
{
	(void)state;
	OK("create", CFG, "extra=fake=busy");
	host_hurry();
	FAILS("block-detach", "demo", "xvda");
	expect_err("demo: not detached: the guest still uses it");
	expect_key(RECORD "/disk/0/vdev", "xvda");
	OK("block-detach", "-f", "demo", "xvda");
	expect_key(RECORD "/disk/0", NULL);
}

static void test_vcpus_are_listed_and_pinned(void **state)
{
	(void)state;
	OK("create", CFG, "vcpus=2");
	OK("vcpu-list", "demo");
	expect_out("Name                                ID  VCPU   CPU  State   Time(s)  Affinity");
	expect_out("demo" PAD "1     0     0    r--       1.5  all / all");
	expect_out("demo" PAD "1     1     1    r--       1.5  all / all");
	OK("vcpu-pin", "-l", "demo", "1", "0");
	OK("vcpu-list", "--json", "demo");
	expect_out("\"hard\":\"0\"");
	OK("vcpu-pin", "-l", "demo", "1", "all");
	OK("vcpu-pin", "demo", "all", "-", "1");
	OK("vcpu-list", "demo");
	expect_out("demo" PAD "1     0     0    r--       1.5  all / 1");
	expect_key("/config/domain/demo/cpus", "all");
	OK("vcpu-pin", "demo", "all", "1-2");
	expect_key("/config/domain/demo/cpus", "1-2");
	OK("vcpu-pin", "-l", "demo", "all", "0");
	expect_key("/config/domain/demo/cpus", "1-2");
	WRONG("vcpu-pin", "demo", "first", "0");
	expect_err("'first' is not a virtual CPU: a number, or all");
}

static void test_shares_are_shown_and_set(void **state)
{
	(void)state;
	OK("create", CFG);
	OK("sched-credit", "-d", "demo");
	expect_out("demo                                 1    256     0");
	OK("sched-credit", "-d", "demo", "-w", "512", "-c", "50");
	OK("sched-credit", "-d", "demo");
	expect_out("demo                                 1    512    50");
	expect_key("/config/domain/demo/cpu_weight", "512");
	expect_key("/config/domain/demo/cap", "50");
	OK("sched-credit", "-d", "demo", "-l", "-w", "64");
	expect_key("/config/domain/demo/cpu_weight", "512");
	WRONG("sched-credit", "-w", "512");
	expect_err("whose? name the domain with -d");
}

static void test_the_memory_limit_is_not_below_the_target(void **state)
{
	(void)state;
	OK("create", CFG);
	OK("mem-set", "demo", "100");
	OK("mem-max", "demo", "120");
	expect_key("/local/domain/1/memory/static-max", "122880");
	expect_key(RECORD "/maxmem", "120");
	/* Units are xl's. */
	OK("mem-max", "demo", "128MB");
	expect_key(RECORD "/maxmem", "128");
	OK("mem-max", "demo", "125829120b");
	expect_key(RECORD "/maxmem", "120");
	OK("mem-max", "demo", "1T");
	expect_key(RECORD "/maxmem", "1048576");
	OK("mem-max", "demo", "122880K");
	WRONG("mem-max", "demo", "0.5g");
	WRONG("mem-max", "demo", "1x");
	WRONG("mem-max", "demo", "1gg");
	WRONG("mem-max", "demo", "17t");
	WRONG("mem-max", "demo", "9223372036854775807g");
	expect_key(RECORD "/maxmem", "120");
	FAILS("mem-max", "demo", "64");
	expect_err("64 MiB is less than it shall have now, 100 MiB: mem-set first");
}

/* What is told to one that has just ended stays for the next of its number, or for ever. */
static void test_nothing_is_written_into_the_home_of_one_that_has_ended(void **state)
{
	(void)state;
	fake_store_set("/status/domain/web/state", "running");
	fake_store_set("/status/domain/web/domid", "7");
	fake_store_set("/status/domain/web/memory_kib", "131072");
	FAILS("mem-set", "-f", "web", "64");
	expect_err("web has ended meanwhile");
	FAILS("sysrq", "web", "h");
	expect_err("web has ended meanwhile");
	FAILS("vcpu-set", "web", "1");
	assert_int_equal(fake_store_count("/local/domain/7"), 0);
	assert_int_equal(fake_store_count("/config/domain/web"), 0);
}

static void test_diff_tells_record_from_domain(void **state)
{
	(void)state;
	OK("create", CFG);
	fake_store_set("/local/domain/1/memory/target", "65536");
	fake_store_set(BACK "/vbd/1/51712/params", "/elsewhere.img");
	fake_store_set(BACK "/vbd/1/51712/mode", "w");
	expect_status(xm_run("diff", "demo", NULL), 1);
	expect_out("- memory = 128\n+ memory = 64\n");
	expect_out("+ disk xvda = /elsewhere.img,w");
	expect_status(xm_run("diff", "nosuch", NULL), 2);
}

static void test_explain_says_what_is_waited_for(void **state)
{
	(void)state;
	OK("create", CFG);
	fake_store_set(BACK "/vbd/1/51712/hotplug-error", "no such image");
	fake_store_set(BACK "/vbd/1/51712/hotplug-status", "error");
	fake_store_set(RECORD "/cmdline", "loud");
	wait_key("/status/domain/demo/pending", "1");
	OK("explain", "demo");
	expect_out("wants: power on, 128 MiB, 1 virtual CPU, 1 disk, 1 network card");
	expect_out("does:  it is running, domain 1");
	expect_out("waits: vbd 51712: dom0's side is not set up: no such image");
	expect_out("waits: its next start, to follow the record");
	/* The guest's own key: nothing it writes there does anything to the terminal. */
	fake_store_set("/local/domain/1/control/shutdown", "\033]0;root\007halt");
	OK("explain", "demo");
	expect_out("waits: the guest takes up the request to \\x1b]0;root\\x07halt");
	FAILS("explain", "nosuch");
}

static void test_config_is_edit_and_export(void **state)
{
	(void)state;
	OK("new", CFG);
	OK("config", "show", "demo");
	expect_out("vcpus       = 1");
	WRONG("config", "list", "demo");
	expect_err("'list': say config edit or config show");
}

#define LIVE(f) cmocka_unit_test_setup_teardown(f, xm_setup, xm_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE(test_an_attached_disk_is_in_domain_and_record),
		LIVE(test_live_only_leaves_the_record),
		LIVE(test_a_stopped_domain_gets_it_in_its_record_only),
		LIVE(test_a_stopped_domain_is_listed_with_what_absent_keys_count_as),
		LIVE(test_a_backend_that_refuses_leaves_the_record_as_it_was),
		LIVE(test_cards_are_detached_by_number_or_address),
		LIVE(test_a_disk_in_use_needs_force),
		LIVE(test_vcpus_are_listed_and_pinned),
		LIVE(test_shares_are_shown_and_set),
		LIVE(test_the_memory_limit_is_not_below_the_target),
		LIVE(test_diff_tells_record_from_domain),
		cmocka_unit_test_setup_teardown(test_nothing_is_written_into_the_home_of_one_that_has_ended, xm_setup_bare,
						xm_teardown),
		LIVE(test_explain_says_what_is_waited_for),
		LIVE(test_config_is_edit_and_export),
	};

	return cmocka_run_group_tests_name("xm: live changes", tests, xm_group_setup,
					   xm_group_teardown);
}
