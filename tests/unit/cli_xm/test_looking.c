/* SPDX-License-Identifier: MIT */
/*
 * test_looking.c - claims about what the commands that look print.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include <jansson.h>

#include "domains.h"
#include "fake_hv.h"
#include "fake_store.h"
#include "xm_run.h"

#define CFG xm_file("demo.cfg")

static void test_list_has_exactly_six_columns_and_the_host_first(void **state)
{
	char *line, *save = NULL;
	int lines = 0;

	(void)state;
	OK("create", CFG);
	OK("new", CFG, "name=stored");
	OK("list");

	for (line = strtok_r(xm_out, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save), lines++) {
		char word[7][64];

		if (sscanf(line, "%63s %63s %63s %63s %63s %63s %63s", word[0], word[1], word[2],
			   word[3], word[4], word[5], word[6]) != 6)
			fail_msg("not six columns: %s", line);
		if (lines == 1)
			assert_string_equal(word[0], "Domain-0");
		if (lines == 2) {
			assert_string_equal(word[0], "demo");
			assert_string_equal(word[1], "1");
			assert_string_equal(word[2], "128");
			assert_string_equal(word[4], "r-----");
			assert_string_equal(word[5], "1.5");
		}
	}
	assert_int_equal(lines, 3);
}

/*
 * Ganeti takes a line of five words for an error: eleven days of CPU time must not be the end of
 * it.
 */
static void test_columns_stay_apart_however_long_it_runs_and_is_called(void **state)
{
	static const char name[] = "a-name-as-long-as-names-are-which-is-sixty-four-characters-long.";
	static const struct { const char *key, *value; } keys[] = {
		{ "state", "running" }, { "domid", "32751" }, { "memory_kib", "17179869184" },
		{ "vcpus", "128" }, { "cpu_time_ns", "1000000000000000" },
	};
	char path[160], words[6][80], *line;

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		snprintf(path, sizeof(path), "/status/domain/%.63s@2e/%s", name, keys[i].key);
		fake_store_set(path, keys[i].value);
	}
	OK("list");
	line = strstr(xm_out, name);
	assert_non_null(line);
	assert_int_equal(sscanf(line, "%79s %79s %79s %79s %79s %79s", words[0], words[1], words[2], words[3],
				words[4], words[5]), 6);
	assert_string_equal(words[1], "32751");
	assert_string_equal(words[2], "16777216");
	assert_string_equal(words[5], "1000000.0");
}

/* Its figures are written down when it runs. */
static void test_one_that_starts_is_listed_with_what_it_is_to_have(void **state)
{
	struct xs_handle *xs;
	struct domain dom;

	(void)state;
	OK("new", CFG, "vcpus=2");
	fake_store_set("/status/domain/demo/domid", "9");
	fake_store_set("/status/domain/demo/state", "starting");
	xs = xs_open(0);
	assert_true(domain_read(xs, "demo", &dom));
	assert_int_equal(dom.memory_kib, 128 << 10);
	assert_int_equal(dom.vcpus, 2);
	fake_store_set("/status/domain/demo/memory_kib", "4096");
	fake_store_set("/status/domain/demo/vcpus", "1");
	assert_true(domain_read(xs, "demo", &dom));
	xs_close(xs);
	assert_int_equal(dom.memory_kib, 4096);
	assert_int_equal(dom.vcpus, 1);
}

static void test_stored_domains_are_listed_only_where_asked_for(void **state)
{
	(void)state;
	OK("new", CFG);
	OK("list", "-a");
	expect_out("demo                                        -   128     1     ------");
	FAILS("list", "demo");
	expect_err("domain 'demo' is not running (it is defined)");
	OK("list", "-a", "demo");
	FAILS("list", "demmo");
	expect_err("there is no domain 'demmo'; did you mean 'demo'?");
	assert_string_equal(xm_out, "");
}

static void test_a_domain_between_two_lives_is_still_listed_by_name(void **state)
{
	(void)state;
	OK("create", CFG, "name=web");
	fake_store_set("/status/domain/web/state", "stopping");
	OK("list", "web");
}

