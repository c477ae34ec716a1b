/* SPDX-License-Identifier: MIT */
/*
 * test_record.c - claims about a record as a whole: what absent keys count as, what is refused, and
 * that what is written is what was read.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "record.h"
#include "record_out.h"
#include "schema.h"

static struct record_keys keys;
static struct record rec;
static char wrong[4096];
static char wrong_key[64]; /* of the last one */

static int teardown(void **state)
{
	(void)state;
	record_keys_free(&keys);
	wrong[0] = '\0';
	return 0;
}

static void hear(void *data, const char *key, const char *text)
{
	(void)data;
	snprintf(wrong_key, sizeof(wrong_key), "%s", key);
	strcat(wrong, text);
	strcat(wrong, "\n");
}

static void set(const char *key, const char *value)
{
	assert_int_equal(record_keys_set(&keys, key, value), 0);
}

static void base(void)
{
	record_keys_free(&keys);
	set("memory", "64");
	set("kernel", "/boot/vmlinuz");
}

static int parse(void)
{
	wrong[0] = '\0';
	return record_parse(&rec, "web", &keys, hear, NULL);
}

static void says(const char *text)
{
	assert_int_equal(parse(), -EINVAL);
	if (!strstr(wrong, text))
		fail_msg("'%s' does not say '%s'", wrong, text);
}

static void test_absent_keys_count_as_the_registry_says(void **state)
{
	(void)state;
	base();
	set("disk/0/target", "file:/data/a.img");
	set("disk/0/vdev", "xvda");
	set("vif/0", "");
	assert_int_equal(parse(), 0);
	assert_int_equal(rec.maxmem_mib, 64);
	assert_int_equal(rec.vcpus, 1);
	assert_int_equal(rec.maxvcpus, 1);
	assert_int_equal(rec.on_reboot, ACTION_RESTART);
	assert_int_equal(rec.on_crash, ACTION_DESTROY);
	assert_false(rec.power);
	assert_true(rec.persistent);
	assert_false(rec.disk[0].writable);
	assert_int_equal(rec.nr_vifs, 1);
	assert_string_equal(rec.vif[0].bridge, "xenbr0");
	assert_string_equal(rec.vif[0].script, "vif-bridge");
	/* An empty value is an absent one. */
	set("maxmem", "");
	set("vcpus", "4");
	assert_int_equal(parse(), 0);
	assert_int_equal(rec.maxmem_mib, 64);
	assert_int_equal(rec.maxvcpus, 4);
}

static void test_a_disk_of_another_machine_has_no_cache(void **state)
{
	base();
	set("disk/7/target", "nbd://host/x");
	set("disk/7/vdev", "xvda");
	assert_int_equal(parse(), 0);
	set("disk/7/cache", "none");
	says("disk/7: cache= is for files and devices of this host");
}

static void test_an_image_has_a_format_and_what_it_stands_on(void **state)
{
	base();
	set("disk/7/target", "file:/x");
	set("disk/7/vdev", "xvda");
	set("disk/7/format", "qcow2");
	set("disk/7/backing", "/a,/b");
	assert_int_equal(parse(), 0);
	assert_int_equal(rec.disk[0].format, DISK_FORMAT_QCOW2);
	assert_string_equal(rec.disk[0].backing, "/a,/b");
	set("disk/7/backing", "/a,b");
	says("disk/7: backing= is to be absolute paths");
	set("disk/7/backing", "/a,,/b");
	says("disk/7: backing= is to be absolute paths");
	set("disk/7/backing", "/1,/2,/3,/4,/5,/6,/7,/8");
	assert_int_equal(parse(), 0);
	set("disk/7/backing", "/1,/2,/3,/4,/5,/6,/7,/8,/9");
	says("disk/7: backing= has more than eight files");
	set("disk/7/backing", "/a");
	set("disk/7/format", "raw");
	says("disk/7: backing= is for images of a format that stand on others");
	set("disk/7/backing", "");
	set("disk/7/format", "vhd");
	set("disk/7/mode", "w!");
	says("disk/7: w! is for raw images");
	set("disk/7/mode", "w");
	set("disk/7/target", "nbd://host/x");
	says("disk/7: format= is for files and devices of this host");
}

