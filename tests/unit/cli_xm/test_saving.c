/* SPDX-License-Identifier: MIT */
/*
 * test_saving.c - claims about xm save and xm restore: what xend is asked, and which record the
 * file of a saved domain becomes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "fake_store.h"
#include "saved_head.h"
#include "xm_run.h"

#define UUID "12345678-1234-4234-8234-123456789abc"
#define RECORD "memory\0" "64\0" "uuid\0" UUID "\0" "disk/0/vdev\0" "xvda\0" "persistent\0" "1\0" \
	       "bogus\0" "x\0" "../../other/memory\0" "1\0" "kernel\0" "/k"

static const char *saved(const char *name)
{
	const char *path = xm_file("web.save");
	struct saved_head h = { .version = SAVED_VERSION, .uuid = UUID, .nr_pages = 1, .nr_vcpus = 1, .record = RECORD,
				.record_len = sizeof(RECORD) };
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	snprintf(h.name, sizeof(h.name), "%s", name);
	assert_int_equal(saved_head_write(fd, &h), 0);
	close(fd);
	return path;
}

static void test_a_saved_domain_goes_on_from_its_file(void **state)
{
	const char *file = xm_file("x.save");
	char here[512];

	OK("create", xm_file("demo.cfg"), "memory=16");
	FAILS("save", "Domain-0", "x");
	expect_err("Domain-0 cannot be saved");
	FAILS("save", "nosuch", "x");
	OK("save", "-c", "demo", file);
	expect_key("/status/domain/demo/state", "running");
	FAILS("restore", file);
	expect_err("demo is there already");
	OK("save", "demo", file);
	wait_key("/status/domain/demo/state", NULL);
	OK("restore", file);
	expect_key("/status/domain/demo/state", "running");
	expect_key("/config/domain/demo/vif/0/bridge", "br7");

	/* xend has a directory of its own. */
	assert_non_null(getcwd(here, sizeof(here)));
	file = xm_file("");
	assert_int_equal(chdir(file), 0);
	OK("save", "-c", "demo", "y.save");
	assert_int_equal(access(xm_file("y.save"), R_OK), 0);
	assert_int_equal(chdir(here), 0);
}

static void test_restore_brings_the_record_along(void **state)
{
	const char *file = saved("web");

	/* There is no memory behind it: it does not start, and the record is there. */
	FAILS("restore", file);
	expect_err("web: not started: ");
	expect_key("/config/domain/web/memory", "64");
	expect_key("/config/domain/web/disk/0/vdev", "xvda");
	expect_key("/config/domain/web/saved", file);
	expect_key("/config/domain/web/bogus", NULL);
	expect_key("/config/other/memory", NULL);
	assert_int_equal(fake_store_count("/config/other"), 0);
}

static void test_restore_uses_the_record_that_there_is(void **state)
{
	OK("new", xm_file("demo.cfg"), "name=web", "uuid=" UUID, "memory=77");
	FAILS("restore", "-p", saved("web"));
	expect_err("web: not started: ");
	expect_key("/config/domain/web/memory", "77");
	expect_key("/config/domain/web/paused", "1");
}

static void test_restore_of_a_name_or_uuid_in_use_is_refused(void **state)
{
	OK("new", xm_file("demo.cfg"), "name=web");
	FAILS("restore", saved("web"));
	expect_err("there is another domain's record of that name");
	OK("new", xm_file("demo.cfg"), "name=shop", "uuid=" UUID);
	FAILS("restore", saved("site"));
	expect_err("site is called shop by now");
	expect_key("/config/domain/site/power", NULL);
}

static void test_what_is_no_saved_domain_is_refused(void **state)
{
	FAILS("restore", xm_file("nosuch"));
	expect_err("No such file");
	FAILS("restore", xm_file("demo.cfg"));
	expect_err("is not a file that 'xm save' made");
	assert_int_equal(truncate(saved("web"), 200), 0);
	FAILS("restore", xm_file("web.save"));
	expect_err("is not a file that 'xm save' made");
	FAILS("restore", saved("../etc"));
	expect_err("no possible name");
	FAILS("restore", saved("Domain-0"));
	expect_err("no possible name");
}