static void test_list_long_is_xls_json_with_a_state_for_pacemaker(void **state)
{
	json_t *list, *dom;

	(void)state;
	OK("create", CFG);
	expect_status(xl_run("list", "--long", "demo", NULL), 0);

	assert_null(strstr(xm_out, "status"));
	expect_out("\"state\": \"r-----\"");
	list = json_loads(xm_out, 0, NULL);
	dom = json_array_get(list, 0);
	assert_int_equal(json_integer_value(json_object_get(dom, "domid")), 1);
	dom = json_object_get(json_object_get(dom, "config"), "c_info");
	assert_string_equal(json_string_value(json_object_get(dom, "name")), "demo");
	json_decref(list);
}

static void test_list_json_is_one_line_for_programs(void **state)
{
	json_t *list, *dom;

	(void)state;
	OK("new", CFG);
	OK("list", "--json", "-a");

	assert_ptr_equal(strchr(xm_out, '\n'), xm_out + strlen(xm_out) - 1);
	list = json_loads(xm_out, 0, NULL);
	assert_int_equal(json_array_size(list), 2);
	dom = json_array_get(list, 1);
	assert_true(json_is_null(json_object_get(dom, "domid")));
	assert_string_equal(json_string_value(json_object_get(dom, "state")), "defined");
	json_decref(list);
}

static void test_without_xend_list_still_prints_and_says_so(void **state)
{
	(void)state;
	fake_store_set("/status/domain/Domain-0/state", "running");
	fake_store_set("/status/domain/Domain-0/domid", "0");
	OK("list");
	expect_out("Domain-0");
	expect_err("xend is busy, or does not run: times and memory may be old");
	assert_int_equal(fake_store_count("/request"), 1);
	OK("info");
	expect_err("the store says nothing about the machine");
}

static void test_info_prints_the_lines_other_programs_grep_for(void **state)
{
	(void)state;
	fake_store_set("/host/hostname", "fakehost");
	fake_store_set("/host/cpu_khz", "2593992");
	fake_store_set("/host/vulnerabilities/meltdown", "Meltdown: mitigated: tables");
	fake_store_set("/host/vulnerabilities/mds", "MDS: open: turned off");
	fake_store_set("/host/vulnerabilities/tsa", "TSA: not affected");
	OK("info");
	expect_out("\ntotal_memory           : 2048\n");
	expect_out("\nfree_memory            : 1536\n");
	expect_out("\nnr_cpus                : 2\n");
	expect_out("\ncpu_mhz                : 2593.992\n");
	expect_out("host                   : fakehost\n");
	expect_out("\nvulnerability          : Meltdown: mitigated: tables\n");
	expect_out("\nvulnerability          : MDS: open: turned off\n");
	assert_null(strstr(xm_out, "TSA"));
	OK("info", "--json");
	expect_out("\"total_memory\":2048");
	expect_out("\"tsa\":\"TSA: not affected\"");
}

static void test_uptime_counts_from_the_start(void **state)
{
	(void)state;
	OK("create", CFG);
	OK("uptime");
	expect_out("Domain-0");
	OK("uptime", "demo");
	expect_out("demo                                 1 0:00:0");
	OK("uptime", "-s", "demo");
	expect_out("up 0:00:0");
	OK("uptime", "--json", "demo");
	expect_out("\"seconds\":");
}

/* A host that finds its clock by NTP had guests before it had the time. */
static void test_uptime_does_not_jump_with_the_time_of_day(void **state)
{
	struct timespec now;
	char text[32], path[80], *uuid;

	(void)state;
	OK("create", CFG);
	uuid = fake_store_get("/status/domain/demo/uuid");
	snprintf(path, sizeof(path), "/vm/%s/start_time", uuid);
	free(uuid);
	fake_store_set(path, "86400");
	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(text, sizeof(text), "%lld", (long long)now.tv_sec - 65);
	fake_store_set("/status/domain/demo/started", text);
	OK("uptime", "demo");
	expect_out("demo                                 1 0:01:0");
}

static void test_domid_and_domname_are_each_others_inverse(void **state)
{
	(void)state;
	OK("create", CFG);
	OK("domid", "demo");
	assert_string_equal(xm_out, "1\n");
	OK("domname", "1");
	assert_string_equal(xm_out, "demo\n");
	OK("domid", "--json", "demo");
	expect_out("\"domid\":1");
	FAILS("domid", "nobody");
	FAILS("domname", "77");
	expect_err("there is no domain '77'");
	OK("new", CFG, "name=off");
	FAILS("domid", "off");
	expect_err("domain 'off' is not running");
}