/* The registry's defaults are possible values, its words are all known to the structure. */
static void test_every_word_and_default_of_the_registry_is_understood(void **state)
{
	static const char root[] = RECORD_ROOT "/$NAME/";
	const struct schema_row *row;
	char why[SCHEMA_WHY_LEN], text[256], *save;

	(void)state;
	for (size_t i = 0; (row = schema_at(i)); i++) {
		const char *key = row->path + strlen(root);

		if (strncmp(row->path, root, strlen(root)) != 0 || strchr(key, '$'))
			continue;
		if (row->absent && row->absent[0] != '$')
			assert_true(schema_check(row, row->absent, strlen(row->absent), why));
		snprintf(text, sizeof(text), "%s", row->choices ? row->choices : "");
		for (char *w = strtok_r(text, "|", &save); w; w = strtok_r(NULL, "|", &save)) {
			struct record_keys back = { 0 };

			base();
			set(key, w);
			assert_int_equal(parse(), 0);
			assert_int_equal(record_format(&rec, &back), 0);
			assert_string_equal(record_keys_get(&back, key), w);
			record_keys_free(&back);
		}
	}
	assert_int_equal(schema_find(RECORD_ROOT "/x/vcpus")->max, RECORD_VCPUS_MAX);
	assert_int_equal(schema_find(RECORD_ROOT "/x/cmdline")->max, RECORD_CMDLINE_MAX);
	assert_int_equal(schema_find(RECORD_ROOT "/x/kernel")->max, DISK_PATH_MAX);
	assert_int_equal(schema_find(RECORD_ROOT "/x/disk/0/vdev")->max, DISK_VDEV_MAX);
}

static void test_everything_wrong_is_said_at_once(void **state)
{
	(void)state;
	record_keys_free(&keys);
	set("memory", "lots");
	set("vcpus", "99");
	set("disk/0/target", "relative");
	set("disk/x/target", "/a");
	set("disk/07/target", "/a");
	set("disk/1000/target", "/a");
	says("memory=lots is not possible: a number from 2 to 16777216 (MiB) is wanted");
	says("vcpus=99 is not possible");
	says("kernel is missing: file in dom0");
	says("disk/0/target=relative is not possible");
	says("disk/0/vdev is missing");
	says("disk/x is not possible: a number");
	says("disk/07 is not possible");
	says("disk/1000 is not possible");
	assert_int_equal(rec.nr_disks, 0);
	assert_int_equal(rec.vcpus, 1);
}

static void test_what_only_the_whole_shows_is_judged(void **state)
{
	char key[64], vdev[16];

	(void)state;
	base();
	set("maxmem", "32");
	set("vcpus", "4");
	set("maxvcpus", "2");
	set("disk/3/target", "/a");
	set("disk/3/vdev", "xvda");
	set("disk/40/target", "/b");
	set("disk/40/vdev", "d0");
	set("vif/0/mac", "00:16:3e:00:00:0a");
	set("vif/1/mac", "00:16:3E:00:00:0A");
	says("maxmem=32 is less than memory=64");
	says("maxvcpus=2 is less than vcpus=4");
	says("disk/40: d0 is disk/3 already");
	says("vif/1: mac 00:16:3e:00:00:0a is vif/0's already");
	base();
	for (unsigned int i = 0; i <= RECORD_DISKS_MAX; i++) {
		snprintf(key, sizeof(key), "disk/%u/target", i);
		set(key, "/a");
		snprintf(key, sizeof(key), "disk/%u/vdev", i);
		snprintf(vdev, sizeof(vdev), "d%u", i);
		set(key, vdev);
	}
	says("more than 32 disks");
	assert_int_equal(record_parse(&rec, "a b", &keys, hear, NULL), -EINVAL);
	assert_non_null(strstr(wrong, "the name 'a b' has a character"));
}

/* What is wrong is told of the key that is, which is where a form marks it. */
static void test_a_screens_fault_is_told_of_the_key_that_has_it(void **state)
{
	base();
	set("vfb/vnc", "1");
	set("vfb/vncpasswd", "a,b");
	says("vncpasswd has a comma");
	assert_string_equal(wrong_key, "vfb/vncpasswd");
	base();
	set("vfb/vnc", "1");
	set("vfb/vnclisten", "0.0.0.0");
	says("needs vncpasswd");
	assert_string_equal(wrong_key, "vfb/vnclisten");
}