/* --- of xl save --- */

#define CHECKED 0x53560000u		/* its records have checksums */

/* As Debian's xl 4.17 writes it, shortened. */
#define XL_JSON \
	"{\"c_info\":{\"type\":\"pv\",\"name\":\"web\",\"uuid\":\"" UUID "\",\"run_hotplug_scripts\":\"True\"}," \
	"\"b_info\":{\"max_vcpus\":2,\"vcpu_hard_affinity\":[[1]],\"avail_vcpus\":[0],\"max_memkb\":131072,\"target_memkb\":65536," \
	"\"shadow_memkb\":2048,\"sched_params\":{\"weight\":512,\"cap\":20},\"claim_mode\":\"True\"," \
	"\"kernel\":\"/boot/vmlinuz-xen\",\"cmdline\":\"root=/dev/xvda ro\",\"type.pv\":{}}," \
	"\"disks\":[{\"pdev_path\":\"/data/a,b.img\",\"vdev\":\"xvda\",\"backend\":\"phy\",\"format\":\"raw\"," \
	"\"removable\":1,\"readwrite\":1},{\"pdev_path\":\"/data/ro.img\",\"vdev\":\"xvdb\"," \
	"\"format\":\"raw\"}]," \
	"\"nics\":[{\"devid\":0,\"mac\":\"00:16:3e:01:02:03\",\"bridge\":\"br7\",\"nictype\":\"vif\"," \
	"\"ip\":\"10.0.0.5\",\"rate_bytes_per_interval\":33334,\"rate_interval_usecs\":30000}]," \
	"%s\"on_reboot\":\"coredump_restart\",\"on_crash\":\"preserve\"}"

struct xl_file {
	unsigned int mandatory, optional, len;	/* .len: of what stands before libxl's head */
	bool has_memory;
	const char *config;			/* NULL: none */
	char magic_of_libxl[9];
};

/* A memory, as xend saves it for xl: behind the heads. */
static void put_memory(FILE *to)
{
	const char *path = xm_file("memory.xl");
	FILE *from;
	int c;

	OK("create", xm_file("demo.cfg"), "memory=16");
	OK("save", "--xl", "demo", path);
	wait_key("/status/domain/demo/state", NULL);
	from = fopen(path, "r");
	assert_int_equal(fseek(from, 72, SEEK_SET), 0);
	while ((c = getc(from)) != EOF)
		putc(c, to);
	fclose(from);
}

static const char *of_xl(struct xl_file x)
{
	const char *path = xm_file("web.xl");
	unsigned int numbers[4] = { 0x01020304, x.mandatory, x.optional, x.len };
	unsigned int text = x.config ? (unsigned int)strlen(x.config) + 1 : 0;
	FILE *f = fopen(path, "w");

	if (!x.len && x.config)
		numbers[3] = text + 4;
	fwrite("Xen saved domain, xl format\n \0 \r", 1, 32, f);
	fwrite(numbers, 1, sizeof(numbers), f);
	if (x.config) {
		fwrite(&text, 1, sizeof(text), f);
		fwrite(x.config, 1, text, f);
	}
	fwrite(x.magic_of_libxl[0] ? x.magic_of_libxl : "LibxlFmt", 1, 8, f);
	fwrite("\0\0\0\2\0\0\0\0\1\0\0\0\0\0\0\0", 1, 16, f);
	if (x.has_memory)
		put_memory(f);
	assert_int_equal(fclose(f), 0);
	return path;
}

static const char *of_xl_json(const char *more)
{
	char *json;
	const char *path;

	assert_true(asprintf(&json, XL_JSON, more) > 0);
	path = of_xl((struct xl_file){ .mandatory = 3, .optional = CHECKED, .has_memory = true, .config = json });
	free(json);
	return path;
}