static void test_vncviewer_says_where_a_screen_is(void **state)
{
	(void)state;
	OK("create", CFG);
	FAILS("vncviewer", "demo");
	expect_err("'demo' has no screen");
	fake_store_set("/local/domain/0/backend/vfb/1/0/vnclisten", "127.0.0.1");
	fake_store_set("/local/domain/0/backend/vfb/1/0/vnc-port", "5903");
	OK("vncviewer", "--print", "demo");
	assert_string_equal(xm_out, "127.0.0.1::5903\n");
	fake_store_set("/local/domain/0/backend/vfb/1/0/vnclisten", "::1");
	OK("vncviewer", "-p", "demo");
	assert_string_equal(xm_out, "[::1]::5903\n");
	OK("vncviewer", "-j", "demo");
	expect_out("\"port\":5903");
	FAILS("vncviewer", "nobody");
}

static void test_devices_are_listed_from_the_backends_side(void **state)
{
	(void)state;
	OK("create", CFG);
	wait_key("/local/domain/1/device/vbd/51712/state", "4");
	wait_key("/local/domain/1/device/vif/0/state", "4");
	OK("block-list", "demo");
	expect_out("51712 0   0      4     12     8        /local/domain/0/backend/vbd/1/51712");
	OK("block-list", "--json", "demo");
	expect_out("\"name\":\"xvda\"");
	OK("network-list", "demo");
	expect_out("00:16:3e:");
	expect_out("768/769");
	OK("network-list", "--json", "demo");
	expect_out("\"tx_ring_ref\":768");
	expect_out("\"queues\":1");
	OK("vm-list");
	expect_out("1      demo");
}

static void test_of_several_queues_the_first_is_listed(void **state)
{
	(void)state;
	OK("create", CFG);
	wait_key("/local/domain/1/device/vbd/51712/state", "4");
	fake_store_set("/local/domain/1/device/vbd/51712/multi-queue-num-queues", "2");
	fake_store_set("/local/domain/1/device/vbd/51712/queue-0/ring-ref", "555");
	fake_store_set("/local/domain/1/device/vbd/51712/queue-0/event-channel", "77");
	OK("block-list", "demo");
	expect_out("51712 0   0      4     77     555 ");
	OK("block-list", "--json", "demo");
	expect_out("\"queues\":2");
	expect_out("\"event_channel\":77");
}

static void test_dmesg_prints_all_parts_without_control_bytes(void **state)
{
	(void)state;
	fake_hv_log = "(XEN) first\n(d0) [    1.0] Linux\n(XEN) \033[31mred\n(d0) x\n(XEN) second\n";
	OK("dmesg");
	assert_false(fake_hv_log_cleared);
	assert_string_equal(xm_out, "(XEN) first\n(XEN) \\x1b[31mred\n(XEN) second\n");
	OK("dmesg", "-c");
	assert_true(fake_hv_log_cleared);
	OK("dmesg", "-a");
	expect_out("(XEN) first\n(d0) [    1.0] Linux\n(XEN) \\x1b[31mred\n(d0) x\n(XEN) second\n");
	assert_int_equal(fake_store_count("/request"), 1);
}

static void test_debug_keys_are_pressed_by_xend(void **state)
{
	(void)state;
	OK("debug-keys", "qA");
	assert_string_equal(fake_debug_keys, "qA");
	FAILS("debug-keys", "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq");
	expect_err("not pressed: more than ");
	assert_int_equal(fake_store_count("/request"), 1);
}

static void test_history_and_why_tell_what_happened(void **state)
{
	(void)state;
	fake_store_set("/history/domain/demo/00000001",
		       "2026-01-01T00:00:00Z starting failed memory");
	OK("history", "demo");
	expect_out("2026-01-01T00:00:00Z  starting  -> failed     memory");
	OK("history", "--json", "demo");
	expect_out("\"why\":\"memory\"");
	OK("new", CFG);
	wait_key("/status/domain/demo/state", "defined");
	fake_store_set("/status/domain/demo/state", "failed");
	fake_store_set("/status/domain/demo/error", "too little memory");
	fake_store_set("/status/domain/demo/pending", "1");
	OK("why", "demo");
	expect_out("Its record was changed since it started; the change counts from its next "
		   "start.\n");
	expect_out("demo is failed since ");
	expect_out("\ntoo little memory\n");
	FAILS("why", "nobody");
	FAILS("history", "nobody");
}