static void test_items_keep_their_order_and_numbers(void **state)
{
	struct record_keys back = { 0 };

	(void)state;
	base();
	set("disk/40/target", "file:/b");
	set("disk/40/vdev", "xvdb");
	set("disk/9/target", "phy:/dev/c");
	set("disk/9/vdev", "xvdc");
	set("disk/9/mode", "w!");
	assert_int_equal(parse(), 0);
	assert_int_equal(rec.nr_disks, 2);
	assert_int_equal(rec.disk[0].item, 9);
	assert_int_equal(rec.disk[1].item, 40);
	assert_int_equal(record_format(&rec, &back), 0);
	assert_string_equal(record_keys_get(&back, "disk/40/target"), "file:/b");
	assert_string_equal(record_keys_get(&back, "disk/40/mode"), "r");
	assert_string_equal(record_keys_get(&back, "disk/9/mode"), "w!");
	assert_string_equal(record_keys_get(&back, "disk/9/target"), "phy:/dev/c");
	record_keys_free(&back);
}

static void test_keys_of_any_names_are_found(void **state)
{
	static const char *const names[] = { "9", "10", "1x", "x", "07", "7", "1234567890", "0",
					     "00" };
	enum { NR = sizeof(names) / sizeof(names[0]) };
	char key[64];

	(void)state;
	/* Each of them as the first, the others behind it. */
	for (unsigned int first = 0; first < NR; first++) {
		record_keys_free(&keys);
		for (unsigned int i = 0; i < NR; i++) {
			snprintf(key, sizeof(key), "disk/%s/vdev", names[(first + i * 2) % NR]);
			set(key, names[(first + i * 2) % NR]);
		}
		assert_int_equal(keys.nr, NR);
		for (unsigned int i = 0; i < NR; i++) {
			snprintf(key, sizeof(key), "disk/%s/vdev", names[i]);
			if (!record_keys_get(&keys, key))
				fail_msg("%s first: no %s", names[first], key);
			assert_string_equal(record_keys_get(&keys, key), names[i]);
		}
	}
}

static void test_json_keeps_numbers_and_items(void **state)
{
	json_t *o;

	(void)state;
	base();
	set("disk/0/target", "/a");
	set("disk/40/target", "/b");
	set("vif/0/bridge", "br1");
	set("note", "7");
	set("paused", "1");
	o = record_json("web", &keys);
	assert_int_equal(json_integer_value(json_object_get(o, "memory")), 64);
	assert_true(json_is_true(json_object_get(o, "paused")));
	assert_string_equal(json_string_value(json_object_get(o, "note")), "7");
	assert_true(json_is_array(json_object_get(o, "vif")));
	assert_string_equal(
		json_string_value(json_object_get(
			json_object_get(json_object_get(o, "disk"), "40"), "target")),
		"/b");
	json_decref(o);
}

static void test_a_file_says_what_is_there_even_if_it_is_wrong(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	(void)state;
	base();
	set("memory", "lots");
	set("cmdline", "a 'b'");
	set("disk/40/target", "/with,comma");
	set("disk/40/vdev", "xvdb");
	set("disk/39/target", "script:block-iscsi:iqn=a,portal=b");
	set("disk/39/vdev", "xvdc");
	set("disk/39/cache", "none");
	/* Somebody has only begun with it. */
	set("disk/41/cache", "none");
	set("vif/0/bridge", "br1");
	record_print_cfg("web", &keys, f);
	fclose(f);
	assert_non_null(strstr(text, "memory      = 'lots'\n"));
	assert_non_null(strstr(text, "cmdline     = 'a \\'b\\''\n"));
	assert_non_null(strstr(text, "'vdev=xvdb, access=r, backendtype=file, target=/with,comma'"));
	assert_non_null(strstr(text, "'vdev=xvdc, access=r, script=block-iscsi, cache=none, "
				     "target=iqn=a,portal=b'"));
	assert_non_null(strstr(text, "'vdev=, access=r, backendtype=file, cache=none, target='"));
	assert_non_null(strstr(text, "'bridge=br1'"));
	assert_null(strstr(text, "maxmem"));
	free(text);
}

#define T(f) cmocka_unit_test_teardown(f, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_absent_keys_count_as_the_registry_says),
		T(test_every_word_and_default_of_the_registry_is_understood),
		T(test_a_disk_of_another_machine_has_no_cache),
		T(test_an_image_has_a_format_and_what_it_stands_on),
		T(test_everything_wrong_is_said_at_once),
		T(test_what_only_the_whole_shows_is_judged),
		T(test_a_screens_fault_is_told_of_the_key_that_has_it),
		T(test_items_keep_their_order_and_numbers),
		T(test_keys_of_any_names_are_found),
		T(test_json_keeps_numbers_and_items),
		T(test_a_file_says_what_is_there_even_if_it_is_wrong),
	};

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