static void test_what_xl_saved_gets_the_record_that_xl_wrote_down(void **state)
{
	OK("restore", "-p", of_xl_json("\"vfbs\":[{\"devid\":0}],"));
	expect_err("vfbs, vcpu_hard_affinity are left out");
	/* It went on from there, and must not do so again. */
	expect_key("/config/domain/web/saved", NULL);
	expect_key("/config/domain/web/uuid", UUID);
	expect_key("/config/domain/web/power", "on");
	expect_key("/config/domain/web/paused", "1");
	expect_key("/config/domain/web/persistent", "0");
	expect_key("/config/domain/web/memory", "64");
	expect_key("/config/domain/web/maxmem", "128");
	expect_key("/config/domain/web/vcpus", "1");
	expect_key("/config/domain/web/maxvcpus", "2");
	expect_key("/config/domain/web/cpu_weight", "512");
	expect_key("/config/domain/web/cap", "20");
	expect_key("/config/domain/web/kernel", "/boot/vmlinuz-xen");
	expect_key("/config/domain/web/cmdline", "root=/dev/xvda ro");
	expect_key("/config/domain/web/disk/0/target", "file:/data/a,b.img");
	expect_key("/config/domain/web/disk/0/mode", "w");
	expect_key("/config/domain/web/disk/1/mode", "r");
	expect_key("/config/domain/web/vif/0/mac", "00:16:3e:01:02:03");
	expect_key("/config/domain/web/vif/0/bridge", "br7");
	/* What it may not do, it still may not. */
	expect_key("/config/domain/web/vif/0/ip", "10.0.0.5");
	expect_key("/config/domain/web/vif/0/rate", "1111134B/s@30000us");
	expect_key("/config/domain/web/on_reboot", "restart");
	expect_key("/config/domain/web/on_crash", "preserve");
	FAILS("restore", xm_file("web.xl"));
}

static void test_what_xl_saved_may_have_a_configuration_of_its_own(void **state)
{
	const char *file = of_xl((struct xl_file){ .mandatory = 2, .optional = CHECKED,
						   .has_memory = true });

	FAILS("restore", file);
	expect_err("does not say what the domain was");
	OK("restore", xm_file("demo.cfg"), file);
	expect_key("/status/domain/demo/state", "running");
	OK("destroy", "demo");
	FAILS("restore", xm_file("demo.cfg"), saved("shop"));
	expect_err("has the record of its domain");
	expect_key("/config/domain/shop/saved", NULL);
	/* xl of long ago wrote the configuration file's own text */
	file = of_xl((struct xl_file){ .mandatory = 2, .optional = CHECKED, .has_memory = true,
				       .config = "name = 'old'\nkernel = '/k'\nmemory = 32\n" });
	OK("restore", file);
	expect_key("/config/domain/old/memory", "32");
	expect_key("/status/domain/old/state", "running");
}

#define A_DOMAIN \
	"{\"c_info\":{\"type\":\"pv\",\"name\":\"web\"},\"b_info\":{\"kernel\":\"/k\",\"max_memkb\":65536},"

/* What xl leaves out, and a drive with nothing in it. */
static void test_what_xl_saved_may_lack_what_is_made_up(void **state)
{
	OK("restore", of_xl((struct xl_file){ .mandatory = 3, .optional = CHECKED, .has_memory = true,
					      .config = A_DOMAIN
		"\"nics\":[{\"bridge\":\"br7\"}],\"disks\":[{\"vdev\":\"xvdc\",\"format\":\"empty\","
		"\"removable\":1,\"is_cdrom\":1},{\"pdev_path\":\"/data/a.img\",\"vdev\":\"xvda\"}]}" }));
	expect_key("/config/domain/web/vif/0/bridge", "br7");
	expect_key("/config/domain/web/disk/0/vdev", "xvda");
	expect_key("/config/domain/web/disk/1/vdev", NULL);
}