static void test_sysrq_reaches_guests_that_take_it(void **state)
{
	(void)state;
	OK("create", CFG);
	take_when("/local/domain/1/control/sysrq", "h");
	OK("sysrq", "demo", "h");
	WRONG("sysrq", "demo", "hh");
	expect_err("'hh' is not one letter or digit");
	FAILS("sysrq", "demo", "h");
	expect_err("demo's kernel does not take sysrq keys; 'h' is withdrawn");
	expect_key("/local/domain/1/control/sysrq", "");
	FAILS("sysrq", "Domain-0", "h");
}

static void test_mem_set_tells_the_guest_and_the_record(void **state)
{
	(void)state;
	OK("create", CFG, "maxmem=256");
	OK("mem-set", "demo", "200");
	expect_key("/local/domain/1/memory/target", "204800");
	expect_key("/config/domain/demo/memory", "200");
	FAILS("mem-set", "-l", "demo", "65536k");
	expect_err("demo: 64 MiB is less than a kernel made for 256 MiB can live with, about 104 "
		   "MiB: -f does it all the same");
	expect_key("/local/domain/1/memory/target", "204800");
	OK("mem-set", "-l", "-f", "demo", "65536k");
	expect_key("/local/domain/1/memory/target", "65536");
	expect_key("/config/domain/demo/memory", "200");
	FAILS("mem-set", "demo", "1g");
	expect_err("demo: 1024 MiB is more than it can have, 256 MiB");
	FAILS("mem-set", "demo", "1k");
	expect_err("is too little");
	WRONG("mem-set", "demo", "much");
	expect_err("'much' is not an amount of memory");
	WRONG("mem-set", "demo", "12x");
	FAILS("mem-set", "nobody", "12");
}

static void test_mem_set_leaves_the_record_what_its_start_needs(void **state)
{
	(void)state;
	/* What xend writes of a larger kernel than the machine in memory has. */
	OK("new", CFG, "maxmem=256");
	fake_store_set("/status/domain/demo/state", "running");
	fake_store_set("/status/domain/demo/domid", "1");
	fake_store_set("/local/domain/1/memory/static-max", "262144");
	fake_store_set("/status/domain/demo/start_kib", "112641");
	FAILS("mem-set", "demo", "110");
	expect_err("about 111 MiB");
	OK("mem-set", "--force", "demo", "105");
	expect_err("demo: its record says 111 MiB for the next start: its kernel needs that");
	expect_key("/local/domain/1/memory/target", "107520");
	expect_key("/config/domain/demo/memory", "111");
}

static void test_what_is_set_never_makes_a_record_that_cannot_start(void **state)
{
	(void)state;
	OK("create", CFG, "maxmem=256", "maxvcpus=3");
	fake_store_set("/config/domain/demo/maxmem", "130");
	OK("mem-set", "demo", "200");
	expect_err("demo: its record stays as it is: it could not start with maxmem=130 is less "
		   "than memory=200");
	expect_key("/local/domain/1/memory/target", "204800");
	expect_key("/config/domain/demo/memory", "128");
	fake_store_set("/config/domain/demo/maxvcpus", "1");
	OK("vcpu-set", "demo", "2");
	expect_err("maxvcpus=1 is less than vcpus=2");
	expect_key("/config/domain/demo/vcpus", "1");
	OK("mem-set", "-l", "-f", "demo", "64");
	OK("mem-max", "demo", "100");
	expect_err("maxmem=100 is less than memory=128");
	expect_key("/config/domain/demo/maxmem", "130");
}

static void test_mem_set_leaves_the_host_enough(void **state)
{
	(void)state;
	FAILS("mem-set", "Domain-0", "64");
	expect_err("Domain-0: 64 MiB is less than");
}

