/* SPDX-License-Identifier: MIT */
/*
 * test_host_cfg.c - claims about what becomes of xl.conf and xend-config.sxp.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "heard.h"
#include "host_cfg.h"

static struct host_cfg host;

static int set_up(void **state)
{
	(void)state;
	heard_reset();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	host_cfg_fini(&host);
	return 0;
}

static int judge(const char *text)
{
	int ret;

	host_cfg_fini(&host);
	heard_reset();
	ret = host_cfg_read(&host, "f", text, strlen(text), &heard_report);
	return host_cfg_judge(&host, &heard_report) || ret ? -EINVAL : 0;
}

static const struct host_setting *of(const char *name)
{
	for (size_t i = 0; i < host.nr; i++)
		if (!strcmp(host.settings[i].from->key, name))
			return &host.settings[i];
	fail_msg("%s is not there", name);
	return NULL;
}

static void taken(const char *name, const char *path, const char *value)
{
	assert_int_equal(of(name)->fate, HOST_TAKEN);
	assert_string_equal(of(name)->says, path);
	assert_string_equal(of(name)->value, value);
}

/* The names that Debian's xl.conf has, all of them switched on. */
static void test_every_name_of_debians_xl_conf_is_known(void **state)
{
	(void)state;
	assert_int_equal(judge("## Global XL config file ##\n"
			       "domid_policy=\"xen\"\n"
			       "autoballoon=\"auto\"\n"
			       "lockfile=\"/var/lock/xl\"\n"
			       "output_format=\"json\"\n"
			       "blkdev_start=\"xvda\"\n"
			       "run_hotplug_scripts=1\n"
			       "vif.default.backend=\"0\"\n"
			       "vif.default.gatewaydev=\"eth0\"\n"
			       "vif.default.script=\"vif-bridge\"\n"
			       "vif.default.bridge=\"br0\"\n"
			       "claim_mode=1\n"
			       "vm.cpumask=\"0-7\"\n"
			       "vm.pv.cpumask=\"0-3\"\n"
			       "vm.hvm.cpumask=\"3-7\"\n"),
			 0);
	assert_int_equal(host.nr, 14);
	taken("vif.default.bridge", "/config/network/bridge", "br0");
	/* As xl 4.2 called them; xl 4.17 still takes them. */
	assert_int_equal(judge("vifscript=\"vif-route\"\ndefaultbridge=\"br1\"\n"), 0);
	taken("defaultbridge", "/config/network/bridge", "br1");
	for (size_t i = 0; i < host.nr; i++)
		assert_true(host.settings[i].says[0]);
}

static void test_xends_file_is_read(void **state)
{
	(void)state;
	assert_int_equal(judge("# -*- sh -*-\n"
			       "(logfile /var/log/xen/xend.log)\n"
			       "(xen-api-server ((9363 pam '^localhost$') (unix none)))\n"
			       "(xend-relocation-hosts-allow '')\n"
			       "(network-script 'network-bridge bridge=xenbr1')\n"
			       "(dom0-min-mem 196)\n"
			       "(enable-dom0-ballooning yes)\n"
			       "(vncpasswd '')\n"),
			 0);
	assert_int_equal(host.nr, 7);
	taken("dom0-min-mem", "/config/host/dom0_min_mem", "196");
	assert_int_equal(of("network-script")->fate, HOST_ELSEWHERE);
	assert_non_null(strstr(of("network-script")->says, "storevisor-network"));
	assert_int_equal(of("logfile")->fate, HOST_NO_EFFECT);
}

static void test_a_dom0_that_keeps_its_memory_keeps_it(void **state)
{
	(void)state;
	assert_int_equal(judge("(dom0-min-mem 0)"), 0);
	assert_int_equal(of("dom0-min-mem")->fate, HOST_NO_EFFECT);
	assert_int_equal(judge("(dom0-min-mem 196)(enable-dom0-ballooning no)"), 0);
	assert_int_equal(of("dom0-min-mem")->fate, HOST_NO_EFFECT);
	assert_int_equal(judge("(enable-dom0-ballooning no)(enable-dom0-ballooning yes)"
			       "(dom0-min-mem 196)"),
			 0);
	assert_int_equal(of("dom0-min-mem")->fate, HOST_TAKEN);
}

static void test_what_is_wrong_is_told_with_its_place(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "\nvif.default.brigde = 'x'",
		  "f:2:1: unknown name 'vif.default.brigde'; did you mean 'vif.default.bridge'?" },
		{ "zebra = 1", "f:1:1: unknown name 'zebra': neither" },
		{ "(zebra 1)", "f:1:1: unknown name 'zebra'" },
		{ "vif.default.bridge = 'far too long for a name'", "a bridge's name" },
		{ "vif.default.bridge = ['a']", "f:1:1: vif.default.bridge: one value is expected" },
		{ "(dom0-min-mem 63)", "a number from 64 to 16777216" },
		{ "(dom0-min-mem 16777217)", "a number from 64 to 16777216" },
		{ "(dom0-min-mem -1)", "is not possible" },
		{ "(dom0-min-mem (196))", "one value is expected" },
		{ "(dom0-min-mem 196", "the '(' here is not closed" },
		{ "(dom0-min-mem 196) 7", "where (KEY VALUE) is expected" },
		{ "(())", "(KEY VALUE) is expected here" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(judge(cases[i].text), -EINVAL);
		heard_is_wrong(cases[i].text, cases[i].says);
	}
	assert_int_equal(judge("foo = 1\nbar = 2\n"), -EINVAL);
	heard_is_wrong("two", "f:1:1: unknown name 'foo'");
	heard_is_wrong("two", "f:2:1: unknown name 'bar'");
}

/* Names of a domain's file have none. */
static void test_a_domains_file_has_no_dots_in_its_keys(void **state)
{
	static const char text[] = "vif.default.bridge = 'x'";
	struct cfg cfg = { 0 };

	(void)state;
	assert_int_equal(cfg_parse(&cfg, "f", text, sizeof(text) - 1, &heard_report), -EINVAL);
	cfg_fini(&cfg);
}

static void test_nothing_is_nothing(void **state)
{
	(void)state;
	assert_int_equal(judge(""), 0);
	assert_int_equal(host.nr, 0);
	assert_int_equal(judge("# nothing\n"), 0);
	assert_int_equal(host.nr, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_every_name_of_debians_xl_conf_is_known),
		T(test_xends_file_is_read),
		T(test_a_dom0_that_keeps_its_memory_keeps_it),
		T(test_what_is_wrong_is_told_with_its_place),
		T(test_a_domains_file_has_no_dots_in_its_keys),
		T(test_nothing_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