/* No number of a file's may end xm, nor be taken for another. */
static void test_what_xl_saved_may_have_any_number(void **state)
{
	FAILS("restore", of_xl((struct xl_file){ .mandatory = 3, .config =
		"{\"c_info\":{\"type\":\"pv\",\"name\":\"web\"},\"b_info\":{\"kernel\":\"/k\","
		"\"max_memkb\":9223372036854775807}}" }));
	expect_err("memory");
	expect_key("/config/domain/web/kernel", NULL);
}

static void test_a_wrong_file_of_xl_makes_no_record(void **state)
{
	static const struct xl_file wrong[] = {
		{ .mandatory = 1 },			/* before 4.6 */
		{ .mandatory = 6 },			/* something that is not known */
		{ .mandatory = 2, .len = 3 },
		{ .mandatory = 2, .len = 300000 },
		{ .mandatory = 3, .config = "{}", .len = 5 },
		{ .mandatory = 2, .magic_of_libxl = "LibxlFmu" },
	};
	static const struct {
		const char *json, *why;
	} contents[] = {
		{ "", "it is not JSON" },
		{ "{", "it is not JSON" },
		{ "[]", "it is not JSON" },
		{ "{}", "it has no c_info" },
		{ "{\"c_info\":1,\"b_info\":[]}", "it has no c_info" },
		{ "{\"c_info\":{\"type\":\"hvm\"},\"b_info\":{}}", "of type hvm" },
		{ "{\"c_info\":{\"type\":\"pv\",\"name\":\"a\\\"\\nuuid = \\\"b\"},\"b_info\":{}}",
		  "a quotation mark" },
		{ "{\"c_info\":{\"type\":\"pv\",\"name\":\"a\"},\"b_info\":{\"kernel\":\"/k\"},"
		  "\"disks\":[{\"pdev_path\":\"/x\",\"vdev\":\"xvda,script=evil\"}]}", "a comma" },
		{ A_DOMAIN "\"nics\":[{\"mac\":\"00:16:3e:01:02:03,ip=10.0.0.1\"}]}", "a comma in mac" },
		{ A_DOMAIN "\"nics\":[{\"rate_bytes_per_interval\":9223372036854775807}]}", "no possible speed" },
		{ A_DOMAIN "\"nics\":[{\"backend_domname\":\"router\"}]}", "backend 'router'" },
		{ A_DOMAIN "\"disks\":[{\"pdev_path\":\"/x\",\"vdev\":\"xvda\","
		  "\"backend_domname\":\"store\"}]}", "backend 'store'" },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		FAILS("restore", xm_file("demo.cfg"), of_xl(wrong[i]));
		expect_err("is not a file that 'xm save' made");
	}
	for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
		FAILS("restore", of_xl((struct xl_file){ .mandatory = 3, .config = contents[i].json }));
		expect_err(contents[i].why);
	}
	for (long len = 16; len < 72; len++) {
		assert_int_equal(truncate(of_xl((struct xl_file){ .mandatory = 2 }), len), 0);
		FAILS("restore", xm_file("demo.cfg"), xm_file("web.xl"));
	}
	assert_int_equal(fake_store_count("/config/domain/web"), 0);
	assert_int_equal(fake_store_count("/config/domain/demo"), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, xm_setup, xm_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_a_saved_domain_goes_on_from_its_file),
		T(test_restore_brings_the_record_along),
		T(test_restore_uses_the_record_that_there_is),
		T(test_restore_of_a_name_or_uuid_in_use_is_refused),
		T(test_what_is_no_saved_domain_is_refused),
		T(test_what_xl_saved_gets_the_record_that_xl_wrote_down),
		T(test_what_xl_saved_may_have_a_configuration_of_its_own),
		T(test_what_xl_saved_may_lack_what_is_made_up),
		T(test_what_xl_saved_may_have_any_number),
		T(test_a_wrong_file_of_xl_makes_no_record),
	};

	return cmocka_run_group_tests(tests, xm_group_setup, xm_group_teardown);
}