static void test_vcpu_set_switches_those_there_can_be(void **state)
{
	(void)state;
	OK("create", CFG, "maxvcpus=3");
	OK("vcpu-set", "demo", "2");
	expect_key("/local/domain/1/cpu/0/availability", "online");
	expect_key("/local/domain/1/cpu/1/availability", "online");
	expect_key("/local/domain/1/cpu/2/availability", "offline");
	expect_key("/config/domain/demo/vcpus", "2");
	FAILS("vcpu-set", "demo", "4");
	expect_err("4 virtual CPUs are more than it can have, 3");
	WRONG("vcpu-set", "demo", "0");
	WRONG("vcpu-set", "demo", "two");
	FAILS("vcpu-set", "Domain-0", "1");
}

static void test_export_prints_what_new_takes_back_as_the_same_record(void **state)
{
	static char first[sizeof(xm_out)];

	(void)state;
	OK("new", CFG, "on_crash=preserve", "extra=\"it's a \\\\ and a \\\"\"", "autostart=last",
	   "vif=['mac=00:16:3e:01:02:03, ip=10.0.0.1, script=x', '']");
	OK("export", "demo");
	memcpy(first, xm_out, sizeof(first));
	OK("delete", "demo");
	xm_write_file("again.cfg", first);
	OK("new", xm_file("again.cfg"));
	assert_string_equal(xm_err + strlen(xm_err) - strlen("again.cfg\".\n"), "again.cfg\".\n");
	expect_key("/config/domain/demo/cmdline", "it's a \\ and a \"");
	OK("export", "demo");
	assert_string_equal(xm_out, first);
	OK("export", "--json", "demo");
	expect_out("\"autostart\": \"last\"");
	FAILS("export", "Domain-0");
}

static void test_top_prints_tables_with_the_share_of_cpu(void **state)
{
	(void)state;
	OK("create", CFG);
	OK("top", "-i", "2", "-d", "0.05");
	expect_out("NAME                 STATE    CPU(sec) CPU(%)     MEM(k) MEM(%) VCPUS NETS "
		   "VBDS\n");
	expect_out("demo                 r-----          1      -     131072    6.2     1    1    "
		   "1\n");
	expect_out("demo                 r-----          1    0.0     131072    6.2     1    1    "
		   "1\n");
	OK("top", "-i", "1", "--json");
	expect_out("\"cpu_percent\":null");
	WRONG("top", "-i", "0");
	WRONG("top", "-d", "0");
}

#define LIVE(f) cmocka_unit_test_setup_teardown(f, xm_setup, xm_teardown)
#define BARE(f) cmocka_unit_test_setup_teardown(f, xm_setup_bare, xm_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE(test_list_has_exactly_six_columns_and_the_host_first),
		LIVE(test_columns_stay_apart_however_long_it_runs_and_is_called),
		BARE(test_one_that_starts_is_listed_with_what_it_is_to_have),
		LIVE(test_stored_domains_are_listed_only_where_asked_for),
		LIVE(test_a_domain_between_two_lives_is_still_listed_by_name),
		LIVE(test_list_long_is_xls_json_with_a_state_for_pacemaker),
		LIVE(test_list_json_is_one_line_for_programs),
		BARE(test_without_xend_list_still_prints_and_says_so),
		LIVE(test_info_prints_the_lines_other_programs_grep_for),
		LIVE(test_uptime_counts_from_the_start),
		LIVE(test_uptime_does_not_jump_with_the_time_of_day),
		LIVE(test_domid_and_domname_are_each_others_inverse),
		LIVE(test_vncviewer_says_where_a_screen_is),
		LIVE(test_devices_are_listed_from_the_backends_side),
		LIVE(test_of_several_queues_the_first_is_listed),
		LIVE(test_dmesg_prints_all_parts_without_control_bytes),
		LIVE(test_debug_keys_are_pressed_by_xend),
		LIVE(test_history_and_why_tell_what_happened),
		LIVE(test_sysrq_reaches_guests_that_take_it),
		LIVE(test_mem_set_tells_the_guest_and_the_record),
		BARE(test_mem_set_leaves_the_record_what_its_start_needs),
		LIVE(test_what_is_set_never_makes_a_record_that_cannot_start),
		LIVE(test_mem_set_leaves_the_host_enough),
		LIVE(test_vcpu_set_switches_those_there_can_be),
		LIVE(test_export_prints_what_new_takes_back_as_the_same_record),
		LIVE(test_top_prints_tables_with_the_share_of_cpu),
	};

	return cmocka_run_group_tests_name("xm: looking", tests, xm_group_setup, xm_group_teardown);
}
